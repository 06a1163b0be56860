"""The report of one or several sweeps: one file that opens from disk, without a network."""

from __future__ import annotations

import html
import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from caviar.display.page import report_html
from caviar.display.whole_file import check_free, write_whole
from caviar.errors import SpecError
from caviar.results.curves import known_metric
from caviar.results.open_sweep import open_sweep
from caviar.results.report.document import sweep_payload

if TYPE_CHECKING:
    from caviar.results.open_sweep import OpenSweep, Say
    from caviar.store import Store, SweepDir

MARK = b'data-kind="report"'
"""Among the first bytes of each report, and of no other file that anybody would miss."""
FIRST = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportDocument:
    """A report that was written.

    Attributes:
        file: where it is, as an absolute path.
        bytes: how large it is.
        sweeps: ids of the sweeps that it shows.
        left_out: what it does not show for want of room, in words.
    """

    file: str
    bytes: int
    sweeps: tuple[str, ...]
    left_out: tuple[str, ...]


def write_report(
    store: Store,
    sweeps: Sequence[SweepDir],
    file: str | None,
    say: Say,
    *,
    metrics: Sequence[str] = (),
    force: bool = False,
) -> ReportDocument:
    """Write the report of some sweeps, whole or not at all.

    Args:
        store: The store.
        sweeps: One at least, in the order in which they are shown.
        file: Where to; None: `report-ID.html` in the working folder.
        say: Told of what cannot be shown.
        metrics: Whose curves are shown; empty: as many as there is room for.
        force: Write over a file that is no report.

    Raises:
        SpecError: The file is there and no report, or cannot be written.
        NotFoundError: A sweep never reported one of the metrics.
        StoreError: A sweep cannot be read.
    """
    place = file or report_name(sweeps)
    check_free(place, force=force, ours=is_report)
    payloads, left_out = [], []
    for sweep in sweeps:
        said: list[str] = []
        with open_sweep(store, sweep, said.append) as opened:
            payload = sweep_payload(opened, _known(opened, metrics), said)
        left_out += payload.head["documents"]["left_out"]
        payloads.append(payload.to_bytes())
        for sentence in said:
            say(sentence)
    page = report_html(title_of(sweeps), payloads).encode("utf-8", "replace")
    write_whole(place, page)
    return ReportDocument(
        file=os.path.abspath(place),
        bytes=len(page),
        sweeps=tuple(sweep.id for sweep in sweeps),
        left_out=tuple(dict.fromkeys(left_out)),
    )


def report_name(sweeps: Sequence[SweepDir]) -> str:
    """The name of the file where none was given: of ids alone, for names are others' text."""
    more = f"-and-{len(sweeps) - 1}-more" if len(sweeps) > 1 else ""
    return f"report-{sweeps[0].id}{more}.html"


def title_of(sweeps: Sequence[SweepDir]) -> str:
    """What the page is called."""
    first = sweeps[0].name or sweeps[0].id
    return first if len(sweeps) == 1 else f"{first} and {len(sweeps) - 1} more"


def is_report(file: str) -> bool:
    """Whether a file is a report, or empty: another one may take its place.

    Raises:
        SpecError: It cannot be read.
    """
    try:
        with open(file, "rb") as found:
            start = found.read(FIRST)
    except OSError as error:
        raise SpecError(f"cannot write {file}: {error.strerror or error}; name another file") from error
    return not start or MARK in start


def _known(opened: OpenSweep, metrics: Sequence[str]) -> list[str]:
    return [known_metric(opened, one) for one in dict.fromkeys(metrics)]


def report_frame(opened: OpenSweep, not_shown: Sequence[str], height: int) -> str:
    """A report for a notebook: within a frame that may run its own scripts and reach nothing else."""
    page = report_html(title_of([opened.sweep]), [sweep_payload(opened, (), not_shown).to_bytes()])
    return (
        f'<iframe sandbox="allow-scripts" srcdoc="{html.escape(page)}" width="100%" height="{height}"'
        ' style="border: 0"></iframe>'
    )
