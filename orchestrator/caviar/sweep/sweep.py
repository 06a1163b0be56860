"""The public description of a sweep: a function, a search space, and what counts as good."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import KW_ONLY, dataclass, field, replace
from functools import cached_property, partial
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any, cast

from caviar.errors import SpecError
from caviar.search.zoom import FEWEST
from caviar.space import Space, check_listed, hold_lower_tiers
from caviar.space.call_hints import called_as
from caviar.spec.code_snapshot import ROLES
from caviar.spec.code_source import program_of
from caviar.spec.command_source import check_command, title_of
from caviar.spec.config_class import check_config_class
from caviar.spec.overrides import check_arguments, overridden
from caviar.spec.plan import Plan, refuse_stored_secrets
from caviar.spec.provenance import provenance
from caviar.spec.settings import SETTINGS, SPECIAL, Settings, documented, setting
from caviar.spec.variables import variables
from caviar.sweep.starting import refuse_import
from caviar_workers.command import Command
from caviar_workers.config_form import flat

if TYPE_CHECKING:
    from caviar.display.progress import ProgressDisplay
    from caviar.run.try_out import TryDocument
    from caviar.search.samplers import Grid, List
    from caviar.space import Parameter
    from caviar.sweep.result import Result
    from caviar_workers.messages import Program


@dataclass(frozen=True)
class _Subject:
    """The settings that a sweep cannot do without."""

    train: Callable[..., Any]
    space: Mapping[str, Any]
    metric: str


@called_as(
    "Sweep(train, space, metric)",
    num_samples="trials=…",
    n_trials="trials=…",
    search_alg="searcher=…",
    scheduler="stopping=…",
    pruner="stopping=…",
    direction="mode='min' or mode='max'",
    config="space=…",
    param_space="space=…",
    max_concurrent_trials="concurrency=…",
    n_jobs="concurrency=…",
    timeout="time_limit=…",
)
@documented
@dataclass(frozen=True)
class Sweep(Settings, _Subject):
    """One search: which configurations of `train` are tried, and which of them is the best.

    Attributes:
        train: `train(config, trial)`, which calls `trial.report(step, **metrics)`; a generator that yields dicts
            with a `step`; or a function that returns its one result. It needs no import of ours. Or a program of any
            language: `Command("python train.py {args}")`.
        space: Parameter name → Float, Int, Choice or Constant; a bare list is a Choice, a bare value a Constant.
        metric: The reported metric that decides.
        …

    Raises:
        SpecError: A field breaks its rule. It is a ValueError.
    """

    _: KW_ONLY
    first: Sequence[Mapping[str, Any]] = setting(
        (),
        SPECIAL,
        'configurations to try before the sampler\'s, such as a known baseline: `[{"lr": 3e-4}]`; `train` gets the '
        "very values. What they leave out is at its default. With as many `trials` as there are, nothing else runs",
    )
    constraint: Callable[[Mapping[str, Any]], Any] | None = setting(
        None,
        SPECIAL,
        "`constraint(config)` says whether a configuration may be tried. What it rejects is skipped: `index` in "
        "`trials` is the sampler's own count. Depend on `config` alone; it travels and resumes with the code",
    )
    final: Callable[..., Any] | None = setting(
        None,
        SPECIAL,
        "`final(config, trial)`, run once, for the winner, after the search, such as for the error on a test set that "
        "no choice was based on; returns a dict of metrics, or reports them. If it gives none, or returns anything "
        "else, that is an error and nothing of it is kept: `caviar resume` runs it again once it is mended. It is "
        "scheduled as a trial is: tried again where its process dies, ended after `trial_timeout`, by Ctrl-C and by "
        "`caviar stop`, and then too `caviar resume` runs it again",
    )
    data: Callable[..., Any] | None = setting(
        None,
        SPECIAL,
        "`data()`, which loads what all trials read, and takes those of `train_args` that it wants; called once a "
        "sweep, on the cluster. Each trial finds what it returned as `trial.data`",
    )
    project: str | PurePath | None = setting(
        None,
        SPECIAL,
        "the folder that `files` are named from, and in which trials begin, where some are kept: a path from the "
        "experiment's file; default: the folder of that file, or of its outermost package",
    )
    snapshot: Program | None = field(default=None, repr=False, compare=False)
    """The code that the sweep was loaded from; set by `caviar.cli.experiment_file`."""
    packages: bytes = field(default=b"", repr=False, compare=False)
    """Packages that travel with it, as a zip; set by `caviar run --requirements`."""

    def __post_init__(self) -> None:
        for name in ("train_args", "env", "first", "rounds", "files", "tags"):
            with suppress(Exception):  # what cannot be copied cannot be kept either, as is said below
                object.__setattr__(self, name, copy.deepcopy(getattr(self, name)))
        for function, what in ((self.train, "train(config, trial)"), (self.final, "final(config, trial)")):
            if function is not None and not callable(function):
                raise SpecError(f"{what.partition('(')[0]} is a function {what}, but got {function!r:.60}")
        if self.constraint is not None and not callable(self.constraint):
            raise SpecError(f"constraint is a function constraint(config) → bool, but got {self.constraint!r:.60}")
        if self.data is not None and not callable(self.data):
            raise SpecError(
                f"data is a function that loads it, data(), but got {self.data!r:.60}: write data=lambda: …"
            )
        if self.constraint is not None and self.searcher:
            raise SpecError("a searcher cannot keep a constraint yet, but got both: leave one out")
        _check_words(self.name, self.tags)
        check_arguments(self.train, self.train_args)
        object.__setattr__(self, "space", self.space if isinstance(self.space, Space) else Space(self.space))
        if isinstance(self.train, Command):
            check_command(self.train, self.space)
            if self.workdir and self.train.folder:
                raise SpecError("a command begins in its folder, and the sweep has a workdir too: leave one out")
        object.__setattr__(self, "first", [_flat(one, self.space) for one in self.first])
        check_config_class(self.train, cast("Space", self.space))
        refuse_stored_secrets(self.plan)

    @cached_property
    def plan(self) -> Plan:
        """The sweep as the store keeps it: plain data, without the functions."""
        from caviar.search.samplers import USUAL_TRIALS, List, make_sampler, usual_trials  # noqa: PLC0415 — costs a second
        from caviar.search.stopping import parse_stopping, stopping_text  # noqa: PLC0415

        space = cast("Space", self.space)  # made one in __post_init__
        held: dict[str, Parameter] = {}
        first, *later = _rounds(self.rounds, self.trials)
        budget = first + sum(later) if later else USUAL_TRIALS if first is None else first
        if not self.all_tiers and isinstance(budget, int):
            space, held = hold_lower_tiers(space, budget)
        sampler = self._sampler()
        given = {name: getattr(self, name) for name in SETTINGS} | {
            "name": self.name or self._file_stem() or "sweep",
            "trials": usual_trials(sampler, space) if first is None else first,
            "rounds": tuple(later),
            "sampler": sampler,
            "searcher": self.searcher or "",
            "stopping": "" if self.stopping in (None, "", "none") else stopping_text(parse_stopping(self.stopping)),
            "train_args": dict(self.train_args),
            "workdir": "" if isinstance(self.train, Command) else _path_text(self.workdir),  # of a command, its folder
            "files": _words(self.files),
            "tags": _words(self.tags),
        }
        plan = Plan(metric=self.metric, space=space, held=held, **given)
        if plan.guards:
            from caviar.run.engine.guard_runner import check_guards  # noqa: PLC0415 — few sweeps have any

            check_guards(plan.space, plan.guards)
        if isinstance(plan.sampler, List):
            check_listed(plan.sampler.configs, held)
        make_sampler(plan.sampler, plan.space, plan.seed, plan.trials)
        return replace(plan, sampler=plan.sampler.plain(plan.space)) if isinstance(plan.sampler, List) else plan

    @property
    def program(self) -> Program:
        """The code as it is now, each time it is asked for; `caviar.cli.experiment_file` took it when it read the
        file.
        """
        functions = {role: getattr(self, role) for role in ROLES}
        if isinstance(self.train, Command) and self.workdir:
            functions["train"] = replace(self.train, folder=str(self.workdir))
        program = program_of(functions, self.snapshot)
        if not self.files and not self.packages:
            return program
        from caviar.spec.project_archive import home_of, with_project  # noqa: PLC0415 — workers describe, and need no more

        root = home_of(program) / (self.project or "")
        return with_project(program, root, _words(self.files), packages=self.packages)

    def override(self, changes: Mapping[str, Any]) -> Sweep:
        """Return the same sweep with some settings changed.

        Args:
            changes: Dotted name → value: a field (`trials`), a keyword of train (`train.epochs`), or a bound of a
                parameter (`space.lr.high`).

        Raises:
            SpecError: There is no such setting, or the value breaks its rule.
        """
        if not changes:
            return self
        env = {name.removeprefix("env."): value for name, value in changes.items() if name.startswith("env.")}
        others = {name: value for name, value in changes.items() if not name.startswith("env.")}
        fields = overridden(others, train=self.train, space=cast("Space", self.space), train_args=self.train_args)
        if env:
            fields["env"] = variables(self.env) | variables({name: str(value) for name, value in env.items()})
        return replace(self, **fields)

    def run(
        self,
        store: str | PurePath | None = None,
        *,
        address: str | None = None,
        progress: ProgressDisplay | None = None,
        resume_or_start: bool = False,
        key: str = "",
    ) -> Result:
        """Train all trials and wait for them.

        Args:
            store: Folder or URI of the results store; None: $CAVIAR_STORE, else ./caviar-store.
            address: A Ray cluster to join (`auto`, `host:port`); None: start Ray on this machine, and keep it
                for the next sweep of this process; `caviar.shutdown()` stops it.
            progress: The display; None: one that suits the terminal or notebook.
            resume_or_start: Whether this sweep is to be in the store once, however often this is called: one that runs
                is waited for, one that was interrupted is resumed, and of one that is finished the result is returned.
            key: With `resume_or_start`, the word by which it is told; empty: its settings, code and files.

        Raises:
            CaviarError: The sweep, the store or the cluster is at fault, or no trial has a usable result.
            SweepInterrupted: Ctrl-C, SIGTERM or a closed terminal; it is a KeyboardInterrupt. `caviar resume` goes on.
        """
        refuse_import()
        from caviar.display.choose_display import choose_display  # noqa: PLC0415
        from caviar.display.typed_commands import told_for  # noqa: PLC0415
        from caviar.results import store_path  # noqa: PLC0415
        from caviar.results.family import searched  # noqa: PLC0415
        from caviar.run.driver import run_sweep  # noqa: PLC0415 — describing a sweep, as workers do, needs none of this
        from caviar.run.resume_or_start import resume_or_start as resume_or_start_  # noqa: PLC0415
        from caviar.store import Store  # noqa: PLC0415
        from caviar.sweep.result import Result  # noqa: PLC0415

        path = store_path(store)
        program = self.program
        source = program.files.get(program.module, ("", ""))[0]
        with told_for(store):
            sweep_dir = (partial(resume_or_start_, key=key) if resume_or_start else run_sweep)(
                self.plan,
                program,
                path,
                address=address,
                progress=progress or choose_display(),
                provenance=provenance(Path(source) if source else None),
            )
        result = Result(path, searched(Store.open(path), sweep_dir).id)
        result.program = program  # in case it lives in no file
        return result

    def try_(self, config: Mapping[str, Any] | None = None) -> TryDocument:
        """Train one trial in this thread, without Ray, and store nothing: breakpoints work, its output is seen at once.

        Args:
            config: Which configuration; None: the sweep's first one.

        Returns:
            What it reported, whether a second attempt goes on from its checkpoint, and how long the sweep would take.

        Raises:
            SpecError: The configuration is none of the space.
            Exception: What train raised.
        """
        from caviar.run.try_out import try_trial  # noqa: PLC0415

        config = None if config is None else _flat(config, self.space)
        from caviar_workers.messages import Program  # noqa: PLC0415

        # The functions themselves: a snapshot would be imported in the place of this process's own modules.
        functions = {role: getattr(self, role) for role in ROLES if getattr(self, role) is not None}
        names: dict[str, Any] = {role: role for role in functions}
        program = Program(digest="tried", functions=functions, **names)
        document, raised = try_trial(self.plan, program, config)
        if raised is not None:
            raise raised
        return document

    def _sampler(self) -> str | Grid | List:
        """The sampler, after the configurations that come first."""
        from caviar.search.samplers import List, read_sampler  # noqa: PLC0415

        if not self.first:
            return self.sampler
        then = read_sampler(self.sampler)
        if isinstance(then, List):
            return List([*self.first, *then.configs], then.then)
        return List(self.first, then)

    def _file_stem(self) -> str:
        if self.snapshot is not None:
            return Path(self.snapshot.files[self.snapshot.module][0]).stem
        if isinstance(self.train, Command):
            return title_of(self.train)
        code = getattr(self.train, "__code__", None)
        file = Path(code.co_filename) if code is not None else None
        return file.stem if file is not None and file.suffix == ".py" and file.is_file() else ""


def _path_text(path: Any) -> Any:
    """A path as text; what is none is refused by who reads it."""
    return str(path) if isinstance(path, PurePath) else path


def _flat(config: Any, space: Mapping[str, Any]) -> Any:
    """A configuration by dotted names; what is none is refused by who reads it."""
    return flat(config, space) if isinstance(config, Mapping) else config


def _rounds(rounds: Any, trials: int | None) -> list[Any]:
    """The trials of each round; without rounds, there is one, of which it may not be said how many it has."""
    if not isinstance(rounds, Sequence) or isinstance(rounds, str):
        raise SpecError(f"rounds are numbers of trials, such as [25, 25], but got {rounds!r}")
    given: list[Any] = list(rounds)
    if not given:
        return [trials]
    if not all(isinstance(one, int) and not isinstance(one, bool) and one >= FEWEST for one in given):
        raise SpecError(f"rounds are whole numbers of trials, at least {FEWEST} each, but got {given!r}")
    if trials not in (None, sum(given)):
        raise SpecError(f"rounds={given} are {sum(given)} trials in all, but got trials={trials}: leave trials out")
    return given


def _check_words(name: object, tags: object) -> None:
    """See that name and tags can be seen, and typed; those of stored sweeps are read as they are."""
    if isinstance(name, str) and name and (not name.strip() or len(name.splitlines()) > 1):
        raise SpecError(f"a sweep's name is a word or a few, in one line, but got {name!r:.60}")
    for tag in _words(tags):
        if not str(tag).strip():
            raise SpecError(f"a tag is a word to find the sweep by, but got {tag!r:.60}")


def _words(tags: object) -> tuple[str, ...]:
    if not isinstance(tags, Iterable):
        raise SpecError(f"tags are words, but got {tags!r}")
    return (tags,) if isinstance(tags, str) else tuple(tags)
