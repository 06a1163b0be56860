"""The whole program of a Ray task: train the trials of a lease one after the other, and say so as it goes.

The trials train in one thread, the same for all leases of a process; the generator's own thread, which Ray drives,
wakes every `flush_s` seconds to carry their reports away. So a trial that computes for minutes between two reports
still delivers the first one at once.
"""

from __future__ import annotations

import copy
import inspect
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, nullcontext, suppress
from contextvars import copy_context
from dataclasses import replace
from typing import Any

from caviar_workers.attempt_records import Attempt
from caviar_workers.capture import Capture
from caviar_workers.child_processes import ParentOnly, show_to_children
from caviar_workers.config_form import Form, form_of, nested
from caviar_workers.data import LoadedData, accepted, digested, load_data
from caviar_workers.failure import describe
from caviar_workers.fingerprint import due, fingerprint
from caviar_workers.hidden import without
from caviar_workers.inbox import Inbox
from caviar_workers.live_config import live
from caviar_workers.load import load_function
from caviar_workers.messages import NO_DATA, Batch, DataDigest, Lease, Message, Program
from caviar_workers.process import (
    WrongProcessError,
    assigned,
    crowded,
    enter,
    limit_threads,
    release_memory,
    seed_everything,
)
from caviar_workers.recorder import MOST_BACKLOG, Recorder
from caviar_workers.scalar import held_number, in_words, scalar
from caviar_workers.std_streams import OUTLETS
from caviar_workers.stored_checkpoint import check_seen
from caviar_workers.surroundings import Surroundings, as_given, where_import_leads
from caviar_workers.trainer import train_in_thread
from caviar_workers.trial import Trial, TrialInterrupted

_GLANCE_S, _TORRENT_S = 0.25, 0.05
_TORRENT = 1_000
"""Rows that wait: if so many, the next glance is soon, before they fill the memory."""
_BRIEF_S = 1e-4
"""Seconds of training in which nobody opens many files: trials that take less, one after the other, are looked after
together."""


def _silence() -> Sequence[Message]:
    return ()


def run_lease(
    program: Program,
    lease: Lease,
    *,
    own_process: bool = True,
    mail: Callable[[], Sequence[Message]] = _silence,
    data: Callable[[], LoadedData] | None = None,
) -> Iterator[Batch]:
    """Train the lease's trials; yields what they report, in order, at least every `lease.flush_s` seconds.

    A trial that raises ends as FAILED and the next one starts. Only the end of the process ends a lease early.

    Args:
        program: The user's code.
        lease: What to train.
        own_process: Nothing else runs in this process: file descriptors may be redirected, threads limited.
        mail: Fetches what the driver says to the lease's trials; called several times a second, so it must not wait.
        data: Fetches what the program's `data` function returned; None: there is none, or it is called here.

    Raises:
        WrongProcessError: The lease must run in another process; or the rest of it, after all that it has to say of
            the trials that ended here.
        UnseenStoreError: What its trials go on from cannot be read here; none has begun.
    """
    check_seen(lease)
    if own_process:
        enter(lease)
    with Capture(descriptors=own_process, hidden=lease.hidden) as capture:
        recorder = Recorder(lease, capture, assigned(lease), program=program.digest)
        fetch = data or (lambda: digested(load_data(program, lease.train_args))) if program.data else None
        training = Training(program, lease, recorder, fetch, own_process=own_process)
        train_in_thread(program.digest, training.run, training.done)
        try:
            yield from _speak(recorder, training, lease, mail)
        finally:
            training.abandoned = True
        if training.broken:
            raise WrongProcessError("this process is spent: its GPU does not answer, or too many files are open")


def _speak(
    recorder: Recorder, training: Training, lease: Lease, mail: Callable[[], Sequence[Message]]
) -> Iterator[Batch]:
    glance = min(lease.flush_s, _GLANCE_S)
    flushed, pause = time.monotonic(), glance
    while not training.done.wait(pause):
        training.inbox.hear(mail())
        backlog = recorder.backlog()
        pause = glance if backlog < _TORRENT else min(_TORRENT_S, glance)
        if backlog < MOST_BACKLOG and time.monotonic() - flushed < lease.flush_s:
            continue
        with recorder.handing_over():
            batch = recorder.flush()
            flushed = time.monotonic()
            if batch is not None:
                yield training.introduced(batch)
    batch = recorder.flush()
    if batch is not None:
        yield training.introduced(batch)


