"""What the board answers: its page, the list of sweeps, and a sweep."""

from __future__ import annotations

import asyncio
import json
import logging
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from starlette.applications import Starlette
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from caviar.board.guard import Guard, answer
from caviar.errors import CaviarError, NotFoundError, SpecError, StoreError

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from starlette.requests import Request
    from starlette.types import ASGIApp

T = TypeVar("T")

READERS = 4
"""Threads that read the store at the same time."""
MOST_ASKED = 64 * 1024
EXAMPLE = '{"act": "edit", "set": {"lr": "*0.5"}, "why": "plateau"}, or {"act": "note", "note": "…"}'

_log = logging.getLogger(__name__)


class Feed(Protocol):
    """Where answers come from; its methods read the store, are called in threads, and may take long."""

    def sweeps(self, boot: str, since: int) -> dict[str, Any] | None:
        """The list of sweeps; None: nothing has changed since."""
        ...

    def sweep(self, sweep: str, boot: str, since: int) -> bytes | None:
        """A payload of a sweep; None: nothing has changed since. NotFoundError: there is no such sweep."""
        ...


@dataclass(frozen=True, kw_only=True)
class Acts:
    """What a page may do to trials; both are called in threads, and may take long."""

    form: Callable[[str, int], dict[str, Any]]
    """Sweep and number → what somebody needs to know who is to act on that trial."""
    act: Callable[[str, int, dict[str, Any]], dict[str, Any]]
    """Does what a page asks for to a trial, and says what was done."""


def application(page: str, feed: Feed, token: str, acts: Acts | None = None) -> ASGIApp:
    """The board as an ASGI application.

    Args:
        page: The HTML of its page.
        feed: Where answers come from.
        token: Whoever reads data has to show it.
        acts: On trials; None: nothing can be changed.
    """
    in_thread = _Threads(READERS)

    async def index(_request: Request) -> Response:
        return HTMLResponse(page)

    async def sweeps(request: Request) -> Response:
        found = await in_thread(lambda: feed.sweeps(*_known(request)))
        return Response(status_code=204) if found is None else JSONResponse(found)

    async def sweep(request: Request) -> Response:
        its = request.path_params["sweep"]
        found = await in_thread(lambda: feed.sweep(its, *_known(request)))
        if found is None:
            return Response(status_code=204)
        return Response(found, media_type="application/octet-stream")

    routes = {"/": index, "/api/sweeps": sweeps, "/api/sweeps/{sweep}": sweep}
    of_trial = [] if acts is None else [_of_trial(acts, in_thread)]
    inner = Starlette(
        routes=[*(Route(path, _told(handler)) for path, handler in routes.items()), *of_trial],
        exception_handlers={404: _no_page, 405: _no_act},
    )
    inner.router.redirect_slashes = False
    return Guard(inner, token, edits=acts is not None)


def _of_trial(acts: Acts, in_thread: _Threads) -> Route:
    """Where a page asks of a trial, and asks for acts on it."""

    async def trial(request: Request) -> Response:
        sweep, number = request.path_params["sweep"], request.path_params["trial"]
        if request.method != "POST":
            return JSONResponse(await in_thread(lambda: acts.form(sweep, number)))
        asked = await _asked(request)
        if asked is None:
            return answer(400, f"an act is a JSON object of at most {MOST_ASKED:,} bytes, such as {EXAMPLE}")
        try:
            return JSONResponse(await in_thread(lambda: acts.act(sweep, number, asked)))
        except SpecError as error:
            return answer(400, str(error))
        except (NotFoundError, StoreError):
            raise
        except CaviarError as error:  # it was not accepted
            return answer(409, str(error))

    return Route("/api/sweeps/{sweep}/trials/{trial:int}", _told(trial), methods=["GET", "POST"])


async def _asked(request: Request) -> dict[str, Any] | None:
    """The JSON object that a page sent; None: it is none, or too large."""
    data = b""
    async for piece in request.stream():
        data += piece
        if len(data) > MOST_ASKED:
            return None
    try:
        found = json.loads(data)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


async def _no_page(_request: Request, _error: Exception) -> Response:
    return answer(404, "the board has no such page: open / for the list of sweeps")


async def _no_act(_request: Request, _error: Exception) -> Response:
    return answer(405, "nothing can be changed there")


def _known(request: Request) -> tuple[str, int]:
    """Which board's answer the page has, and of which version; one that it cannot have is none."""
    since = request.query_params.get("since", "")
    return request.query_params.get("boot", ""), int(since) if since.isdecimal() and len(since) < 16 else -1


def _told(handler: Callable[[Request], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
    """The same handler; what goes wrong in it is a sentence."""

    async def answered(request: Request) -> Response:
        try:
            return await handler(request)
        except NotFoundError as error:
            return answer(404, str(error))
        except (CaviarError, OSError) as error:
            return answer(503, str(error))
        except Exception as error:
            _log.warning("an answer of the board failed: unexpected %s: %s", type(error).__name__, error)
            return answer(500, f"the board failed: unexpected {type(error).__name__}; its terminal says more")

    return answered


class _Threads:
    """Runs functions beside the event loop, a few at a time; the process's end waits for none, as a disk may hang."""

    def __init__(self, most: int) -> None:
        self._free = asyncio.Semaphore(most)

    async def __call__(self, function: Callable[[], T]) -> T:
        """Return what the function returns, or raise what it raises."""
        async with self._free:
            loop = asyncio.get_running_loop()
            done: asyncio.Future[T] = loop.create_future()

            def run() -> None:
                try:
                    found = function()
                except BaseException as error:
                    settle(done.set_exception, error)
                else:
                    settle(done.set_result, found)

            def settle(how: Callable[[Any], None], value: object) -> None:
                with suppress(RuntimeError):  # the board has ended
                    loop.call_soon_threadsafe(lambda: None if done.done() else how(value))

            threading.Thread(target=run, name="board reader", daemon=True).start()
            return await done
