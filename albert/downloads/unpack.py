"""Unpacking: extracts a downloaded zip archive that may be damaged or malicious."""

from __future__ import annotations

import os
import shutil
import stat
import zipfile
import zlib
from typing import Dict, List

from albert.base.errors import UserError
from albert.files.complete import CompleteFolder

# The Finder of macOS adds these to every archive.
LITTER = ("__MACOSX", ".DS_Store")


def unpack_zip(zip_path: str, folder: str) -> List[str]:
    """Unpacks a zip archive into a folder that is absent or empty; all of it or nothing.

    If one folder holds all members, it is left out. An archive with one bad member (a path that leaves the folder, a
    link) is refused before anything is written.

    Args:
      zip_path: the archive.
      folder: the folder to make; its parent is made too.

    Returns:
      The paths of the files within the folder, sorted.

    Raises:
      UserError: the archive is bad, or the folder holds something already.
    """
    folder = os.path.abspath(folder)
    _refuse_occupied(folder)
    try:
        with zipfile.ZipFile(zip_path) as archive:
            members = _without_common_folder(_checked_members(archive, zip_path))
            _extract(archive, members, folder)
    except (zipfile.BadZipFile, EOFError, zlib.error) as error:
        raise UserError(
            f"{zip_path} is not a complete zip archive ({error}): remove it and download it again"
        ) from error
    except RuntimeError as error:  # zipfile raises it for encrypted or exotic members
        raise UserError(f"{zip_path} cannot be unpacked ({error}): download it again") from error
    except OSError as error:
        raise UserError(
            f"{zip_path} cannot be unpacked into {folder} ({error.strerror or error}): "
            "check the path, the free space and your right to write there"
        ) from error
    return sorted(members)


def _refuse_occupied(folder: str) -> None:
    if os.path.islink(folder) or (os.path.exists(folder) and not (os.path.isdir(folder) and not os.listdir(folder))):
        raise UserError(f"{folder} exists already and would have to be replaced: move it away or name another folder")


def _checked_members(archive: zipfile.ZipFile, zip_path: str) -> Dict[str, zipfile.ZipInfo]:
    """Path within the archive → member, for files only, every one of them harmless."""
    members: Dict[str, zipfile.ZipInfo] = {}
    for member in archive.infolist():
        # ZipInfo.filename may have lost what follows a NUL; the original name has not.
        name = member.orig_filename
        fault = _fault_of(name, member)
        if not fault and name in members:
            fault = "occurs twice"
        if fault:
            raise UserError(
                f"{zip_path} holds a member that {fault} ({name!r}), so nothing of it was "
                "unpacked: download it again from its publisher"
            )
        if not name.endswith("/") and not any(part in LITTER for part in name.split("/")):
            members[name] = member
    if not members:
        raise UserError(f"{zip_path} holds no files: download it again")
    return members


def _fault_of(name: str, member: zipfile.ZipInfo) -> str:
    mode = member.external_attr >> 16
    if name.startswith("/") or "\\" in name or ":" in name.split("/")[0]:
        return "has an absolute or foreign path"
    if ".." in name.split("/"):
        return "leads out of the folder"
    if not name.strip("/") or any(ord(character) < 32 for character in name):
        return "has no proper name"
    if stat.S_IFMT(mode) not in (0, stat.S_IFREG, stat.S_IFDIR):
        return "is a link or a device"
    return ""


def _without_common_folder(members: Dict[str, zipfile.ZipInfo]) -> Dict[str, zipfile.ZipInfo]:
    tops = {name.split("/")[0] for name in members}
    if len(tops) == 1 and all("/" in name for name in members):
        return {name.split("/", 1)[1]: member for name, member in members.items()}
    return members


def _extract(archive: zipfile.ZipFile, members: Dict[str, zipfile.ZipInfo], folder: str) -> None:
    with CompleteFolder(folder) as unfinished:
        for name, member in members.items():
            path = os.path.join(unfinished, *name.split("/"))
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with archive.open(member) as source, open(path, "xb") as target:
                shutil.copyfileobj(source, target, 1 << 20)
