"""Headless Chromium, driven by Playwright, and pages in it that are watched."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

import pytest
from playwright.sync_api import Browser, sync_playwright

from .watched import Watched

PROGRAMS = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
MISSING = (
    "tests in a browser need Chromium and found none on the PATH: install it (Debian: sudo apt install "
    "chromium-headless-shell; others: chromium)"
)
FLAGS = ["--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run"]
"""A browser that asks for nothing by itself: what is asked for, a page has asked for."""


class Visit(Protocol):
    """Open an address, or an empty page, in a window of its own."""

    def __call__(self, url: str = "", *, allowed: tuple[str, ...] = (), **context: Any) -> Watched: ...


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All tests of this folder are marked."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker("browser")


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """The one browser of these tests; without one they are skipped, or fail with CAVIAR_BROWSER=required."""
    program = next(filter(None, map(shutil.which, PROGRAMS)), None)
    if program is None:
        (pytest.fail if os.environ.get("CAVIAR_BROWSER") == "required" else pytest.skip)(MISSING)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=program,
            args=FLAGS,
            chromium_sandbox=os.geteuid() != 0,  # Chromium refuses to make one for root
        )
        yield browser
        browser.close()


@pytest.fixture
def visit(chromium: Browser) -> Iterator[Visit]:
    """Opens pages; a fault that a page had and the test did not take fails the test."""
    opened: list[Watched] = []

    def visit(url: str = "", *, allowed: tuple[str, ...] = (), **context: Any) -> Watched:
        watched = Watched(chromium, allowed, **context)
        opened.append(watched)
        if url:
            watched.open(url)
        return watched

    yield visit
    faults = [fault for watched in opened for fault in watched.faults()]
    for watched in opened:
        watched.context.close()
    assert faults == []
