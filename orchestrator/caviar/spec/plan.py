"""The plan: what a sweep is, frozen and JSON-able. It is stored when the sweep is made, and resuming needs no more."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from caviar.errors import SpecError, StoreError
from caviar.search.samplers import List, read_sampler, sampler_json, trial_seeds
from caviar.search.searchers import check_searcher
from caviar.search.stopping import PAUSING, PBT, Guard, guard_from_json, parse_stopping, stopping_text
from caviar.space import Choice, Constant, Parameter, Space, parameter_from_json, repeat_advice, scale_advice
from caviar.spec.arguments_json import arguments_from_json, arguments_to_json
from caviar.spec.direction import direction_advice
from caviar.spec.retested import Retested
from caviar.spec.secrets import referred, refuse_secrets, resolved, suspects
from caviar.spec.settings import SETTINGS, Settings, check_settings
from caviar.spec.variables import variables
from caviar.store.storable import DEEPEST, NotKept, check_kept
from caviar_workers.config_form import kept_name, own_name
from caviar_workers.tables import check_metric_name

Relation = Literal["zoom", "retest", "fork"]
"""What a sweep is to the one that it comes from: narrower ranges, its best on fresh seeds, or its trials changed."""

_EVERY = ("name", "metric", "mode", "trials", "seed", "space", "sampler")
"""Fields that every version has stored."""
_ABOVE = 3
"""How many objects of the sweep's description a value of the plan is nested in."""
_FIRST = (
    *("name", "metric", "mode", "trials", "seed", "space", "held", "sampler", "all_tiers"),
    *("parent", "relation", "rounds", "round", "retested"),
)
"""Fields that a stored plan begins with, in this order; the others follow as they are declared."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan(Settings):
    """What is searched, for what, and with which resources: the settings of a sweep, and what follows from them.

    Raises:
        SpecError: A field breaks its rule; the sentence states the rule and what it got.
    """

    name: str
    """What people call the sweep; it never becomes a path."""
    metric: str
    """The objective, one of the reported metrics."""
    mode: Literal["min", "max"]
    trials: int
    """How many configurations are trained, 1 … 2^30."""
    seed: int
    space: Space
    held: Mapping[str, Parameter] = field(default_factory=dict)
    """Parameters of a lower tier as they were declared, which `space` holds at their defaults."""
    parent: str | None = None
    """Id of the sweep that this one comes from."""
    relation: Relation | None = None
    """What it is to its parent; None: it has none."""
    rounds: tuple[int, ...] = ()
    """Trials of the rounds that follow this sweep, each zoomed into the one before."""
    round: int = 0
    """Which round of its run this sweep is, from 0."""
    retested: Retested | None = None
    """Of a retest, what it trains."""
    searcher: str = ""
    """Who chooses the points; empty: the sampler."""
    stopping: str = ""
    """Who goes on, as `caviar.search.stopping` spells it, such as `asha:eta=5`; empty: everybody."""
    env: Mapping[str, str] = field(default_factory=dict)
    workdir: str = ""
    files: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        _need(_text(self.name) and self.name != "", "a sweep's name is a word", self.name)
        try:
            check_metric_name(self.metric)
        except ValueError as error:
            raise SpecError(str(error)) from error
        _need(all(map(_text, (self.note, *self.tags))), "tags and note are text", self.tags)
        _need(all(map(_text, self.files)) and all(self.files), "files are names or globs of files", self.files)
        object.__setattr__(self, "env", variables(self.env))
        _need(_text(self.workdir) and "\0" not in self.workdir, "workdir is the path of a folder", self.workdir)
        _need((self.parent is None) == (self.relation is None), "a parent has a relation", self.relation)
        _need((self.relation == "retest") == (self.retested is not None), "a retest trains something", self.retested)
        _need(self.retested is None or len(self.retested.seeds) == self.trials, "a trial has a seed", self.trials)
        self._check_choosers()
        self._check_guards()
        check_settings(self)
        _need(all(map(SETTINGS["trials"].kind.holds, self.rounds)), "rounds are whole numbers of trials", self.rounds)
        _need(
            self.cpus + self.gpus > 0,
            "a trial needs a share of a CPU or of a GPU",
            f"cpus={self.cpus}, gpus={self.gpus}",
        )
        # As they will come back from the store, so that the first run has no others than those that resume it.
        object.__setattr__(self, "train_args", arguments_from_json(arguments_to_json(self.train_args)))
        self._check_kept()

    def _check_kept(self) -> None:
        """Whether the store can keep it, before anything is started for it."""
        data = self.to_json()
        space, arguments = data.pop("space"), data.pop("train_args")
        del data["sampler"]  # what it lists are values of the space
        parts = {f"space.{name}": one for name, one in space["parameters"].items()}
        parts |= {f"train.{name}": one for name, one in arguments.items()}
        for name, value in {**parts, **data}.items():
            try:
                check_kept(value, deepest=DEEPEST - _ABOVE)
            except NotKept as error:
                raise SpecError(f"{name} cannot be stored: {error}; write it otherwise") from None

    def _check_guards(self) -> None:
        given: Any = self.guards if isinstance(self.guards, (list, tuple)) else [self.guards]
        read = (one if isinstance(one, Guard) else guard_from_json(one) for one in given)
        guards = tuple(
            replace(one, set={name if name in self.space else kept_name(name): wish for name, wish in one.set.items()})
            for one in read
        )
        object.__setattr__(self, "guards", guards)
        for name in (name for one in guards for name in one.set):
            _need(
                name in self.space,
                f"a guard changes parameters: {', '.join(map(own_name, self.space))}",
                own_name(name),
            )

    def _check_choosers(self) -> None:
        if self.searcher:
            check_searcher(self.searcher)
        if self.stopping:
            policy = parse_stopping(self.stopping)
            object.__setattr__(self, "stopping", stopping_text(policy))
            saves = self.pausing or not policy.needs_pausing
            _need(saves, f"{policy.name} needs pausing=True, and a train that saves and loads", self.pausing)

    @property
    def halves(self) -> bool:
        """Whether the stop policy judges every trial, at its first step already, and can pause and promote."""
        return self.stopping.partition(":")[0] in PAUSING

    @property
    def breeds(self) -> bool:
        """Whether the stop policy forks trials."""
        return self.stopping.partition(":")[0] == PBT.name

    @property
    def bred(self) -> int:
        """How many trials it forks at each interval; fewer once some have failed."""
        policy = parse_stopping(self.stopping)
        return int(policy.share * self.trials) if isinstance(policy, PBT) else 0

    @property
    def pauses(self) -> bool:
        """Whether trials are paused and promoted: if they can be, and the stop policy is one that does so."""
        return self.pausing and self.halves

    def arguments(self) -> dict[str, Any]:
        """The keyword arguments of train, with what they refer to.

        Raises:
            SpecError: It is not there.
        """
        return resolved(self.train_args)

    def environment(self) -> dict[str, str]:
        """The environment variables of trials, likewise."""
        return resolved(self.env, "env")

    def check_references(self) -> None:
        """Raise SpecError where arguments or variables refer to what is not there, before anything starts."""
        self.arguments()
        self.environment()

    @property
    def hidden(self) -> tuple[str, ...]:
        """What these refer to: secrets, which nobody may write down."""
        return (*referred(self.train_args), *referred(self.env))

    def trial_seeds(self, start: int, count: int) -> npt.NDArray[np.uint32]:
        """Return the seeds of trials start .. start + count - 1, uint32 [count], all different."""
        if self.retested is not None:
            return np.array(self.retested.seeds[start : start + count], np.uint32)
        return trial_seeds(self.seed, start, count)

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values, from which `from_json` makes an equal plan."""
        names = dict.fromkeys((*_FIRST, *(item.name for item in fields(self))))
        data = {name: getattr(self, name) for name in names}
        return data | {
            "space": self.space.to_json(),
            "held": {name: one.to_json() for name, one in self.held.items()},
            "sampler": sampler_json(self.sampler),
            "train_args": arguments_to_json(self.train_args),
            "env": dict(self.env),
            "rounds": list(self.rounds),
            "guards": [one.to_json() for one in self.guards],
            "retested": None if self.retested is None else self.retested.to_json(),
            "files": list(self.files),
            "tags": list(self.tags),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Plan:
        """Read what `to_json` wrote; fields of a later version are left out.

        Raises:
            StoreError: A field that every version wrote is not there.
        """
        lacking = next((name for name in _EVERY if name not in data), None)
        if lacking is not None:
            raise StoreError(f"a stored plan has no {lacking}: restore the sweep's sweep.json from a copy.")
        known = {item.name: data[item.name] for item in fields(cls) if item.name in data}
        known["space"] = Space.from_json(known["space"])
        known["held"] = {name: parameter_from_json(one) for name, one in known.get("held", {}).items()}
        known["sampler"] = known["sampler"] if isinstance(known["sampler"], str) else read_sampler(known["sampler"])
        known["train_args"] = arguments_from_json(known.get("train_args", {}))
        known["rounds"] = tuple(known.get("rounds", ()))
        retested = known.get("retested")
        known["retested"] = None if retested is None else Retested.from_json(retested)
        known.setdefault("relation", None if known.get("parent") is None else "zoom")  # there was no other
        known["files"] = tuple(known.get("files", ()))
        known["tags"] = tuple(known.get("tags", ()))
        return cls(**known)


def refuse_stored_secrets(plan: Plan) -> None:
    """Refuse a plan that would put a secret into the store; `train_args` are looked at where they are given.

    Raises:
        SpecError: A text of it has the shape of a secret, or a value of the space the name of one.
    """
    for room, words in _words_of(plan).items():
        refuse_secrets(words, room)


def advice_of(plan: Plan) -> list[str]:
    """Return what to say of a plan before it runs, each a sentence: what it hardly means, what it should not keep."""
    listed = len(plan.sampler.configs) if isinstance(plan.sampler, List) else 0
    left = listed - plan.trials
    unheard = [f"first has {listed} configurations, of which {left} will not run: trials={plan.trials}"]
    return [
        *direction_advice(plan.metric, plan.mode),
        *scale_advice(plan.space),
        *(unheard if left > 0 else ()),
        *repeat_advice(plan.space, plan.trials),
        *doubtful(plan),
    ]


def doubtful(plan: Plan) -> list[str]:
    """Return a sentence for each value that may be a secret and is stored."""
    found = [f"train.{path}" for name, value in plan.train_args.items() for path, _ in suspects(name, value)]
    for words in _words_of(plan).values():
        found += [path for name, value in words.items() for path, _ in suspects(name, value)]
    return [
        f"{path} may be a secret, and is stored with the sweep: if it is one, write {path}=env:NAME, or let train "
        "read it from the environment"
        for path in found
    ]


def _words_of(plan: Plan) -> dict[str, dict[str, Any]]:
    """Return what a plan holds of a user's text beside `train_args`: whose it is → name → value."""
    parameters = {**plan.space, **plan.held}
    first = plan.sampler.configs if isinstance(plan.sampler, List) else ()
    return {
        "the sweep's": {
            "name": plan.name,
            "metric": plan.metric,
            "note": plan.note,
            "tags": plan.tags,
            "workdir": plan.workdir,
            "parameters": list(parameters),
        },
        "env": dict(plan.env),
        "space": {name: _options(one) for name, one in parameters.items()},
        "first": {name: [one[name] for one in first if not _number(one.get(name, 0))] for name in parameters},
    }


def _options(parameter: Parameter) -> list[Any]:
    """Return a parameter's options, but for numbers to search among, which are no secrets under any name."""
    if isinstance(parameter, Constant):
        return [parameter.value]
    return [one for one in parameter.options if not _number(one)] if isinstance(parameter, Choice) else []


def _number(value: object) -> bool:
    return isinstance(value, (int, float))


def _need(holds: bool, rule: str, got: object) -> None:
    if not holds:
        raise SpecError(f"{rule}, but got {got!r}")


def _text(value: object) -> bool:
    return isinstance(value, str)
