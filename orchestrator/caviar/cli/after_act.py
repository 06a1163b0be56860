"""What follows an act on a trial that trains on: its document where the sweep runs, else the sweep is resumed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from caviar.cli.after_run import after_run
from caviar.cli.output import data_only, emit_json
from caviar.display.choose_display import choose_display
from caviar.run.resume import resume_sweep

if TYPE_CHECKING:
    from caviar.cli.options import Target
    from caviar.store import Store, SweepDir


def after_act(
    target: Target, store: Store, sweep: SweepDir, document: Any, *, runs: bool, quiet: bool, **options: Any
) -> None:
    """Print what was done, where somebody runs the sweep; else go on with it, as `caviar resume` does.

    Args:
        target: Of the command.
        store: The store.
        sweep: The sweep, as it was before the act.
        document: What was done.
        runs: Somebody ran the sweep when it was.
        quiet: No progress.
        **options: Of `resume_sweep`: `address` and `code`.
    """
    if not runs:
        with data_only():
            last = resume_sweep(store, sweep.again(), progress=choose_display(quiet=quiet), **options)
        after_run(target, last.id)
    elif target.as_json:
        emit_json(document)
