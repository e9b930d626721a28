"""Names by which clients address the service, and pages that ask it."""

import pytest

pytest.importorskip("fastapi", reason="needs requirements/serve.txt")

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException

from albert.base.errors import UsageError
from albert.serving.hosts import allowed_hosts

LOCAL = allowed_hosts(None, "127.0.0.1", is_local=True)
OPEN = allowed_hosts("Albert.Example, second.example.", "0.0.0.0", is_local=False)
ALL = allowed_hosts("*", "0.0.0.0", is_local=False)


def status(hosts, *headers, is_host_needed=True, is_origin_checked=True):
    """Status of the refusal, 200 where there is none, and the sentence."""
    raw = [(name.encode("ascii"), value.encode("latin-1")) for name, value in headers]
    try:
        hosts.check(Headers(raw=raw), is_host_needed=is_host_needed, is_origin_checked=is_origin_checked)
    except HTTPException as error:
        assert "\n" not in error.detail
        return error.status_code
    return 200


@pytest.mark.parametrize("port", ["", ":8000"])
@pytest.mark.parametrize(
    "host,local,open_,all_",
    [
        ("localhost", 200, 200, 200),
        ("LocalHost.", 200, 200, 200),
        ("127.0.0.1", 200, 200, 200),
        ("127.3.4.5", 200, 200, 200),
        ("[::1]", 200, 200, 200),
        ("192.168.1.7", 421, 200, 200),
        ("[2001:db8::7]", 421, 200, 200),
        ("albert.example", 421, 200, 200),
        ("SECOND.example", 421, 200, 200),
        ("evil.example", 421, 421, 200),
        ("localhost.evil.example", 421, 421, 200),
        ("127.0.0.1.evil.example", 421, 421, 200),
        ("localhost@evil.example", 421, 421, 200),
        ("evil.example/localhost", 421, 421, 200),
        ("évil\n", 421, 421, 200),
        ("", 421, 421, 200),
    ],
)
def test_only_allowed_names_are_served(host, port, local, open_, all_):
    for hosts, expected in ((LOCAL, local), (OPEN, open_), (ALL, all_)):
        assert status(hosts, ("host", host + port)) == expected


def test_one_host_is_needed_where_http_demands_it():
    for hosts in (LOCAL, ALL):
        assert status(hosts) == 400
        assert status(hosts, is_host_needed=False) == 200
        assert status(hosts, ("host", "localhost"), ("host", "localhost")) == 400


@pytest.mark.parametrize(
    "hosts,host,origin,expected",
    [
        (LOCAL, "localhost:8000", "http://localhost:8000", 200),
        (LOCAL, "localhost:8000", "http://LOCALHOST:8000", 200),
        (LOCAL, "localhost:8000", "http://localhost:3000", 403),
        (LOCAL, "localhost:8000", "http://localhost", 403),
        (LOCAL, "localhost:8000", "null", 403),
        (LOCAL, "localhost:8000", "file://", 403),
        (LOCAL, "localhost:8000", "https://evil.example", 403),
        (LOCAL, "localhost:8000", "http://evil.example#localhost:8000", 403),
        (OPEN, "127.0.0.1:8000", "https://albert.example", 200),  # by a proxy that tells its own address
        (OPEN, "albert.example", "https://albert.example:8443", 200),
        (OPEN, "192.168.1.7:8000", "http://192.168.1.7:8000", 200),
        (OPEN, "192.168.1.7:8000", "http://192.168.1.8:8000", 403),
        (ALL, "any.example", "https://any.example", 200),
        (ALL, "any.example", "https://evil.example", 403),
    ],
)
def test_only_own_pages_may_ask(hosts, host, origin, expected):
    headers = ("host", host), ("origin", origin)
    assert status(hosts, *headers) == expected
    assert status(hosts, *headers, is_origin_checked=False) == 200


def test_names_are_listed_in_messages():
    assert LOCAL.described() == "localhost, 127.0.0.1"
    assert OPEN.described() == "localhost, 0.0.0.0, albert.example, second.example, all IP addresses"
    assert ALL.described() == "all"
    assert allowed_hosts("", "::1", is_local=True).described() == "localhost, ::1"


@pytest.mark.parametrize("listed", ["a.example:8000", "http://a.example", "a b", "ok,user@a"])
def test_what_is_no_name_is_refused(listed):
    with pytest.raises(UsageError, match="--allowed_hosts: '.*' is not a host name: give names without ports"):
        allowed_hosts(listed, "127.0.0.1", is_local=True)
