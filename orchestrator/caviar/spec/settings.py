"""The settings of a sweep, each declared once: type, default, rule, what it means, and its flag of `caviar run`.

From these fields follow the parameters of `Sweep`, what the store keeps of them (`Plan`), the names that `--set` takes,
the flags and lines of `caviar run`, and the tables of the docs (`docs/tables.py` writes them). A setting is added by
one field here, and by the code that acts on it.
"""

from __future__ import annotations

import math
import textwrap
from collections.abc import Callable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field, fields
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, TypeVar

from caviar.errors import SpecError

if TYPE_CHECKING:
    from caviar.search.samplers import Grid, List
    from caviar.search.stopping import Guard, Stopping

T = TypeVar("T")
C = TypeVar("C", bound=type)
MOST_TRIALS = 2**30


@dataclass(frozen=True, slots=True)
class Kind:
    """The values that a setting may have."""

    name: str
    """`text`, `switch`, `whole`, `amount`, `seconds`, or `special` where the code that reads it checks it."""
    rule: str = ""
    """The end of the sentence that begins with the setting's name, such as `is true or false`."""
    holds: Callable[[object], bool] = lambda _value: True
    typed: Any = None
    """A value of the type that a text of `--set` takes; None: whatever the text says."""
    least: float | None = None
    among: tuple[str, ...] = ()
    """The only values, where there are few."""


def _whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _seconds(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value) and value > 0


def _amount(value: Any) -> bool:
    """Ray's rule: fractions below 1 share a device, above 1 there are only whole ones."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value) or value < 0:
        return False
    return value <= 1 or value == int(value)


def whole(words: str, least: int, most: float = math.inf) -> Kind:
    """Whole numbers from `least` to `most`; `words` say so."""

    def holds(value: Any) -> bool:
        return _whole(value) and bool(least <= value <= most)

    return Kind("whole", f"is a whole number {words}", holds, least=least)


def one_of(*among: str) -> Kind:
    """Return the kind of settings that are one of a few words."""
    *others, last = map(repr, among)
    return Kind("text", f"is {', '.join(others)} or {last}", lambda value: value in among, "", among=among)


SWITCH = Kind("switch", "is true or false", lambda value: isinstance(value, bool), False)
AMOUNT = Kind("amount", "is a number ≥ 0, and whole above 1", _amount, least=0)
SECONDS = Kind("seconds", "is a number of seconds > 0", _seconds)
TEXT = Kind("text", typed="")
SPECIAL = Kind("special")


@dataclass(frozen=True, slots=True)
class Flag:
    """How `caviar run` spells a setting."""

    metavar: str
    """Of its value; empty: it takes none."""
    help: str
    """What `--help` says of it."""
    spelling: str = ""
    """Where it is not the setting's name."""
    repeated: bool = False
    """It may be given several times, and the setting is the list of these values."""


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting, as it is declared."""

    name: str
    kind: Kind
    default: Any
    doc: str
    flag: Flag | None = None
    line: Callable[[Any], str] | None = None
    """What a dry run says of a plan where the setting is neither None nor false nor empty."""
    by_name: bool = True
    """Whether `--set NAME=VALUE` changes it."""

    @property
    def option(self) -> str:
        """The flag, such as `--trial-timeout`."""
        return (self.flag and self.flag.spelling) or "--" + self.name.replace("_", "-")


def setting(default: T, kind: Kind, doc: str, flag: Flag | None = None, **others: Any) -> T:
    """A field of a dataclass that is a setting; the arguments are those of `Setting`."""
    declared = {"setting": {"kind": kind, "doc": doc, "flag": flag, "default": default, **others}}
    if isinstance(default, dict):
        return field(default_factory=dict, metadata=declared)  # type: ignore[return-value]  # as dataclasses have it
    return field(default=default, metadata=declared)


def settings_of(cls: type) -> dict[str, Setting]:
    """The settings of a dataclass, by name, in their order."""
    found = {item.name: item.metadata.get("setting") for item in fields(cls)}
    return {name: Setting(name=name, **declared) for name, declared in found.items() if declared is not None}


def documented(cls: C) -> C:
    """Add to a class's docstring what each of its settings means."""
    lines = (
        textwrap.fill(f"{one.name}: {one.doc}", 116, initial_indent=" " * 8, subsequent_indent=" " * 12)
        for one in settings_of(cls).values()
    )
    cls.__doc__ = (cls.__doc__ or "").replace("        …", "\n".join(lines))
    return cls


