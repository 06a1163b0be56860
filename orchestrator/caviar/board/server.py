"""The board's server: where it listens, what it answers, and its end."""

from __future__ import annotations

import errno
import getpass
import logging
import os
import platform
import socket
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from caviar.board.app import application
from caviar.board.guard import ANSWER_HEADERS
from caviar.board.store_feed import StoreFeed
from caviar.board.token_file import read_token, token_path
from caviar.display.page import board_html
from caviar.errors import SpecError

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Iterator

    from starlette.types import ASGIApp

    from caviar.board.app import Acts
    from caviar.store import Store

HOST = "127.0.0.1"
PORT = 8642
"""The usual one, so that a page finds the board again after a restart."""
FURTHER = 20
"""Ports after it that are tried when it is taken."""
REQUEST_S, ANSWER_S = 20.0, 300.0
"""Seconds within which a request has to be there, and its answer has to be taken."""
MOST_CONNECTIONS = 100
"""At a time: each answer ends its own."""
ANSWERED_S = 2
"""Seconds that answers have to be delivered in once the board is to end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardDocument:
    """Where a board is.

    Attributes:
        store: the store that it shows.
        link: what to open in a browser; whoever has it can read the store as long as the board runs.
        port: on 127.0.0.1.
        tunnel: what to type on another computer before the same link works there; None: this terminal is a local one.
    """

    store: str
    link: str
    port: int
    tunnel: str | None


def board_document(store: str, port: int, token: str) -> BoardDocument:
    """Where a board is that listens on a port."""
    return BoardDocument(store=store, link=f"http://{HOST}:{port}/#token={token}", port=port, tunnel=_tunnel(port))


def _tunnel(port: int) -> str | None:
    """Who sits elsewhere came by ssh, and the same way leads to the board."""
    if not os.environ.get("SSH_CONNECTION"):
        return None
    try:
        user = f"{getpass.getuser()}@"
    except (KeyError, OSError):  # without a name, as in a container
        user = ""
    return f"ssh -N -L {port}:{HOST}:{port} {user}{platform.node()}"


def listen(port: int | None) -> socket.socket:
    """A socket that listens on this computer's own address.

    Args:
        port: That one; None: the usual one, or the first free one of those after it. 0: any.

    Raises:
        SpecError: It is taken, or may not be listened on.
    """
    wanted = range(PORT, PORT + FURTHER + 1) if port is None else [port]
    for one in wanted:
        try:
            return _listening(one)
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise SpecError(
                    f"the board cannot listen on port {one}: {error.strerror or error}; name another one with --port"
                ) from error
    if port is None:
        raise SpecError(
            f"the ports {wanted[0]} to {wanted[-1]} are all taken: type caviar board --port 0, for any other"
        )
    with _listening(0) as free:
        raise SpecError(f"port {port} is taken: type caviar board --port {free.getsockname()[1]}, which is free")


def _listening(port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # what is left of old connections is in no way
        listener.bind((HOST, port))
        listener.listen(128)  # here, for only now another process can take it no more
    except BaseException:
        listener.close()
        raise
    return listener


class Hurried(H11Protocol):
    """HTTP as uvicorn speaks it, but other users of the computer cannot have it keep files open and memory for them:
    whoever asks nothing, or takes no answer, is left in time.
    """

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """Give the client its time."""
        super().connection_made(transport)
        if len(self.connections) > MOST_CONNECTIONS:
            transport.abort()
        later = self.loop.call_later
        self._deadlines = later(REQUEST_S, self._leave), later(ANSWER_S, transport.abort)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the client."""
        for deadline in self._deadlines:
            deadline.cancel()
        super().connection_lost(exc)

    def _leave(self) -> None:
        if self.cycle is None:  # no request has come
            self.transport.close()


@contextmanager
def serving(
    store: Store, place: str, listener: socket.socket, *, new_token: bool = False, acts: Acts | None = None
) -> Iterator[tuple[BoardDocument, threading.Event]]:
    """Show a store within the block, in a thread: the main thread hears signals, as of all verbs.

    Args:
        store: The store.
        place: As its user calls it.
        listener: From `listen`.
        new_token: Whether links that were given out before are to open nothing more.
        acts: On trials; None: nothing can be changed.

    Yields:
        Where the board is; and what is set when the thread ends, which by itself it does only where serving failed. (To
        wait for the thread itself, and be interrupted, makes Python 3.11 take it for one that has ended.)
    """
    token = read_token(token_path(store.path), new=new_token)
    feed = StoreFeed(store, place)
    server = uvicorn.Server(_config(application(board_html(place, edits=acts is not None), feed, token, acts)))
    ended = threading.Event()

    def serve() -> None:
        try:
            server.run([listener])
        finally:
            ended.set()

    threading.Thread(target=serve, name="board", daemon=True).start()
    try:
        yield board_document(place, listener.getsockname()[1], token), ended
    finally:
        server.should_exit = True
        ended.wait(2 * ANSWERED_S)


def _config(app: ASGIApp) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http=Hurried,
        ws="none",
        loop="asyncio",
        lifespan="off",
        interface="asgi3",
        log_config=None,
        log_level=logging.CRITICAL + 1,  # what fails is told by the application, and addresses by nobody
        access_log=False,
        proxy_headers=False,
        server_header=False,
        headers=list(ANSWER_HEADERS.items()),
        timeout_graceful_shutdown=ANSWERED_S,
    )
