"""A sweep as a table: CSV with all that is known of each trial, LaTeX and Markdown with what a paper shows."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from caviar.export.exported import Exported
from caviar.export.text_tables import Writer, write_csv, write_latex, write_markdown, write_text
from caviar.results.selector import as_given

if TYPE_CHECKING:
    from collections.abc import Iterator

    from caviar.results.open_sweep import OpenSweep

Row = list[object]


def all_columns(opened: OpenSweep, path: str) -> int:
    """Write one row a trial, of any state, with the columns of the view `trials`; return how many there are."""
    cursor = opened.views.execute("SELECT * EXCLUDE (sweep, u) FROM trials ORDER BY trial")
    rows = cursor.fetchall()
    write_text([column[0] for column in cursor.description], iter(rows), path, write_csv)
    return len(rows)


def for_a_paper(opened: OpenSweep, path: str, write: Writer) -> int:
    """Write trial, parameters, metric and state of all trials that ended, the best first; return how many there are.

    The metric is by the sweep's rule, and empty where a trial did not complete with a finite value; a trial that was
    edited while it trained, or forked, is said to be beside its state.
    """
    sweep = Exported(opened)
    rows = list(_ranked(opened, sweep))
    write_text(["trial", *opened.parameters, opened.plan.metric, "state"], iter(rows), path, write)
    return len(rows)


def _ranked(opened: OpenSweep, sweep: Exported) -> Iterator[Row]:
    place = {trial: at for at, trial in enumerate(sweep.ranked)}
    trials = opened.rows("SELECT * FROM trials WHERE state <> 'PENDING' ORDER BY trial")
    for row in sorted(trials, key=lambda row: place.get(row["trial"], len(place))):
        config = as_given(opened.plan.parameters, row)
        values = [config.get(name) for name in opened.parameters]
        state = f"{row['state']}, edited" if row["trial"] in sweep.edited else row["state"]
        yield [row["trial"], *values, sweep.ranked.get(row["trial"]), state]


LATEX = partial(for_a_paper, write=write_latex)
MARKDOWN = partial(for_a_paper, write=write_markdown)