def _how_stopped(plan: Any) -> str:
    by = f"{'paused, promoted or stopped' if plan.pauses else 'stopped early'} by {plan.stopping}"
    # How many steps there are is train's affair, so the number of all trials is known for each interval only.
    return f"{by}; new trials at each interval: {plan.bred}" if plan.breeds else by


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings that `Sweep` and `Plan` have in common."""

    mode: str = setting("min", one_of("min", "max"), 'whether the `metric` is to be small, `"min"`, or large, `"max"`')
    trials: int | None = setting(
        None,
        whole("from 1 to 2^30", 1, MOST_TRIALS),
        "how many configurations; default: 64, or all points of a grid that has fewer",
        Flag("N", "How many configurations."),
    )
    seed: int = setting(
        0,
        whole("from 0 to 2^63 − 1", 0, 2**63 - 1),
        "decides every configuration and every trial's seed, 0 … 2^63 − 1",
        Flag("N", "Decides every configuration."),
    )
    _: KW_ONLY
    name: str | None = setting(
        None, TEXT, "what to call the sweep; default: the file's name", Flag("TEXT", "What to call the sweep.")
    )
    sampler: str | Grid | List = setting(
        "sobol",
        SPECIAL,
        '`"sobol"` (scrambled; default), `"random"`, `"halton"` (scrambled), `"grid"`, `"shuffled_grid"`, or '
        "`Grid(levels, shuffle=False)`",
    )
    all_tiers: bool = setting(
        False,
        SWITCH,
        "tune parameters of every tier, however few the trials",
        Flag("", "Tune parameters of every tier, however few the trials.", "--all"),
    )
    rounds: Sequence[int] = setting(
        (),
        SPECIAL,
        "`[25, 25]`: 25 trials, then 25 in a box round the best of them, and so on; each round is a sweep whose parent "
        "is the one before. It says how many trials there are; `sweep.run()` returns the last round's result, `final` "
        "is run after it, for the best of all; `time_limit` is that of each round. As `caviar zoom`, see "
        "[cli.md](cli.md#caviar-zoom)",
        line=lambda plan: f"then {', then '.join(map(str, plan.rounds))} round the best of the round before",
    )
    retest: int | None = setting(
        None,
        whole("from 1 to 100", 1, 100),
        "when the search is over, train the best so many configurations again, each on `repeats` fresh seeds; `final` "
        "waits for the verdict, and measures its winner. As `caviar retest`, see [winner.md](winner.md)",
        Flag("K", "At the end, train the best K again on fresh seeds."),
        line=lambda plan: f"then the best {plan.retest} again, on {plan.repeats} fresh seeds each",
    )
    repeats: int = setting(
        5,
        Kind("whole", "is 5, 10 or 20", lambda value: _whole(value) and value in (5, 10, 20), least=5),
        "fresh seeds of each configuration in a `retest`: 5 (default), 10 or 20. After 5 and 10, those that are "
        "clearly worse are left out",
        Flag("N", "Fresh seeds of each in a retest: 5, 10 or 20."),
    )
    rule: str = setting(
        "last",
        one_of("last", "best", "smoothed"),
        'how trials are compared: `"last"` (default), `"best"`, or `"smoothed"` (mean of the last 5 reports)',
    )
    searcher: str | None = setting(
        None,
        TEXT,
        "who chooses new trials by what the others reported: `local`, `gp`, or `optuna:tpe` and others; default: the "
        "sampler, without it. See [search.md](search.md#guided-search)",
        Flag("NAME", "Choose new trials by what the others reported: local, gp, optuna:tpe."),
    )
    stopping: str | Stopping | None = setting(
        None,
        SPECIAL,
        "which trials are ended early: text such as `asha` (which is `asha:eta=5`) or `patience:steps=10`, or in "
        "Python `ASHA(eta=5)` and the like; `none`, the default: none is. See [search.md](search.md#early-stopping)",
        Flag("POLICY", "End hopeless trials early, such as asha:eta=5."),
        line=_how_stopped,
    )
    pausing: bool = setting(
        False,
        SWITCH,
        "`train` saves and loads checkpoints, so `asha` and `hyperband` pause trials and promote the best of them "
        "later, rather than stop them for good. See [search.md](search.md#pause-and-promotion)",
        Flag("", "Pause trials rather than stop them: train saves and loads."),
    )
    stop_on_divergence: bool = setting(
        False,
        SWITCH,
        "end a trial as STOPPED when it reports NaN or an infinity for the metric (default: it is recorded, "
        "`diverged`, and trained on)",
        Flag("", "End a trial that reports NaN or an infinity."),
        line=lambda plan: f"stopped when {plan.metric} is NaN or infinite",
    )
    cpus: float = setting(
        1.0, AMOUNT, "CPU cores a trial; fractions below 1 share a core", Flag("X", "CPU cores a trial.")
    )
    gpus: float = setting(
        0.0,
        AMOUNT,
        "GPUs a trial; fractions below 1 share one: `0.25` shares it among four trials",
        Flag("X", "GPUs a trial; 0.25 shares one."),
    )
    process: str = setting(
        "warm",
        one_of("warm", "forked", "fresh"),
        '`"warm"` (default): a process trains one trial after another; `"forked"`: likewise, and they start sooner, as '
        'copies of one that has imported the libraries; `"fresh"`: each trial gets its own. See '
        "[python.md](python.md#processes)",
        Flag("", "Use processes again, fork them, or one for each trial."),
    )
    concurrency: int | None = setting(
        None,
        whole("≥ 1", 1),
        "trials at a time, at most; default: as many as there is room for",
        Flag("N", "Trials at a time, at most."),
    )
    max_attempts: int = setting(
        3,
        whole("≥ 1", 1),
        "how often a trial's process may die, no other trial being in it, before the trial is given up (default 3); "
        "deaths of its node are counted apart, up to ten",
    )
    trial_timeout: float | None = setting(
        None,
        SECONDS,
        "seconds after which a trial that still runs is ended as FAILED (timeout)",
        Flag("T", "How long a trial may take, such as 10m."),
    )
    time_limit: float | None = setting(
        None,
        SECONDS,
        "seconds after which the sweep ends in good order, with exit code 0 if there is a usable result; "
        "`caviar resume` goes on",
        Flag("T", "End in good order after this time, such as 30m."),
    )
    keep_checkpoints: int = setting(
        2,
        whole("≥ 1", 1),
        "how many of a trial's last checkpoints stay (default 2); its best one stays too: the first that was saved "
        "after the best value of the metric",
    )
    keep_every: int | None = setting(
        None,
        whole("≥ 1", 1),
        "steps: of each so many, the first checkpoint stays too, so that there is one to go back to",
    )
    guards: Sequence[Guard] = setting(
        (),
        SPECIAL,
        'rules that act where a trial goes wrong: `Guard(on="diverged", back="best", set={"lr": "*0.5"})` and the '
        "like. See [panda.md](panda.md#guards)",
        by_name=False,
    )
    max_failures: int | None = setting(
        None,
        whole("≥ 0", 0),
        "failed trials that end the sweep when there are more",
        Flag("N", "End the sweep when more trials fail."),
    )
    train_args: Mapping[str, Any] = setting(
        {},
        SPECIAL,
        "keyword arguments of `train` beside config and trial (and of `final`, those that it takes). They are kept "
        "with the sweep, and are the same when it is resumed: None, booleans, numbers (numpy's too), texts, bytes, "
        "paths, dates, ranges, and lists, tuples, sets and dicts of these; what else there is, let `train` make. "
        "Each trial gets copies of its own",
        by_name=False,
    )
    env: Mapping[str, str] | Sequence[str] = setting(
        {},
        SPECIAL,
        'environment variables that trials and what they start find: `{"OMP_NUM_THREADS": 4}`, kept with the '
        'sweep; `["HF_TOKEN"]`, or `{"HF_TOKEN": "env:HF_TOKEN"}`, keeps the name alone, and the value is that of '
        "the shell that runs or resumes the sweep. See [where a trial runs](#where-a-trial-runs)",
        line=lambda plan: f"with {', '.join(plan.env)} in the environment",
    )
    workdir: str | PurePath = setting(
        "",
        Kind("text", "is the path of a folder", lambda value: isinstance(value, (str, PurePath)), ""),
        "the folder in which the file is imported and trials begin, on each machine: a path from the folder of the "
        "experiment's file, or from `project` where `files` are kept. Default: that project, or the working folder "
        "of `caviar run`",
        line=lambda plan: f"in {plan.workdir}",
    )
    files: Sequence[str] = setting(
        (),
        SPECIAL,
        "files beside the experiment's that `train` reads, to keep with the sweep: names or globs such as "
        "`data/*.csv`, up to 100 MB in all. Trials then begin in a folder with these and the code, on every machine, "
        "and `__file__` is there; so `caviar resume` needs nothing else. See [cluster.md](cluster.md#what-travels)",
        Flag("GLOB", "Keep these files with the sweep, from FILE's folder; repeatable.", repeated=True),
        line=lambda plan: f"with its own copy of {', '.join(plan.files)}",
    )
    tags: Sequence[str] = setting(
        (),
        SPECIAL,
        "words to find the sweep by",
        Flag("TEXT", "A tag to find the sweep by; repeatable.", "--tag", repeated=True),
    )
    note: str = setting("", TEXT, "anything worth remembering", Flag("TEXT", "A note to keep with the sweep."))


SETTINGS = settings_of(Settings)
METRIC = Setting(name="metric", kind=TEXT, default=None, doc="the reported metric that decides")
SETTABLE = {"metric": METRIC, **{name: one for name, one in SETTINGS.items() if one.by_name}}
"""What `--set` changes by its name."""


def check_settings(holder: Any) -> None:
    """Raise SpecError where a setting of a dataclass breaks its rule; None passes where it is the default."""
    for item in fields(holder):
        declared, value = SETTINGS.get(item.name), getattr(holder, item.name)
        if declared is None or (value is None and item.default is None):
            continue
        if not declared.kind.holds(value):
            raise SpecError(f"{item.name} {declared.kind.rule}, but got {value!r}")
