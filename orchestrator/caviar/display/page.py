"""The page of a report and of the board: one HTML file that asks no network for anything.

Its scripts and styles are inline, and the policy in its head allows these by their SHA-256 and nothing else. ECharts
lies in it gzipped, for it is a megabyte; the page inflates it and runs it as one more script that the policy names.
"""

import base64
import gzip
import hashlib
import json
import struct
import zlib
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

PAGE = Path(__file__).parent / "page"
ECHARTS = PAGE / "vendor" / "echarts" / "echarts.min.js"
SCRIPTS = (
    "columns.js", "scales.js", "state.js", "source.js", "marks.js", "pictures.js", "acts.js", "curves.js", "axes.js",
    "parallel.js", "charts.js", "slots.js", "table.js", "words.js", "form.js", "board.js", "start.js",
)  # fmt: skip
"""In the order in which they are joined: `start.js` alone does something when it is read."""


def report_html(title: str, payloads: Sequence[bytes]) -> str:
    """Write the report of some sweeps: a page that opens from disk.

    Args:
        title: What the page is called until it has read its data.
        payloads: One of each sweep, as `caviar.results.report` encodes them.
    """
    sweeps = [_listed(_head(payload)) for payload in payloads]
    return _page("report", title, sweeps=sweeps, payloads=[_base64(payload) for payload in payloads])


def board_html(title: str, *, edits: bool = False) -> str:
    """Write the page of the board: it holds no data, and asks the server that it came from.

    Args:
        title: What the page is called until it has read its data.
        edits: Whether it has a form for edits of trials.
    """
    return _page("board", title, sweeps=[], payloads=[], edits=edits)


def _page(kind: str, title: str, *, sweeps: list[Any], payloads: list[str], edits: bool = False) -> str:
    script, style = _script(), (PAGE / "page.css").read_text("utf-8")
    # `<` cannot end the element, and JSON may be written so.
    listed = json.dumps(sweeps, ensure_ascii=False, allow_nan=False).replace("<", "\\u003c")
    return _template().render(
        kind=kind,
        edits=edits,
        title=title,
        policy=policy(board=kind == "board"),
        style=Markup(style),
        script=Markup(script),
        echarts=_echarts()[0],
        sweeps=Markup(listed),
        payloads=payloads,
    )


def policy(*, board: bool) -> str:
    """The Content-Security-Policy of a page: its scripts and styles by their digests; for the board, its server."""
    script, style = _script(), (PAGE / "page.css").read_text("utf-8")
    return "; ".join(
        [
            "default-src 'none'",
            f"script-src '{_digest(script.encode())}' '{_echarts()[1]}'",
            f"style-src '{_digest(style.encode())}'",
            *(["connect-src 'self'"] if board else []),
            "base-uri 'none'",
            "form-action 'none'",
        ]
    )


def _digest(text: bytes) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text).digest()).decode()}"


@cache
def _script() -> str:
    """All scripts within one function, so that none of their names is seen by others."""
    files = "\n".join((PAGE / name).read_text("utf-8") for name in SCRIPTS)
    return f"(() => {{\n'use strict';\n{files}}})();\n"


@cache
def _echarts() -> tuple[str, str]:
    """ECharts, gzipped, in base64, and the digest of what it is once inflated."""
    code = ECHARTS.read_bytes()
    return _base64(gzip.compress(code, 9, mtime=0)), _digest(code)


@cache
def _template() -> jinja2.Template:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(PAGE), autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True
    )
    return environment.get_template("page.html.jinja")


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _head(payload: bytes) -> dict[str, Any]:
    """The head of a payload; what comes after it is not inflated."""
    start = zlib.decompressobj(wbits=31)
    data = start.decompress(payload, 4)
    (length,) = struct.unpack("<I", data)
    head: dict[str, Any] = json.loads(start.decompress(start.unconsumed_tail, length))
    return head


def _listed(head: dict[str, Any]) -> dict[str, Any]:
    """A sweep's line in the list of sweeps, where the head has none of its own."""
    sweep = head["documents"]["sweep"]
    return head.get("list") or {"id": head["sweep"], "name": sweep.get("title") or sweep.get("name")}
