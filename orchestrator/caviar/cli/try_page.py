"""One trial that was tried, on a terminal: what it reported, what its checkpoint is good for, how long a sweep is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from caviar.cli.output import emit
from caviar.display.numbers import config_text, counted, duration, number, sized

if TYPE_CHECKING:
    from caviar.run.try_out import TriedCheckpoint, TryDocument


def print_tried(document: TryDocument) -> None:
    """Write it to stdout."""
    emit(f"config  {config_text(document.config)}", hang=8)
    if document.error is not None:
        emit(document.error.rstrip())
    emit(f"trial   {document.state.lower()} after {duration(document.seconds)}, seed {document.seed}", hang=8)
    if document.steps is not None:
        first, last = document.steps
        emit(f"curve   {counted(document.reports, 'report')}, steps {first} to {last}", hang=8)
    for one in document.metrics:
        decides = "  ← decides" if one.name == document.metric else ""
        few = "" if one.reports == document.reports else f", in {one.reports} of them"
        emit(f"        {one.name}  {number(one.first)} → {number(one.last)}{few}{decides}", hang=8)
    if document.checkpoint is not None:
        emit(f"saved   {_checkpoint(document.checkpoint)}", hang=8)
    each = f"{counted(document.trials, 'trial')}, {document.at_once} at a time on this machine's CPUs"
    emit(f"sweep   {each}: about {duration(document.sweep_s)}, if all are like this one", hang=8)


def _checkpoint(saved: TriedCheckpoint) -> str:
    text = f"a checkpoint of step {saved.step}, {sized(saved.bytes)}; "
    if saved.word:
        return text + saved.word
    if saved.goes_on_at is None:
        return f"{text}an attempt that was given it reported nothing more"
    return f"{text}an attempt that was given it went on at step {saved.goes_on_at}"
