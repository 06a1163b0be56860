"""A page in a browser, and all that it did which none of our pages may do."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Browser, BrowserContext, Page

TELL_VIOLATIONS = """
addEventListener('securitypolicyviolation', event => tellFault(
    `policy: ${event.violatedDirective} forbids ${event.blockedURI} ${event.sample}`));
"""
"""Runs in every frame before the page's own scripts."""


class Watched:
    """A page, and its faults: errors of scripts, violations of its policy, requests, dialogs, windows.

    Contract. A request is a fault unless its address begins with one of `allowed`. What a page did may be told a moment
    later: `faults` waits for what is under way.
    """

    def __init__(self, browser: Browser, allowed: tuple[str, ...] = (), **context: Any) -> None:
        """Open an empty page.

        Args:
            browser: Of Playwright.
            allowed: Beginnings of the addresses that it may ask for.
            **context: Options of Playwright's `new_context`, such as `color_scheme="dark"`.
        """
        self._found: list[str] = []
        self.allowed = allowed
        self.context: BrowserContext = browser.new_context(**context)
        self.context.expose_function("tellFault", self._violated)
        self.context.add_init_script(TELL_VIOLATIONS)
        self.context.on("request", lambda request: self._asked(request.url))
        self.page: Page = self.context.new_page()
        self.context.on("page", lambda _: self._found.append("window: a second one was opened"))
        self.page.on("console", lambda message: self._told(message.type, message.text))
        self.page.on("pageerror", lambda error: self._found.append(f"script: {error}"))
        self.page.on("crash", lambda _: self._found.append("crash: the page's process died"))
        self.page.on("dialog", lambda dialog: (self._found.append(f"dialog: {dialog.message}"), dialog.dismiss()))
        self.page.on("websocket", lambda socket: self._asked(socket.url))

    def _violated(self, fault: str) -> None:
        self._found.append(fault)

    def _asked(self, url: str) -> None:
        if not url.startswith((*self.allowed, "about:", "data:", "blob:")):
            self._found.append(f"request: {url[:200]}")

    def _told(self, kind: str, text: str) -> None:
        if kind == "error":
            self._found.append(f"console: {text}")

    def open(self, url: str) -> Page:
        """Load a page, which may ask for itself."""
        self.allowed = (*self.allowed, url.partition("#")[0])
        self.page.goto(url)
        return self.page

    def until(self, condition: str, argument: Any = None, seconds: float = 20) -> Any:
        """Wait until a JavaScript expression, or a function of the argument, is truthy, and return it.

        Playwright's `wait_for_function` would evaluate a string within the page, which our policies forbid.
        """
        return until(lambda: self.page.evaluate(condition, argument), self.page, condition, seconds)

    def faults(self) -> list[str]:
        """What was found since this was last asked."""
        self.page.wait_for_timeout(50)
        found, self._found[:] = list(self._found), []
        return found


def until(ask: Callable[[], Any], page: Page, what: str, seconds: float = 20) -> Any:
    """Ask again and again, while the page lives on, and return the first answer that is truthy."""
    end = time.monotonic() + seconds
    while not (answer := ask()):
        if time.monotonic() > end:
            raise TimeoutError(f"not within {seconds} s: {what}")
        page.wait_for_timeout(20)
    return answer
