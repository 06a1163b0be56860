"""What the board answers: its page, the list of sweeps, and a sweep."""

from __future__ import annotations

import asyncio
import logging
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from starlette.applications import Starlette
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from caviar.board.guard import Guard, answer
from caviar.errors import CaviarError, NotFoundError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.requests import Request
    from starlette.types import ASGIApp

T = TypeVar("T")

READERS = 4
"""Threads that read the store at the same time."""

_log = logging.getLogger(__name__)


class Feed(Protocol):
    """Where answers come from; its methods read the store, are called in threads, and may take long."""

    def sweeps(self, boot: str, since: int) -> dict[str, Any] | None:
        """The list of sweeps; None: nothing has changed since."""
        ...

    def sweep(self, sweep: str, boot: str, since: int) -> bytes | None:
        """A payload of a sweep; None: nothing has changed since. NotFoundError: there is no such sweep."""
        ...


def application(page: str, feed: Feed, token: str) -> ASGIApp:
    """The board as an ASGI application.

    Args:
        page: The HTML of its page.
        feed: Where answers come from.
        token: Whoever reads data has to show it.
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
    inner = Starlette(
        routes=[Route(path, _told(handler)) for path, handler in routes.items()],
        exception_handlers={404: _no_page},
    )
    inner.router.redirect_slashes = False
    return Guard(inner, token)


async def _no_page(_request: Request, _error: Exception) -> Response:
    return answer(404, "the board has no such page: open / for the list of sweeps")


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
