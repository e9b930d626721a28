"""Unpacking: extracts a downloaded zip archive that may be damaged or malicious.

All that can be known from the archive's list is checked before anything is written: names, kinds, how many members
there are, how much they unpack to, and whether the disk has room for it. Permissions in the archive are not taken over.
"""

from __future__ import annotations

import contextlib
import os
import posixpath
import shutil
import stat
import unicodedata
import zipfile
import zlib
from typing import Dict, Iterator, List, Set

from albert.base.errors import UserError
from albert.files.complete import CompleteFolder
from albert.files.space import free_bytes, size_text

# The Finder of macOS adds these to every archive.
LITTER = ("__MACOSX", ".DS_Store")

_MOST_MEMBERS = 10000  # a published archive has 20 at most
_MOST_RATIO = 100  # unpacked to packed bytes; weights reach 1.2, text 5
_BYTES_BEFORE_RATIO = 64 << 20  # unpacked bytes from which on the ratio counts
# Controls, characters that turn the direction of a text or have no glyph, halves of surrogate pairs, line separators.
_UNSHOWN = ("Cc", "Cf", "Cs", "Zl", "Zp")


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
    with _opened(zip_path, "cannot be unpacked into {}".format(folder)) as archive:
        members = _without_common_folder(_checked_members(archive, zip_path))
        _refuse_without_room(members, zip_path, folder)
        _extract(archive, members, folder)
    return sorted(members)


def check_zip(zip_path: str) -> None:
    """Checks that a zip archive is whole and harmless; writes nothing.

    Raises:
      UserError: it is no zip archive, is cut off or damaged, or `unpack_zip` would refuse it.
    """
    with _opened(zip_path, "cannot be read") as archive:
        for member in _checked_members(archive, zip_path).values():
            with archive.open(member) as source:
                while source.read(1 << 20):  # raises where the checksum is wrong
                    pass


@contextlib.contextmanager
def _opened(zip_path: str, failure: str) -> Iterator[zipfile.ZipFile]:
    """Opens an archive; explains what goes wrong while it is read."""
    try:
        with zipfile.ZipFile(zip_path) as archive:
            yield archive
    except (zipfile.BadZipFile, EOFError, zlib.error) as error:
        raise UserError(
            f"{zip_path} is not a complete zip archive ({error}): remove it and download it again"
        ) from error
    except (RuntimeError, ValueError, OverflowError) as error:  # of encrypted, exotic or inconsistent members
        raise UserError(f"{zip_path} cannot be unpacked ({error}): download it again") from error
    except OSError as error:
        raise UserError(
            f"{zip_path} {failure} ({error.strerror or error}): "
            "check the path, the free space and your right to write there"
        ) from error


def _refuse_occupied(folder: str) -> None:
    if os.path.islink(folder) or (os.path.exists(folder) and not (os.path.isdir(folder) and not os.listdir(folder))):
        raise UserError(f"{folder} exists already and would have to be replaced: move it away or name another folder")


def _checked_members(archive: zipfile.ZipFile, zip_path: str) -> Dict[str, zipfile.ZipInfo]:
    """Path within the archive → member, for files only, every one of them harmless."""
    _refuse_flood(archive, zip_path)
    members: Dict[str, zipfile.ZipInfo] = {}
    taken: Set[str] = set()
    for member in archive.infolist():
        # ZipInfo.filename may have lost what follows a NUL; the original name has not.
        name = member.orig_filename
        fault = _fault_of(name, member)
        if not fault and not name.endswith("/"):
            fault = "has the name of another, but for case or the form of its characters" if _key(name) in taken else ""
            fault = "occurs twice" if name in members else fault
            taken.add(_key(name))
        if fault:
            raise UserError(
                f"{zip_path} holds a member that {fault} ({ascii(name)}), so nothing of it was "
                "unpacked: download it again from its publisher"
            )
        if not name.endswith("/") and not any(part in LITTER for part in name.split("/")):
            members[name] = member
    if not members:
        raise UserError(f"{zip_path} holds no files: download it again")
    return members


def _refuse_flood(archive: zipfile.ZipFile, zip_path: str) -> None:
    """Refuses an archive made to fill a disk: very many members, or very many bytes out of few."""
    members = archive.infolist()
    if len(members) > _MOST_MEMBERS:
        raise UserError(
            f"{zip_path} holds {len(members):,} files, over {_MOST_MEMBERS:,}, so nothing of it was unpacked: download "
            "it again from its publisher"
        )
    num_bytes, packed = sum(member.file_size for member in members), os.path.getsize(zip_path)
    if num_bytes > max(_BYTES_BEFORE_RATIO, _MOST_RATIO * packed):
        raise UserError(
            f"{zip_path} would unpack to {size_text(num_bytes)} from {size_text(packed)}, over {_MOST_RATIO} times its "
            "size, so nothing of it was unpacked: download it again from its publisher"
        )


def _refuse_without_room(members: Dict[str, zipfile.ZipInfo], zip_path: str, folder: str) -> None:
    needed, free = sum(member.file_size for member in members.values()), free_bytes(folder)
    if free is not None and needed > free:
        raise UserError(
            f"{zip_path} unpacks to {size_text(needed)}, and the disk of {folder} has {size_text(free)} free: make "
            "room or name another folder; nothing was written"
        )


def _key(name: str) -> str:
    """What two names share that are one on a disk which ignores case or the form of characters."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", posixpath.normpath(name)).casefold())


def _fault_of(name: str, member: zipfile.ZipInfo) -> str:
    mode = member.external_attr >> 16
    if name.startswith("/") or "\\" in name or ":" in name.split("/")[0]:
        return "has an absolute or foreign path"
    if ".." in name.split("/"):
        return "leads out of the folder"
    if posixpath.normpath(name) in ("", ".") and not name.endswith("/"):
        return "has no proper name"
    if not name.strip("/") or any(unicodedata.category(character) in _UNSHOWN for character in name):
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
