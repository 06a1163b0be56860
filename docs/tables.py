"""Writes the tables of the docs that follow from the code: `python docs/tables.py`. A test sees that it was done.

A table stands between two comments, `<!-- table: NAME -->` and `<!-- end -->`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from pathlib import Path

import click

from caviar.cli.verb_run import verb as run
from caviar.cli.verb_submit import NOT_HANDED_ON
from caviar.cli.verb_submit import verb as submit
from caviar.display.verb_names import VERBS
from caviar.search.searchers import SEARCHERS
from caviar.search.stopping.registry import POLICIES
from caviar.search.stopping.registry import settings_of as numbers_of
from caviar.space.scale import KNOWN
from caviar.spec.settings import SETTINGS, settings_of
from caviar.store.read.schedule_view import SCHEDULE
from caviar.store.read.sweeps_view import COLUMNS
from caviar.store.read.trials_view import HEAD, TAIL
from caviar.sweep import Sweep
from caviar_workers.tables import FIELDS

HERE = Path(__file__).parent
ELSEWHERE = ("store", "as_json")
"""Options of every verb, which have a paragraph of their own."""


def table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    """Markdown of a table."""
    return "\n".join(f"| {' | '.join(row)} |" for row in (head, ("---",) * len(head), *rows))


def settings() -> str:
    """The keywords of `Sweep`."""
    return table(("keyword", "meaning"), ((f"`{one.name}`", one.doc) for one in settings_of(Sweep).values()))


def flags() -> str:
    """The options of `caviar run`."""
    own = (one for one in run.params if isinstance(one, click.Option) and one.name not in ELSEWHERE)
    return table(("option", "meaning"), map(flag, own))


def handed_on() -> str:
    """The options of `caviar run` that `caviar submit` hands on."""
    known = {one.name for one in run.params if isinstance(one, click.Option)} - set(NOT_HANDED_ON)
    options = (one.opts[0] for one in submit.params if one.name in known)
    return ", ".join(f"`{one}`" for one in options)


def verbs() -> str:
    """What the program can do."""
    rows = ((f"[`caviar {name}`](#caviar-{name})", within(does)) for name, (_, does) in VERBS.items())
    return table(("verb", "what it does"), rows)


def within(sentence: str) -> str:
    """A sentence as it stands in a table."""
    plain = sentence.removesuffix(".")
    return plain if plain[:2].isupper() else plain[:1].lower() + plain[1:]


def flag(option: click.Option) -> tuple[str, str]:
    """One row: how the option is written, and what it means."""
    value = "" if option.is_flag else f" {option.make_metavar(click.Context(run))}"
    spelt = ", ".join(f"`{one}{value}`".replace("|", r"\|") for one in sorted(option.opts, reverse=True))
    return spelt, SETTINGS[option.name].doc if option.name in SETTINGS else within(option.help or "")


def policies() -> str:
    """The stop policies."""
    numbers = {
        kind: ", ".join(f"`{key}={default:g}`" for key, default in numbers_of(kind).items()) for kind in POLICIES
    }
    return table(
        ("policy", "who is stopped", "settings"), ((f"`{kind.name}`", kind.stopped, numbers[kind]) for kind in POLICIES)
    )


def searchers() -> str:
    """The searchers."""
    return table(
        ("searcher", "what it does", "driver time for 250 points"),
        ((f"`{kind.name}`", kind.does, kind.costs) for kind in SEARCHERS.values()),
    )


def scales() -> str:
    """The scales of a range."""
    return table(("scale", "draws"), ((f'`"{one.name}"`', one.doc) for one in KNOWN.values()))


def views() -> str:
    """The views of a store, with their columns."""
    head, tail = (", ".join(column.name for column in columns) for columns in (HEAD, TAIL))
    rows = (name for name in FIELDS["curves"] if not name.startswith("_"))
    found = {
        "`sweeps`": ", ".join(COLUMNS),
        "`trials`": f"sweep, {head}, each parameter, last_‹metric› and best_‹metric›, then {tail}",
        "`curves`": f"sweep, {', '.join(rows)}, each metric",
        "`attempts`": f"one row an attempt: sweep, {', '.join(FIELDS['attempts'])}, each metric's last, min and max",
        "`configs`, `logs`": "what was sampled; what was printed",
        "`artifacts`": f"one row a file of `trial.keep`: sweep, {', '.join(FIELDS['artifacts'])}",
        "`decisions`": f"what was decided about trials and the sweep: {', '.join(FIELDS['decisions'])} (JSON)",
    }
    found["`branches`"] = (
        "as `curves`, with the rows that count no more; _branch: how often its trial was rolled back, _living"
    )
    found["`schedule`"] = (
        f"how configurations changed while trials trained: sweep, {', '.join(one.name for one in SCHEDULE)}"
    )
    return table(("view", "columns"), found.items())


TABLES: dict[str, Callable[[], str]] = {
    "verbs": verbs,
    "settings": settings,
    "flags of run": flags,
    "options handed on by submit": handed_on,
    "scales": scales,
    "views": views,
    "stop policies": policies,
    "searchers": searchers,
}


def written(text: str) -> str:
    """A document with its tables as they follow from the code."""
    parts = re.split(r"(<!-- table: ([^>]+) -->\n)(?:.*?)(\n<!-- end -->)", text, flags=re.DOTALL)
    for at in range(1, len(parts), 4):
        parts[at + 1] = TABLES[parts[at + 1]]()
    return "".join(parts)


if __name__ == "__main__":
    for path in HERE.glob("*.md"):
        path.write_text(written(path.read_text("utf-8")), "utf-8")
