"""What crosses the border between the driver and a worker process: plain frozen dataclasses."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from caviar_workers.artifact import Artifact
from caviar_workers.checkpoint import Save
from caviar_workers.schedule import Change
from caviar_workers.states import Action, Cause


class Absent(Enum):
    """The place of an inactive conditional parameter; an enum, so that it stays one object in every process."""

    ABSENT = "absent"


ABSENT = Absent.ABSENT


def row_of(columns: Mapping[str, Sequence[Any]], position: int) -> dict[str, Any]:
    """The row at `position`, without what is absent from it; a dict of its own."""
    row = {name: column[position] for name, column in columns.items()}
    return {name: value for name, value in row.items() if value is not ABSENT} if ABSENT in row.values() else row


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """Last value and extremes of one metric; None: no such value."""

    last: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Living:
    """A curve up to a checkpoint, summed up. An attempt that loads the checkpoint carries it on."""

    diverged: bool = False
    """The objective was NaN or infinite there."""
    metrics: Mapping[str, Summary] = field(default_factory=dict)
    """Of the metrics that were reported there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """A checkpoint that a trial may go on from."""

    save: Save
    """Which; with its bytes where the worker cannot read them itself."""
    folder: str = ""
    """Folder of checkpoints in which it lies, or its URI; empty: its bytes came along."""
    living: Living | None = None
    """The trial's curve up to there, summed up; None: nobody has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """The user's code as it was when the sweep was described; it travels once per process.

    Either `files` holds the sources (`source`), or `functions` holds the functions themselves, for code that
    lives in no file, as in a notebook (`function`); then `files` has the modules beside them, which they import.
    """

    digest: str
    """SHA-256 of the sources, or of the serialised functions, hex: the identity of the code."""
    train: str
    """Qualified name of the train function."""
    final: str = ""
    """Qualified name of the function that runs once for the winner; empty: none."""
    constraint: str = ""
    """Qualified name of the predicate that says which configurations may be tried; empty: none."""
    data: str = ""
    """Qualified name of the function that loads what all trials read; empty: none."""
    module: str = ""
    """Name of the module among `files` that holds these functions."""
    files: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    """Module name → (path it had on the driver's machine, source text)."""
    packages: frozenset[str] = frozenset()
    """Names in `files` that are packages."""
    functions: Mapping[str, Callable[..., Any]] = field(default_factory=dict)
    """Name → function, when there is no source."""
    pickled: tuple[Any, ...] = ()
    """`functions` on their way: a mark of their own, a pickle, and the buffers of its large arrays. What they import by
    name must come from `files`, so it is unpickled when these can be found."""
    reason: str = field(default="", compare=False)
    """Why the functions travel themselves although they have a file; empty: they have none, or do not."""
    folder: str = field(default="", compare=False)
    """The driver's working folder, where importing the file leads to another one than it did; empty: to the same."""
    project: str = ""
    """SHA-256 of the files that travel with the code, hex; empty: only code travels."""
    root: str = field(default="", compare=False)
    """The folder that these files lie in, on this machine; there trials begin."""
    archive: bytes = field(default=b"", repr=False, compare=False)
    """These files as a zip; empty where they are not needed, or come by another way."""
    env: Mapping[str, str] = field(default_factory=dict, repr=False, compare=False)
    """Environment variables that its trials find; secrets may be among them."""
    workdir: str = field(default="", compare=False)
    """The folder in which trials begin: a path from `root`, or from that of its file; empty: the usual one."""
    here: str = field(default="", compare=False)
    """The driver's working folder: the usual one, where a machine has it; empty: not known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """What a lease asks of the node that it runs on."""

    cpus: float = 1.0
    gpus: float = 0.0
    """Of one GPU or several; a fraction is a share of one."""
    fresh: bool = False
    """Run in a process that no other lease was in."""
    forked: bool = True
    """Or in one that was forked from another one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """The trials that one Ray task carries, as columns of equal length n ≥ 1, trained one after the other."""

    id: int
    """Counts from 0 within one driver."""
    sweep: str
    metric: str
    """The sweep's objective; decides `diverged`."""
    trials: tuple[int, ...]
    """Trial numbers, from 0."""
    attempts: tuple[int, ...]
    """Which attempt of the trial this is, from 0."""
    seeds: tuple[int, ...]
    """0 … 2^32 − 1."""
    configs: Mapping[str, tuple[Any, ...]]
    """Parameter name → value for each trial; `ABSENT` where it does not exist."""
    train_args: Mapping[str, Any] = field(default_factory=dict)
    """Keyword arguments of the train function that the sweep overrides."""
    hidden: tuple[str, ...] = ()
    """Secrets among these: neither what trials print nor their tracebacks may show them."""
    demand: Demand = Demand()
    checkpoints: str = ""
    """Folder of the sweep's checkpoints, or its URI, for workers that see it; empty: none can."""
    build: str = ""
    """Where they write them before they show them there."""
    restore: Mapping[int, tuple[Origin, ...]] = field(default_factory=dict)
    """Trial → what its `load()` gives: the first of these that is whole."""
    causes: Mapping[int, Cause] = field(default_factory=dict)
    """Trial → why it is executed, of those that are not executed for the first time."""
    live: frozenset[str] = frozenset()
    """Parameters that may change while a trial trains."""
    changes: Mapping[int, tuple[Change, ...]] = field(default_factory=dict)
    """Trial → how its configuration changes, of those that were edited."""
    branches: Mapping[int, int] = field(default_factory=dict)
    """Trial → how often it was rolled back, of those that were."""
    halts: Mapping[int, int] = field(default_factory=dict)
    """Trial → the step from which on it pauses by itself when it saves."""
    final: bool = False
    """Run the sweep's `final` function instead of `train`."""
    has_mailbox: bool = False
    """The driver has made a mailbox. Else it does when it first has something to say."""
    flush_s: float = 0.5
    """Longest time in seconds that a report waits in the worker."""

    def config(self, position: int) -> dict[str, Any]:
        """The configuration of the trial at `position`, 0 … n − 1; a dict of its own."""
        return row_of(self.configs, position)


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """An order from the driver to a trial that runs."""

    trial: int
    attempt: int
    """For this attempt; another one pays no heed."""
    action: Action
    """`stop`: the next report is the last one, and the trial ends as STOPPED. `pause`: likewise, as PAUSED.
    `rollback`: likewise, and another attempt goes on. `edit`: its configuration changes as `changes` say."""
    decision: int
    """Number of the decision that it carries out; a message that comes twice is heard once."""
    changes: tuple[Change, ...] = ()
    """All changes of the trial's configuration, this one included."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    """A trial has taken an edit."""

    trial: int
    attempt: int
    decision: int
    """Number of the edit."""
    step: int
    """After which it took effect: the rows after it were trained with it. −1: it holds from the beginning."""
    unread: tuple[str, ...] = ()
    """Nothing was taken: these were changed by the edit, or before it, and train has not looked at them up to here."""
    stale: tuple[str, ...] = ()
    """Nothing was taken: train reports these as they were before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DataDigest:
    """The digest of a sweep's data."""

    sha256: str = ""
    """Hex; empty: none."""
    bytes: int = 0
    """That were read for it."""
    why: str = ""
    """Why there is none."""


NO_DATA = DataDigest(why="the sweep has no data function")


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """What a process computes on; empty: not known, or there is none."""

    python: str = ""
    """Its version."""
    system: str = ""
    """Operating system, architecture and C library, whose mathematics programs use."""
    cpu: str = ""
    cores: int = 0
    """Of the machine, hyper-threads included."""
    blas: tuple[str, ...] = ()
    """Each library for linear algebra: name, version, the kind of processor it computes for, threads."""
    gpus: tuple[str, ...] = ()
    """Models that the process may use, in their order."""
    driver: str = ""
    """Version of NVIDIA's."""
    cuda: str = ""
    cudnn: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fingerprint:
    """What a process trained with."""

    host: str = ""
    machine: Machine = Machine()
    distributions: Mapping[str, str] = field(default_factory=dict)
    """Name → version of those that it has imported."""
    data: DataDigest = NO_DATA
    """Of what the sweep's `data` function returned."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """The rows that a lease has since its last batch: Arrow IPC streams of the store's tables; empty bytes: no rows."""

    curves: bytes = b""
    attempts: bytes = b""
    logs: bytes = b""
    saves: tuple[Save, ...] = ()
    """Checkpoints that were saved, in order; the rows reported before them are in this batch or came before it."""
    artifacts: tuple[Artifact, ...] = ()
    """Files that trials keep, in order."""
    fingerprint: Fingerprint | None = None
    """What the process trains with, once for each sweep."""
    applied: tuple[Applied, ...] = ()
    """Edits that trials took; rows that were trained with them are in this batch or come after it."""

    @property
    def size(self) -> int:
        """The bytes of the batch, about."""
        carried = sum(len(save.data) for save in self.saves if save.data is not None)
        kept = sum(len(artifact.data) for artifact in self.artifacts if artifact.data is not None)
        return len(self.curves) + len(self.attempts) + len(self.logs) + carried + kept
