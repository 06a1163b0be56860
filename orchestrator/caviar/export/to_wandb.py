"""A sweep as offline runs of Weights & Biases, a run a trial: `wandb sync` uploads them, and nothing else does."""

from __future__ import annotations

import os
from typing import Any

from caviar.export.exported import Exported, ExportedTrial
from caviar_workers.states import State


def write(sweep: Exported, folder: str) -> int:
    """Write the runs into a folder; return how many there are."""
    os.environ.setdefault("WANDB_ERROR_REPORTING", "false")  # read at the import: an offline export calls nobody
    import wandb  # noqa: PLC0415 — no dependency of ours

    count = 0
    for trial in sweep.trials():
        _write_trial(wandb, sweep, trial, folder)
        count += 1
    wandb.teardown()
    return count


def _write_trial(wandb: Any, sweep: Exported, trial: ExportedTrial, folder: str) -> None:
    settings = wandb.Settings(
        silent=True,
        console="off",
        disable_git=True,
        save_code=False,
        x_disable_meta=True,  # of this machine: the trial ran on another one
        x_disable_stats=True,
        x_disable_machine_info=True,
        x_save_requirements=False,
    )
    run = wandb.init(
        project=_project(sweep.plan.name or "caviar"),
        group=sweep.sweep,
        name=f"t{trial.number}",
        config=trial.config | trial.notes,
        dir=folder,
        mode="offline",
        reinit="finish_previous",
        settings=settings,
    )
    for step, time, values in trial.curve.rows():
        run.log({**values, "_timestamp": time}, step=step)
    if trial.value is not None:
        run.summary[sweep.plan.metric] = trial.value
    run.summary["caviar.state"] = trial.state.value
    run.finish(exit_code=1 if trial.state == State.FAILED else 0)


def _project(name: str) -> str:
    """A sweep's name as a project may be called: up to 128 characters, none of those that W&B refuses."""
    return "".join("-" if one in "/\\#?%:" else one for one in name)[:128]
