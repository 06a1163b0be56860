"""Who may ask the board what: the answers that it gives before anything is looked at.

The board is for one user at one computer, whose browser visits other pages too, and which other users share. So it
answers to names of this computer alone (a page elsewhere may have its own name resolve to 127.0.0.1), to no request
that another page's script sends, to reading only, and to none without the token, which no other user can read. Browsers
keep cookies by address and not by port, so the token is none: it comes in a header that only the board's page sets.
A board that was started with --edit takes acts on trials too, as JSON, which no form of another page can send.
"""

from __future__ import annotations

import re
import secrets
from typing import TYPE_CHECKING

from starlette.responses import JSONResponse

from caviar.display.page import policy

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.types import ASGIApp, Receive, Scope, Send

    Headers = Sequence[tuple[bytes, bytes]]

LONGEST = 2_000
"""Bytes of a path with its query."""
JSON = "application/json"
OPEN = "/"
"""The page itself, which holds no data."""

ANSWER_HEADERS = {
    "Cache-Control": "no-store",
    "Connection": "close",  # so that who asks slowly, or for nothing, keeps no connection
    "Content-Security-Policy": f"{policy(board=True)}; frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
"""Of every answer."""

_HERE = re.compile(r"(localhost|127\.0\.0\.1|\[::1\])(:[0-9]{1,5})?", re.IGNORECASE)


def refusal(
    method: str, path: str, query: bytes, headers: Headers, token: str, *, edits: bool = False
) -> tuple[int, str] | None:
    """Status and sentence where a request is refused; None: it is answered.

    Args:
        method: Such as `GET`.
        path: Decoded.
        query: What stands behind its question mark.
        headers: Names in lower case, and values.
        token: Whoever reads data has to show it.
        edits: Whether something may be changed.
    """
    hosts, elsewhere = _values(headers, b"host"), "another page may not ask the board"
    host = hosts[0] if len(hosts) == 1 else ""
    reads, acts = method == "GET", method == "POST" and path.startswith("/api/")
    sites = [] if reads else _values(headers, b"sec-fetch-site")  # a link to the page comes from anywhere
    kinds = [one.partition(";")[0].strip().casefold() for one in _values(headers, b"content-type")]
    only_read = "the board can be read only: use GET" + ("; caviar board --edit takes acts on trials" if acts else "")
    checks = (
        (
            not _HERE.fullmatch(host),
            400,
            "the board answers as 127.0.0.1 and localhost only: open the link that caviar board printed",
        ),
        (len(path) + len(query) > LONGEST, 414, f"an address of the board has at most {LONGEST:,} characters"),
        (any(one.casefold() != f"http://{host}".casefold() for one in _values(headers, b"origin")), 403, elsewhere),
        (any(one not in ("same-origin", "none") for one in sites), 403, elsewhere),
        (not reads and not (acts and edits), 405, only_read),
        (
            path != OPEN and not _shown(headers, token),
            401,
            "the board wants its token: type caviar board, and open the link that it prints",
        ),
        (acts and kinds != [JSON], 415, f"an act on a trial is sent as {JSON}"),
    )
    return next(((status, sentence) for refused, status, sentence in checks if refused), None)


def _values(headers: Headers, name: bytes) -> list[str]:
    return [value.decode("latin-1") for key, value in headers if key == name]


def _shown(headers: Headers, token: str) -> bool:
    """Whether the token is in the one header that it belongs to; how long that takes tells nothing of it."""
    given = _values(headers, b"authorization")
    scheme, _, value = given[0].partition(" ") if len(given) == 1 else ("", "", "")
    right = secrets.compare_digest(value.strip().encode(), token.encode())
    return right and scheme.casefold() == "bearer"


def answer(status: int, sentence: str) -> JSONResponse:
    """A refusal, or an error, as JSON."""
    more = {401: {"WWW-Authenticate": "Bearer"}, 405: {"Allow": "GET"}}.get(status)
    return JSONResponse({"error": sentence}, status_code=status, headers=more)


class Guard:
    """Hands on to the application what `refusal` lets pass."""

    def __init__(self, app: ASGIApp, token: str, *, edits: bool = False) -> None:
        self._app = app
        self._token = token
        self._edits = edits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request; anything else, such as a web socket, there is none."""
        if scope["type"] != "http":
            raise RuntimeError("the board speaks HTTP only")
        refused = refusal(
            scope["method"], scope["path"], scope["query_string"], scope["headers"], self._token, edits=self._edits
        )
        await (self._app if refused is None else answer(*refused))(scope, receive, send)
