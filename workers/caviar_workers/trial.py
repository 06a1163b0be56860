"""The handle that the user's train function gets: who this trial is, and where its learning curve goes."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from time import time as now
from typing import Any

from caviar_workers.checkpoint import MOST_STEP, Checkpoint, Restored, pieces
from caviar_workers.reported_rows import WIDTH, ReportedRows, Row
from caviar_workers.scalar import make_floats, whole_step
from caviar_workers.states import Action
from caviar_workers.steering import NOTHING, Steering
from caviar_workers.trial_folder import pack_folder, remove, scratch_folder
from caviar_workers.trial_words import ELSEWHERE, OVER, PUBLIC

Keep = Callable[["Trial", int, bytes | str | os.PathLike[str]], None]
"""Takes a checkpoint: of this trial, at this step."""


class TrialInterrupted(BaseException):
    """The trial was told to stop or to pause. Raised by `report`; a train function lets it pass, or cleans up first."""


class Trial(ReportedRows):
    """One attempt at one configuration.

    Threads: `report` may be called from one thread at a time; a second thread of the worker takes rows away at any
    moment. Reports reach the store within about two seconds, in the order they were made.

    Attributes:
        sweep: Id of the sweep.
        number: The trial, from 0.
        attempt: Which attempt of the trial this is, from 0.
        branch: How often the trial was rolled back: a train function may shuffle its data by seed and branch.
        skip: Steps whose data are to be left out from here on, where a rollback said so; step + skip counts on.
        seed: 0 … 2^32 − 1, the same at every attempt; `random`, numpy and (where imported) torch are already
            seeded with it.
        data: What the sweep's `data` function returned; None: it has none. All trials read it: do not write to it.
        devices: The accelerators assigned, as CUDA_VISIBLE_DEVICES writes them; empty: none.
        metric: The sweep's metric.
        interrupted: What made `report` raise TrialInterrupted; None: nothing did.
        config: The configuration that train was given: the same object, in which live parameters change.
        changed: Parameter → its new value, of what changed in it with the newest report.
        once: Train looks at the configuration when it begins only (for the lease, before it begins).
        begins_again: Train is to be called once more, from the checkpoint that it saved last (for the lease).
    """

    __slots__ = (
        "_again",
        "_artifact",
        "_barred",
        "_ending",
        "_keep",
        "_loads",
        "_restored",
        "_saved",
        "_scratch",
        "_start",
        "attempt",
        "begins_again",
        "branch",
        "changed",
        "config",
        "data",
        "devices",
        "halt",
        "interrupted",
        "metric",
        "number",
        "once",
        "seed",
        "skip",
        "steering",
        "sweep",
    )

    def __init__(
        self, *, sweep: str, number: int, attempt: int, seed: int, devices: str = "", metric: str = ""
    ) -> None:
        super().__init__()
        self.sweep = sweep
        self.metric = metric
        self.number = number
        self.attempt = attempt
        self.branch = self.skip = 0
        self.halt: int | None = None
        self.seed = seed
        self.data: Any = None
        self.devices = devices
        self.interrupted: Action | None = None
        self.config: Any = None
        self.changed: Mapping[str, Any] = NOTHING
        self.steering: Steering | None = None
        self.once = self.begins_again = self._loads = False
        self._restored: Checkpoint | None = None
        self._keep: Keep | None = None
        self._artifact: Callable[[Any, str | None], None] | None = None
        self._scratch: Path | None = None
        self._start = 0
        self._again: int | None = None
        self._saved = False
        self._ending: Action | None = None
        self._barred: str | None = None

    def report(self, /, step: int, **metrics: float) -> None:
        """Record one point of the learning curve.

        Args:
            step: What the curve counts: epochs, updates, …; whole, from 0, never smaller than the step before.
                Two reports of one step are two rows.
            **metrics: Name → one real number: Python, numpy or torch scalars. NaN and ±inf are recorded.

        Raises:
            TypeError: A value is not one real number, or the step is not whole.
            ValueError: The step is negative or goes back, or a metric's name cannot be a column.
            RuntimeError: This is another process than train's, or train has returned: nothing can arrive.
            TrialInterrupted: The trial was told to end here; the row is recorded.
        """
        for value in metrics.values():
            if type(value) is not float:
                make_floats(metrics)
                break
        if type(step) is not int or not 0 <= step <= MOST_STEP:
            step = whole_step(step)
        self._put((step, now(), metrics))

    def save(self, step: int, data: bytes | str | os.PathLike[str]) -> None:
        """Keep a checkpoint, from which the trial goes on if its process dies. Durable when it returns.

        Args:
            step: The last step that is in it; usually the one that was reported last.
            data: Bytes, or the path of a file or a folder. What they mean is the train function's business.

        Raises:
            TypeError: The data are neither bytes nor a path, or the step is not whole.
            OSError: They cannot be written.
            TrialInterrupted: The trial was told to pause, or begins again from here with other values; the checkpoint
                is kept.
        """
        if self._barred is not None:
            raise RuntimeError(self._barred.format("save"))
        step = whole_step(step)
        steering = self.steering
        again = self._loads and self._ending is None and steering is not None and steering.begins_again(step)
        if self._keep is not None:
            folder = isinstance(data, (str, os.PathLike)) and os.path.isdir(data)
            packed = self.path / "saved.tar" if folder else data
            if folder:
                pack_folder(Path(data), packed)  # type: ignore[arg-type]
            self._keep(self, step, packed)
            if again and step >= self.newest_step:  # else rows were reported since, and would be again
                self._restored = Checkpoint(step, b"".join(pieces(packed)))
                self.begins_again = True
            if folder:
                packed.unlink()  # type: ignore[union-attr]
        self._saved = True
        if self._ending == Action.PAUSE or (self.halt is not None and step >= self.halt and self._ending is None):
            self.interrupted = Action.PAUSE
            raise TrialInterrupted("this trial was told to pause")
        if self.begins_again:
            raise TrialInterrupted("this trial begins again from its checkpoint, with other values")

    @property
    def save_wanted(self) -> bool:
        """Whether somebody waits for a checkpoint: train may save after this step, though it would not yet."""
        waits = self.steering is not None and not self.once and self.steering.waits(self.newest_step)
        return self._ending == Action.PAUSE or waits

    def keep(self, data: bytes | str | os.PathLike[str], name: str | None = None) -> None:
        """Keep a file beside the curve: `trial.keep("confusion.png")`, then `caviar get 42 --artifact confusion.png`.

        Args:
            data: The path of a file, or bytes.
            name: What it is called; None: as the file. Of several with one name, the newest counts.
        """
        if self._barred is not None:
            raise RuntimeError(self._barred.format("keep"))
        if self._artifact is not None:
            self._artifact(data, name)

    @property
    def path(self) -> Path:
        """A folder of this attempt's own, in the machine's temporary one; removed when the attempt ends."""
        if self._barred is not None:
            raise RuntimeError(self._barred.format("path"))
        if self._scratch is None:
            self._scratch = scratch_folder(self.sweep, self.number)
        return self._scratch

    def load(self) -> Restored | None:
        """The checkpoint to go on from, to be asked for before the first report; None: begin at step 0.

        Returns:
            A pair (step, data): the first report is then of a later step than that. Its `path` is what was saved as a
            file, or as the folder that it was.

        Raises:
            RuntimeError: Something was reported already, this is another process than train's, or train has returned.
        """
        if self._barred is not None:
            raise RuntimeError(self._barred.format("load"))
        self._loads = True
        if self.reported and (self._again is None or self.newest_step >= self._again):
            raise RuntimeError("trial.load() comes before the first trial.report(): what was reported cannot be undone")
        if self._restored is None:
            return None
        if self._again is None:
            self._start = self._restored.step + 1
        self._saved = True  # as it did, and will again
        found = Restored(*self._restored)
        found.folder = lambda: self.path
        return found

    @property
    def start(self) -> int:
        """The first step to train: 0, or the one after that of the checkpoint that was loaded."""
        return self._start if self._again is None else self._again

    @property
    def first_step(self) -> int:
        """First step of this attempt (for the recorder), from wherever train began again in it."""
        return self._start

    def begin_again(self) -> Mapping[str, Any]:
        """Let train be called once more, from what it saved last; returns the configuration, by dotted names."""
        assert self.steering is not None
        assert self._restored is not None
        self.begins_again, self.changed = False, NOTHING
        self._again = self._restored.step + 1
        config = self.steering.begin_again(self._restored.step)
        self.branch, self.skip = self.steering.place
        return config

    @property
    def ending(self) -> Action | None:
        """What the trial was told, which its next report or save will raise; None: to go on."""
        return self._ending

    @property
    def newest_step(self) -> int:
        """The step that was reported last; before that, the one at which this attempt begins."""
        newest = self._cells[-WIDTH:]
        step = newest[0] if newest else self._step
        return self._start if step is None else step

    def connect(self, keep: Keep, artifact: Callable[[Any, str | None], None] | None = None) -> None:
        """Say where `save` and `keep` lead (for the recorder, before the trial begins)."""
        self._keep, self._artifact = keep, artifact

    def restore(self, checkpoint: Checkpoint) -> None:
        """Give what `load` gives (for the lease, before train is called)."""
        self._restored = checkpoint

    @property
    def restored_step(self) -> int:
        """The last step in what `load` gives; −1: it gives nothing."""
        return -1 if self._restored is None else self._restored.step

    def interrupt(self, action: Action) -> None:
        """Let the next report be the last one: it is recorded, and raises (for the lease's own thread)."""
        self._ending = action
        if action == "pause" and self._saved:
            return  # at its next checkpoint, so that nothing has to be computed again
        accept = self._accept

        def put(row: Row) -> None:
            if self.interrupted is None:
                accept(row)
            self.interrupted = action
            raise TrialInterrupted(f"this trial was told to {action}")

        self._accept = self._put = put

    def steer(self, steering: Steering) -> None:
        """Let the configuration change after reports, but for one that ends the trial (for the lease)."""
        self.steering, accept = steering, self._accept
        steering.once = self.once
        if self.once:
            return

        def put(row: Row) -> None:
            accept(row)
            self.changed = steering.turn(row[0], self.config, row[2])

        if self._put is accept:
            self._put = put  # else reports are held, and `release` lets them pass to this
        self._accept = put

    def leave(self) -> None:
        """Close the trial: what comes from a thread that outlives train is refused."""
        super().leave()
        remove(self._scratch)
        self._barred = OVER
        self._accept = self._put = _refuse_late

    def estrange(self) -> None:
        """Refuse all that has to come from train's own process: this is the trial's shadow in another one."""
        self._barred = ELSEWHERE
        self.refuse(RuntimeError(ELSEWHERE.format("report")))

    def __dir__(self) -> list[str]:
        """What a train function uses; the rest is the worker's."""
        return [*PUBLIC]

    def __repr__(self) -> str:
        return f"Trial({self.sweep!r}, number={self.number}, attempt={self.attempt}, seed={self.seed})"


def _refuse_late(_row: Row) -> None:
    raise RuntimeError(OVER.format("report"))