class Training:
    """Trains the lease's trials one after the other; all but `abandoned` and `introduced` is the training thread's."""

    def __init__(
        self,
        program: Program,
        lease: Lease,
        recorder: Recorder,
        fetch: Callable[[], LoadedData] | None,
        *,
        own_process: bool,
    ) -> None:
        self._fetch = fetch
        self._program = program
        self._lease = lease
        self._recorder = recorder
        self._own_process = own_process
        self._surroundings: Surroundings | None = None
        self._borrowed = ExitStack()
        """Of a process that is not ours alone, what it is to get back."""
        self._parent_only = ParentOnly()
        self._function: Callable[..., Any] | None = None
        self._form: Form = nested
        self._arguments: Mapping[str, Any] = {}
        self._data: Any = None
        self._digest = NO_DATA if fetch is None else DataDigest(why="it was not loaded")
        self._unseen_s = 0.0
        """Seconds that trials took since the open files were looked at."""
        self.inbox = Inbox(lease, recorder.applied)
        self.done = threading.Event()
        self.abandoned = False
        """Nobody listens any more: the trial that trains is the last one."""
        self.broken = False
        """The process is good for nothing any more: likewise."""

    def introduced(self, batch: Batch) -> Batch:
        """The batch, with what this process trains with if nobody knows it yet: once it reports, its libraries are
        imported. It is found out beside the trial, which it so does not delay; by the thread that speaks.
        """
        lease = self._lease
        gpus = lease.demand.gpus > 0
        if not (batch.curves or self.done.is_set()) or not due(lease.sweep, self._program.digest, gpus=gpus):
            return batch
        return replace(batch, fingerprint=fingerprint(gpus=gpus, data=self._digest))

    def run(self) -> None:
        """Train them; who calls it sets `done` at the end."""
        with self._borrowed:
            for position in range(len(self._lease.trials)):
                if self.abandoned or self.broken:
                    return
                self._train(position)

    def _train(self, position: int) -> None:
        attempt = self._recorder.begin(position)
        attempt.kind = self.inbox.begin(attempt.trial)
        if attempt.kind is None:
            self._execute(attempt, position)
        self._recorder.end(attempt)

    def _execute(self, attempt: Attempt, position: int) -> None:
        started = time.perf_counter()
        try:
            if self._function is None:
                self._function = self._load()
            self._recorder.restore(attempt.trial)
            attempt.trial.data = self._data
            attempt.trial.once = getattr(self._function, "reads_once", False)
            started = time.perf_counter()
            self._run(self._function, attempt, position)
        except BaseException as error:
            text, attempt.kind = describe(error)
            attempt.error = without(text, self._lease.hidden)
        if attempt.error is None:  # a train function that was interrupted may also clean up and return
            attempt.kind = attempt.trial.interrupted
        attempt.busy = time.perf_counter() - started
        if self._lease.demand.gpus and (fault := release_memory()) is not None:
            self.broken = self._own_process
            if attempt.error is None and attempt.kind is None:  # it came after train had returned
                attempt.error, attempt.kind = describe(fault)
        if self._own_process:
            self._unseen_s += attempt.busy
            if self._unseen_s > _BRIEF_S:
                self._look_at_files()
            if self._surroundings is not None:
                self._surroundings.restore()  # the next trial begins where this one did

    def _look_at_files(self) -> None:
        self._unseen_s = 0.0
        if word := crowded():
            self.broken = True
            print(f"[caviar: {word}]", file=OUTLETS["err"])

    def _run(self, function: Callable[..., Any], attempt: Attempt, position: int) -> None:
        """Call train, and once more whenever it is to begin again from a checkpoint."""
        while True:
            seed_everything(attempt.trial.seed)
            # In a copy of what the import has left, so that a trial's own `seterr` ends with it.
            with suppress(TrialInterrupted):
                copy_context().run(self._call, function, attempt, position)
            if not attempt.trial.begins_again:
                return
            if self._surroundings is not None:
                self._surroundings.restore()

    def _call(self, function: Callable[..., Any], attempt: Attempt, position: int) -> None:
        with self._parent_only:
            trial, form = attempt.trial, self._form
            if trial.begins_again:
                trial.config = (live(form) if self._lease.live else form)(trial.begin_again())
                config = trial.config
            else:
                config = self.inbox.configure(trial, self._lease.config(position), form)
            returned = function(config, attempt.trial, **self._own_arguments())
        if returned is not None:
            with self._parent_only:  # a generator runs here
                self._finish(returned, attempt)

    def _own_arguments(self) -> Mapping[str, Any]:
        """The function's arguments: what a trial does to them is its own affair."""
        return copy.deepcopy(self._arguments) if self._arguments else {}

    def _finish(self, returned: Any, attempt: Attempt) -> None:
        if self._lease.final:
            _finish_final(returned, attempt.trial)
        else:
            _finish(returned, attempt, self._lease.metric, self._recorder)

    def _load(self) -> Callable[..., Any]:
        lease, program = self._lease, self._program
        if not self._own_process:
            self._borrowed.enter_context(as_given(program))
        with where_import_leads(program) if self._own_process else nullcontext():
            function = load_function(program, program.final if lease.final else program.train)
            self._form = form_of(function)
        if self._own_process:
            show_to_children(program)
            # Now that the user's libraries are loaded.
            limit_threads(lease.demand.cpus, program.env.get("OMP_NUM_THREADS"))
            self._surroundings = Surroundings(mask=True)
        if self._fetch is not None:
            loaded = self._fetch()
            self._data, self._digest = loaded.value, loaded.digest
            if self._surroundings is not None:
                self._surroundings.restore()  # `data` is called in another process as a rule
        self._arguments = accepted(function, lease.train_args) if lease.final else lease.train_args
        return function


