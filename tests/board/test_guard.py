"""Which requests the board refuses, as a function of what they say."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caviar.board.guard import LONGEST, refusal

TOKEN = "a" * 43
HOST, ASKED = (b"host", b"127.0.0.1:8642"), (b"authorization", f"Bearer {TOKEN}".encode())


def status(*headers, method="GET", path="/api/sweeps", query=b""):
    refused = refusal(method, path, query, headers, TOKEN)
    return None if refused is None else refused[0]


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "127.0.0.1:8642", "127.0.0.1:1", "localhost:9000", "LOCALHOST", "[::1]", "[::1]:8642"]
)
def test_it_answers_to_names_of_this_computer_at_any_port(host):
    """For the other end of a tunnel may have another one."""
    assert status((b"host", host.encode()), ASKED) is None


@pytest.mark.parametrize(
    "host",
    [
        "",
        "evil.example",
        "evil.example:8642",
        "127.0.0.1.evil.example",
        "localhost.evil.example",
        "evil.example#localhost",
        "localhost@evil.example",
        "127.0.0.1:8642:1",
        "127.0.0.1:",
        "127.0.0.1:port",
        "127.0.0.1\n",
        "127.0.0.2",
        "0.0.0.0:8642",
        "2130706433",
        "0x7f.1",
        "::1",
        "[::1",
        "[::ffff:127.0.0.1]",
        "[::2]:8642",
        "xlocalhost",
        "localhost.",
    ],
)
def test_a_page_elsewhere_may_have_its_own_name_resolve_to_here(host):
    assert status((b"host", host.encode()), ASKED) == 400


def test_without_a_host_or_with_two_it_is_refused():
    assert status(ASKED) == 400
    assert status(HOST, HOST, ASKED) == 400


@given(st.text(max_size=40))
def test_any_other_host_is_refused(host):
    name = host.encode("utf-8", "replace")
    known = host.casefold() in {"localhost", "127.0.0.1", "[::1]"}
    assert (status((b"host", name), ASKED) is None) == known


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "", "https://127.0.0.1:8642", "http://127.0.0.1:9"])
def test_another_page_may_not_ask(origin):
    assert status(HOST, ASKED, (b"origin", origin.encode())) == 403


def test_the_boards_own_page_may():
    assert status(HOST, ASKED, (b"origin", b"http://127.0.0.1:8642")) is None
    assert status(HOST, ASKED, (b"origin", b"http://127.0.0.1:8642"), (b"origin", b"http://evil")) == 403


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "HEAD", "OPTIONS", "TRACE", "PATCH", "get", "X"])
def test_it_can_only_be_read(method):
    assert status(HOST, ASKED, method=method) == 405
    assert status(HOST, method=method, path="/") == 405


@pytest.mark.parametrize(
    "given_token",
    [
        b"",
        b"Bearer",
        b"Bearer ",
        TOKEN.encode(),
        b"Basic " + TOKEN.encode(),
        b"Bearer " + TOKEN[:-1].encode(),
        b"Bearer " + TOKEN.encode() + b"a",
        b"Bearer " + TOKEN.upper().encode(),
        b"Bearer \xff" + TOKEN.encode(),
        b"Bearer a a",
    ],
)
def test_another_token_than_the_boards_opens_nothing(given_token):
    assert status(HOST, (b"authorization", given_token)) == 401


def test_a_token_elsewhere_than_in_its_header_opens_nothing():
    assert status(HOST, query=f"token={TOKEN}".encode()) == 401
    assert status(HOST, (b"cookie", f"token={TOKEN}".encode())) == 401
    assert status(HOST, ASKED, ASKED) == 401


def test_the_page_needs_none_for_it_holds_no_data():
    assert status(HOST, path="/") is None
    assert status(HOST, path="//") == 401
    assert status(HOST, path="/api") == 401


def test_a_long_address_is_refused():
    assert status(HOST, ASKED, path="/" + "a" * LONGEST) == 414
    assert status(HOST, ASKED, query=b"a" * LONGEST) == 414
