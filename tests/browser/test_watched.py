"""Who watches pages sees what they do: each kind of fault, on a page that has it."""

import base64
import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from .conftest import MISSING, Visit
from .watched import Watched, until

PAGE = """<!doctype html><meta charset="utf-8"><title>t</title>
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; script-src 'sha256-{digest}'">
<script>{script}</script><p>hello</p>{body}"""


def page(folder: Path, script: str = "window.ran = 1", body: str = "") -> str:
    """The address of a page under a strict policy that allows its first script and nothing else."""
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    path = folder / "page.html"
    path.write_text(PAGE.format(digest=digest, script=script, body=body), encoding="utf-8")
    return path.as_uri()


def comes(watched: Watched, told: str) -> None:
    """Wait for a fault that begins so: a busy page may have it a little later than it was opened."""
    until(lambda: [fault for fault in watched.faults() if fault.startswith(told)], watched.page, told)


def test_a_page_without_a_fault_has_none(visit: Visit, tmp_path: Path) -> None:
    watched = visit(page(tmp_path))
    assert watched.until("window.ran") == 1
    assert watched.until("n => document.body.innerText.length > n", 3) is True
    assert watched.faults() == []


@pytest.mark.parametrize(
    ("script", "body", "told"),
    [
        ("", "<script>window.ran = 2</script>", "policy: script-src-elem forbids inline"),
        ("", "<p style='color: red'>x</p>", "policy: style-src-attr forbids inline"),
        ("", "<img src=x onerror=alert(1)>", "policy: img-src forbids"),
        ("eval('1')", "", "policy: script-src forbids eval"),
        ("fetch('https://example.org/a').catch(() => 0)", "", "policy: connect-src forbids https://example.org/a"),
        ("throw new Error('oh')", "", "script: oh"),
        ("Promise.reject(new Error('later'))", "", "script: later"),
        ("console.error('so bad')", "", "console: so bad"),
        ("alert('you')", "", "dialog: you"),
        ("window.open('about:blank')", "", "window: a second one was opened"),
    ],
)
def test_a_fault_is_told(visit: Visit, tmp_path: Path, script: str, body: str, told: str) -> None:
    comes(visit(page(tmp_path, script, body)), told)


def test_a_request_is_told_unless_it_is_allowed(visit: Visit, tmp_path: Path) -> None:
    (tmp_path / "other.js").write_text("", encoding="utf-8")
    plain = tmp_path / "plain.html"
    plain.write_text("<!doctype html><title>t</title><script src=other.js></script>", encoding="utf-8")
    other = (tmp_path / "other.js").as_uri()
    assert visit(plain.as_uri()).faults() == [f"request: {other}"]
    assert visit(plain.as_uri(), allowed=(other,)).faults() == []


def test_what_a_frame_does_is_told_too(visit: Visit, tmp_path: Path) -> None:
    framed = tmp_path / "framed.html"
    srcdoc = "<meta http-equiv=Content-Security-Policy content=&quot;default-src 'none'&quot;><script>1</script>"
    framed.write_text(
        f'<!doctype html><title>t</title><iframe sandbox="allow-scripts" srcdoc="{srcdoc}"></iframe>', encoding="utf-8"
    )
    comes(visit(framed.as_uri()), "policy: script-src-elem")


@pytest.mark.nightly
def test_a_fault_that_the_test_did_not_take_fails_it(tmp_path: Path) -> None:
    """A run of its own: the same fixture, a page at fault, and a test that says nothing of it."""
    (tmp_path / "conftest.py").write_text("from tests.browser.conftest import chromium, visit\n", encoding="utf-8")
    (tmp_path / "test_it.py").write_text(
        f"def test_it(visit):\n    visit({page(tmp_path, 'throw new Error(`oh`)')!r})\n", encoding="utf-8"
    )
    ran = pytest_in(tmp_path)
    assert ran.returncode == 1
    assert "script: oh" in ran.stdout


@pytest.mark.nightly
@pytest.mark.parametrize(("wanted", "outcome"), [("", "1 skipped"), ("required", "1 error")])
def test_without_a_browser_tests_are_skipped_unless_it_is_required(tmp_path: Path, wanted: str, outcome: str) -> None:
    (tmp_path / "conftest.py").write_text("from tests.browser.conftest import chromium, visit\n", encoding="utf-8")
    (tmp_path / "test_it.py").write_text("def test_it(visit):\n    visit()\n", encoding="utf-8")
    ran = pytest_in(tmp_path, PATH="/nowhere", CAVIAR_BROWSER=wanted)
    assert outcome in ran.stdout
    assert MISSING in ran.stdout.replace("\n", "")


def pytest_in(folder: Path, **changes: str) -> subprocess.CompletedProcess[str]:
    root = Path(__file__).parents[2]
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-rsE", "-q", "-c", os.devnull, "--rootdir", str(folder), str(folder)],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(root), "COLUMNS": "1000", **changes},
        capture_output=True,
        text=True,
        check=False,
    )