def _finish(returned: Any, attempt: Attempt, metric: str, recorder: Recorder) -> None:
    """Record what train returned, as its last report: a generator's rows, a dict of metrics, or the metric's value.

    What cannot be stored is told in the trial's log, if its curve is whole without it, and else with its failure.
    """
    trial: Trial = attempt.trial
    returned = _played_out(returned, trial)
    if returned is None:
        return
    if isinstance(returned, dict) and (not trial.reported or _only_numbers(returned)):
        trial.report(**{"step": trial.newest_step, **returned})
        return
    value = held_number(returned)
    if value is None or (trial.reported and isinstance(value, bool)):
        attempt.returned = type(returned).__name__
        why = "return a number, or a dict of metrics"
    elif recorder.is_measured(trial):
        attempt.returned = in_words(value, 40)
        why = f"{metric} was reported before, so return a dict that says which metric it is, or nothing"
    else:
        trial.report(trial.newest_step, **{metric: scalar(metric, value)})
        return
    if trial.reported:
        sys.stderr.write(f"caviar: train returned {attempt.returned}, which is not stored: {why}\n")


def _finish_final(returned: Any, trial: Trial) -> None:
    """Record what `final` returned as its last report, whole or not at all: what is kept of it is measured only once.

    Raises:
        TypeError: It is no dict of numbers, nor nothing.
    """
    returned = _played_out(returned, trial)
    if isinstance(returned, dict):
        if returned:
            trial.report(**{"step": trial.newest_step, **returned})
    elif returned is not None:
        raise TypeError(f"final returns a dict of metrics, but it returned a {type(returned).__name__}")


def _played_out(returned: Any, trial: Trial) -> Any:
    """Return what train returned; of a generator what it returns, when its rows are reported."""
    if not inspect.isgenerator(returned):
        return returned
    with closing(returned):  # an interrupted one cleans up
        return _replayed(returned, trial)


def _replayed(rows: Iterator[Any], trial: Trial) -> Any:
    """Report what a generator yields; what it returns."""
    while True:
        try:
            item = next(rows)
        except StopIteration as end:
            return end.value
        _replay(trial, item)


def _replay(trial: Trial, item: Any) -> None:
    """Report what a generator yielded: a dict with `step` and metrics.

    Raises:
        TypeError: The item is not such a dict.
    """
    if not isinstance(item, dict) or "step" not in item:
        raise TypeError(
            f"a train generator yields dicts such as {{'step': 3, 'loss': 0.5}}, but it yielded {item!r:.80}"
        )
    trial.report(**item)


def _only_numbers(returned: dict[Any, Any]) -> bool:
    return bool(returned) and all(
        isinstance(name, str) and held_number(value) is not None for name, value in returned.items()
    )
