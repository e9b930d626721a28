"""Hosts and origins: the names by which clients may address the service, and the pages that may ask it.

A web page whose own name is turned to 127.0.0.1 (DNS rebinding) sends that name as the Host. An address in the place of
a name cannot be turned, so a service that others reach admits all of them.
"""

from __future__ import annotations

import ipaddress
import re
from typing import FrozenSet, NamedTuple, Optional, Sequence

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException

from albert.base.errors import UsageError
from albert.base.sentences import Sentence

ANY = "*"
_LOCALHOST = "localhost"
_NAME = re.compile(r"[^\s:/@\[\]]+|\[?[0-9a-f:.]+\]?")
_HOST = re.compile(r"(\[[0-9a-f:.]+\]|[^\s:/@\[\]]+)(?::[0-9]{1,5})?", re.IGNORECASE)
_ORIGIN = re.compile(r"https?://(.+)", re.IGNORECASE)


class AllowedHosts(NamedTuple):
    """Names by which clients may address the service.

    Attributes:
      names: in lower case, without ports; `ANY` allows all.
      are_addresses_allowed: whether every IP address is allowed, not only those of the loopback interface.
    """

    names: FrozenSet[str] = frozenset()
    are_addresses_allowed: bool = False

    def check(self, headers: Headers, *, is_host_needed: bool, is_origin_checked: bool) -> None:
        """Checks the Host and the Origin of a request.

        Args:
          headers: of the request.
          is_host_needed: whether its version of HTTP demands a Host.
          is_origin_checked: whether pages of other origins are refused.

        Raises:
          HTTPException: 400 without one Host, 421 for a name that is not allowed, 403 for another page's request.
        """
        hosts = headers.getlist("host")
        if len(hosts) > 1 or (is_host_needed and not hosts):
            raise HTTPException(400, "the request must have one header 'Host'")
        for host in hosts:
            if not self._allows(host):
                raise HTTPException(
                    421,
                    Sentence(
                        "this service does not answer by the name {}: --allowed_hosts lists the names by which it does",
                        _shown(host),
                    ),
                )
        for origin in headers.getlist("origin") if is_origin_checked else ():
            if not self._allows_page(origin, hosts):
                raise HTTPException(
                    403,
                    Sentence(
                        "pages of {} may not ask this service: --allowed_hosts lists the names whose pages may",
                        _shown(origin),
                    ),
                )

    def described(self) -> str:
        """Lists the allowed names for a message."""
        if ANY in self.names:
            return "all"
        return ", ".join(
            [_LOCALHOST, *sorted(self.names), *(["all IP addresses"] if self.are_addresses_allowed else [])]
        )

    def _allows(self, host: str) -> bool:
        name = _name_of(host)
        if ANY in self.names:
            return True
        return name is not None and (name in self.names or name == _LOCALHOST or self._allows_address(name))

    def _allows_address(self, name: str) -> bool:
        try:
            address = ipaddress.ip_address(name)
        except ValueError:
            return False
        return self.are_addresses_allowed or address.is_loopback

    def _allows_page(self, origin: str, hosts: Sequence[str]) -> bool:
        found = _ORIGIN.fullmatch(origin)
        if found is None:  # "null": a file, or a page in a sandbox
            return False
        host = found.group(1).lower()
        return host in [name.lower() for name in hosts] or _name_of(host) in self.names


def allowed_hosts(listed: Optional[str], host: str, is_local: bool) -> AllowedHosts:
    """Makes the allowed hosts of a service.

    Args:
      listed: names, separated by commas; `ANY` allows all.
      host: the address on which it listens, as it was given.
      is_local: whether only this machine reaches it.

    Raises:
      UsageError: one of the names cannot be a name.
    """
    names = [_plain(name) for name in (listed or "").split(",") if name.strip()]
    for name in names:
        if not _NAME.fullmatch(name):
            raise UsageError(
                "--allowed_hosts: '{}' is not a host name: give names without ports, separated by commas".format(name)
            )
    return AllowedHosts(frozenset([*names, _plain(host)]), are_addresses_allowed=not is_local)


def _name_of(host: str) -> Optional[str]:
    found = _HOST.fullmatch(host)
    return _plain(found.group(1)) if found else None


def _plain(name: str) -> str:
    return name.strip().lower().rstrip(".").strip("[]")


def _shown(value: str) -> str:
    return "'{}'".format(value[:100].encode("unicode_escape").decode("ascii"))
