"""The engine's keeper of checkpoints: writes what workers cannot, thins out, and says what trials may go on from.
Artifacts take the same way to the disk.

The files themselves are the affair of `store.checkpoints`. Their bytes are read by the workers (`store/origins.py`).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import replace
from types import TracebackType
from typing import TYPE_CHECKING, Self

from caviar.errors import StoreError
from caviar.run.engine.background import Background, done
from caviar.run.engine.forks import Fork
from caviar.run.engine.ports import Sink
from caviar.run.engine.stored_trial import drawn
from caviar.run.engine.work import Kept, Pinned, Work
from caviar.spec.plan import Plan
from caviar.store import Views
from caviar.store.artifacts import rows_of, write_carried_artifact
from caviar.store.checkpoints import (
    NOWHERE,
    Cut,
    Cuts,
    discard_unfinished,
    folders_for_workers,
    orphans,
    path_of,
    restorable,
    saves_of,
    thinned,
    trials_with_saves,
    whole,
    write_carried,
)
from caviar.store.origins import may_go_on_from, origins_of, with_bytes
from caviar_workers.tables import FORKED

if TYPE_CHECKING:
    from caviar.store import Store, SweepDir
    from caviar_workers.artifact import Artifact
    from caviar_workers.checkpoint import Save

UNFORKED: Mapping[int, Fork] = {}
MOST_CARRIED = 256 * 2**20
"""Bytes of checkpoints that wait to be written, at most; beyond, whoever brings one waits for the disk."""
_LAST_S = 3.0
"""Seconds in which what was handed over may still be done after an error."""


class StoredCheckpoints:
    """Keeps checkpoints in the store; see `Checkpoints`. One thread does all that touches the disk, in order.

    A checkpoint that is not needed any more stays until the rows before the newer one are published, however long the
    disk takes: of every trial, the newest one that may be restored is always there.

    Args:
        store: The store.
        sweep_dir: The sweep.
        plan: Says how many checkpoints stay, and what is the best one.
        sink: Where the sweep's rows go; only published ones make a checkpoint restorable.
        epoch: Of the owner.
        cuts: Trial → where it was rolled back to, of those that were.
        forks: Trial → of what it was forked, of those that were.
    """

    def __init__(
        self,
        store: Store,
        sweep_dir: SweepDir,
        plan: Plan,
        sink: Sink,
        epoch: int,
        cuts: Cuts = NOWHERE,
        forks: Mapping[int, Fork] = UNFORKED,
    ) -> None:
        self._store = store
        self._sweep_dir = sweep_dir
        self._plan = plan
        self._sink = sink
        self._epoch = epoch
        self._cuts: dict[int, Sequence[Cut]] = dict(cuts)
        self._forks = dict(forks)
        self._pins = {(fork.parent, fork.attempt, fork.step) for fork in forks.values()}
        """Trial, attempt and step of what somebody refers to. All three belong to the disk's thread."""
        self._disk = Background("caviar-checkpoints")
        self._folders = folders_for_workers(sweep_dir, epoch)
        self._adding: deque[tuple[int, Future[None]]] = deque()
        """Bytes, and what becomes of them, of what is being taken."""
        self._unseen: set[int] = set()
        """Trials whose worker could not read what they go on from; the loop's."""
        self._used = False
        self._held: dict[int, list[Save]] = {}
        self._doomed: deque[tuple[int, Save]] = deque()
        """Both belong to the disk's thread."""

    def __len__(self) -> int:
        """Trials of which checkpoints are remembered: some of those that run."""
        return len(self._held)

    def add_saves(self, saves: Sequence[Save]) -> None:
        """Hear of checkpoints, after the rows before them went to the sink; write those that came with their bytes.

        Raises:
            StoreError: One that was taken before could not be written.
        """
        self._used = True
        mark = self._sink.mark()
        self._add(sum(len(save.data or b"") for save in saves), lambda: self._add_saves(saves, mark))

    def add_artifacts(self, artifacts: Sequence[Artifact]) -> None:
        """Record files that trials keep, and write those that came with their bytes; errors as of `add_saves`."""
        self._sink.add("artifacts", rows_of(artifacts))
        carried = [one for one in artifacts if one.data is not None]
        if carried:
            self._add(sum(len(one.data or b"") for one in carried), lambda: self._add_artifacts(carried))

    def _add(self, size: int, write: Callable[[], None]) -> None:
        """Have something written, of so many bytes, for which there is room."""
        self._check()
        while self._adding and size + sum(waiting for waiting, _ in self._adding) > MOST_CARRIED:
            self._adding.popleft()[1].result()
        self._adding.append((size, self._disk.do(write)))

    def forget(self, trials: Iterable[int]) -> None:
        """Executions of these trials ended: what they have stays, and is looked up when it is needed again."""
        if self._used:
            gone = list(trials)
            self._disk.do(lambda: self._forget(gone))

    def process_died(self, lease: int) -> None:
        """A lease's process died: what it left unfinished goes."""
        self._disk.do(lambda: self._bury(lease))

    def pin(self, trial: int, attempt: int, step: int, *, living: bool) -> Future[Pinned | None]:
        """Keep a checkpoint that somebody refers to; the future may raise StoreError: the store cannot be read."""
        return self._disk.do(lambda: self._pin(trial, attempt, step, living=living))

    def find_back(self, trial: int, before: int) -> Future[tuple[Cut, Pinned] | None]:
        """Find, and pin, the best living checkpoint of a trial before a step."""
        return self._disk.do(lambda: self._find_back(trial, before))

    def cut(self, trial: int, cuts: Sequence[Cut]) -> None:
        """Note where a trial was rolled back to."""
        self._disk.do(lambda: self._cuts.__setitem__(trial, cuts))

    def adopt(self, fork: Fork) -> None:
        """Note that a trial begins from a checkpoint of another one."""
        self._disk.do(lambda: self._adopt(fork))

    def look_up(self, work: Work) -> Future[Kept]:
        """Look up what is kept of a work's trials; the future may raise StoreError: the store cannot be read."""
        self._check()
        tried = zip(work.trials, work.attempts, strict=True)
        again = [trial for trial, attempt in tried if attempt or trial >= FORKED]
        if not again:
            return done(Kept(folders=self._folders))
        carried = self._unseen.intersection(again)
        self._unseen -= carried
        return self._disk.do(lambda: self._look_up(again, carried))

    def bring(self, trials: Iterable[int]) -> None:
        """Note whose worker could not read what they go on from."""
        self._unseen.update(trials)

    def newest_saved(self, trials: Sequence[int]) -> dict[int, tuple[int, int]]:
        """Attempt and step of the newest checkpoint that may be restored, of some trials that wait; before the loop."""
        if not trials:
            return {}
        with Views(self._store, [self._sweep_dir]) as views:
            published = views.published(trials)
        found = {}
        for trial in trials:
            saves = saves_of(self._sweep_dir, trial)
            for save in restorable(saves, published[trial], self._cuts.get(trial, ()))[:1]:
                found[trial] = save.attempt, save.step
        return found

    def settle(self) -> None:
        """Wait until all is done that was handed over, and what is not needed any more is deleted."""
        self._disk.do(self._clean).result()
        self._check()

    def finish(self) -> None:
        """All trials have ended, and all rows are published: delete what nothing can go on from."""
        self._disk.do(self._clean)
        self._disk.do(self._discard_orphans).result()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._disk.close(None if error is None else _LAST_S)

    def _check(self) -> None:
        """Raise what went wrong with checkpoints that were taken."""
        while self._adding and self._adding[0][1].done():
            self._adding.popleft()[1].result()

    def _add_saves(self, saves: Sequence[Save], mark: int) -> None:
        for save in saves:
            if save.data is not None:
                write_carried(self._sweep_dir, self._epoch, save)
            cuts = self._cuts.get(save.trial, ())
            pins = {(attempt, step) for trial, attempt, step in self._pins if trial == save.trial}
            held = self._held.get(save.trial)
            if held is None:  # an earlier driver's are thinned out too
                held = [one for one in saves_of(self._sweep_dir, save.trial) if one.attempt < save.attempt]
            stay, go = thinned(
                [*held, replace(save, data=None)],
                self._plan.keep_checkpoints,
                self._plan.mode,
                cuts,
                pins,
                self._plan.keep_every,
            )
            self._held[save.trial] = stay
            self._doomed += [(mark, one) for one in go]
        self._clean()

    def _add_artifacts(self, artifacts: Sequence[Artifact]) -> None:
        for artifact in artifacts:
            write_carried_artifact(self._sweep_dir, self._epoch, artifact)

    def _forget(self, trials: Iterable[int]) -> None:
        for trial in trials:
            self._held.pop(trial, None)

    def _bury(self, lease: int) -> None:
        with suppress(OSError):  # it goes with the sweep's end, or its next owner's claim
            discard_unfinished(self._sweep_dir, self._epoch, lease)

    def _look_up(self, again: Sequence[int], carried: set[int]) -> Kept:
        saved = trials_with_saves(self._sweep_dir, again)
        born = {trial: self._forks[trial] for trial in again if trial in self._forks}
        if not (saved or born):
            return Kept(folders=self._folders)
        self._sink.flush()
        found = may_go_on_from(self._store, self._sweep_dir, saved, self._cuts)
        for trial, fork in born.items():
            found[trial] = [*found.get(trial, []), *self._first_of(fork)]
            if not found[trial]:
                raise _gone(fork)
        restore = origins_of(self._store, self._sweep_dir, found)
        for trial in carried.intersection(restore):
            restore[trial] = with_bytes(self._sweep_dir, restore[trial])
            if not restore[trial] and trial in born:
                raise _gone(born[trial])
        return Kept(folders=self._folders, restore=restore)

    def _pin(self, trial: int, attempt: int, step: int, *, living: bool) -> Pinned | None:
        self._sink.flush()
        saves = saves_of(self._sweep_dir, trial)
        with Views(self._store, [self._sweep_dir]) as views:
            published = views.published([trial])[trial]
            cuts = self._cuts.get(trial, ())
            fit = restorable(saves, published, cuts) if living else whole(saves, published)
            found = next((save for save in fit if (save.attempt, save.step) == (attempt, step)), None)
            if found is None:
                return None  # one that is damaged is passed over by who reads it
            self._pins.add((trial, attempt, step))
            self._doomed = deque(one for one in self._doomed if one[1].name != found.name)
            return _pinned(views, self._plan, trial, [save.attempt for save in saves])

    def _find_back(self, trial: int, before: int) -> tuple[Cut, Pinned] | None:
        self._sink.flush()
        with Views(self._store, [self._sweep_dir]) as views:
            published = views.published([trial])[trial]
        fit = restorable(saves_of(self._sweep_dir, trial), published, self._cuts.get(trial, ()))
        sign = -1.0 if self._plan.mode == "max" else 1.0
        valued = [save for save in fit if save.step < before and save.value == save.value]
        for save in sorted(valued, key=lambda one: (sign * one.value, -one.step)):
            pinned = self._pin(trial, save.attempt, save.step, living=True)
            if pinned is not None:
                return Cut(save.attempt, save.step), pinned
        return None

    def _first_of(self, fork: Fork) -> list[Save]:
        """The checkpoint that a trial was forked from; empty: it is gone."""
        saves = saves_of(self._sweep_dir, fork.parent)
        return [save for save in saves if (save.attempt, save.step) == (fork.attempt, fork.step)][-1:]

    def _adopt(self, fork: Fork) -> None:
        self._forks[fork.trial] = fork
        self._pins.add((fork.parent, fork.attempt, fork.step))

    def _clean(self) -> None:
        """Delete what is not needed any more, where the newer one's rows are published."""
        due = []
        while self._doomed and self._sink.reached(self._doomed[0][0]):  # they are in the order of their marks
            due.append(self._doomed.popleft()[1])
        if due:
            with suppress(OSError):  # they harm nobody
                self._sweep_dir.disk.delete(path_of(self._sweep_dir, save) for save in due)

    def _discard_orphans(self) -> None:
        with suppress(OSError, StoreError):  # `caviar store check` names it
            gone = orphans(self._store, self._sweep_dir)
            self._sweep_dir.disk.delete(path_of(self._sweep_dir, save) for save in gone)


def _gone(fork: Fork) -> StoreError:
    return StoreError(
        f"trial {fork.trial} was forked from trial {fork.parent} at step {fork.step}, and that checkpoint is gone: put "
        "a copy of it back, or stop the trial"
    )


def _pinned(views: Views, plan: Plan, trial: int, saved: Sequence[int]) -> Pinned:
    """A trial as the store has it."""
    views_of = ("attempts", "curves", "logs")
    traces = " UNION ".join(f"SELECT attempt FROM {view} WHERE trial = {trial}" for view in views_of)
    attempts = [attempt for (attempt,) in views.execute(traces).fetchall()]
    state = views.execute(f"SELECT state FROM trials WHERE trial = {trial}").fetchall()[0][0]
    config, seed = drawn(views, plan, trial)
    configs = {name: (value,) for name, value in config.items()}
    work = Work(trials=(trial,), attempts=(max([*attempts, *saved]),), seeds=(seed,), configs=configs)
    return Pinned(work=work, state=state)
