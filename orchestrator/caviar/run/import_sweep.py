"""Makes a finished sweep of a table of trials that ran elsewhere: it has no code, so it is read and never run."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from caviar.errors import CaviarError, SpecError, did_you_mean
from caviar.results.imported import KIND, Imported
from caviar.run.import_mapping import Asked, mapped
from caviar.run.import_rows import states_of, write_rows
from caviar.run.import_stores import MODE, RANGES, digest_of, read_source
from caviar.run.import_trials import Trials, trials_of
from caviar.search.samplers import make_sampler
from caviar.space import Choice, Parameter, Space
from caviar.space.inference import in_words, inferred, written
from caviar.spec.code_archive import pack
from caviar.spec.plan import Plan, refuse_stored_secrets
from caviar.store import Store
from caviar.store.finalize import write_final
from caviar.store.ownership import own
from caviar.store.writer import Writer
from caviar_workers.messages import Program
from caviar_workers.states import ENDED

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportDocument:
    """A table that was imported, or, with `--dry-run`, would be.

    Attributes:
        store: where the sweep is.
        sweep: its id; None: nothing was stored.
        name: its name.
        file: name of the table.
        sha256: of its bytes, in hex.
        tool: whose table it is; empty: of none that is known.
        trials: how many.
        reports: rows of their curves.
        states: state → trials in it.
        diverged: trials whose metric was NaN or infinite, or that the table calls diverged.
        metric: the objective.
        mode: `min` or `max`.
        mapping: which column is what.
        parameters: name → parameter, as a plan has it.
    """

    store: str
    sweep: str | None
    name: str
    file: str
    sha256: str
    tool: str
    trials: int
    reports: int
    states: dict[str, int]
    diverged: int
    metric: str
    mode: str
    mapping: dict[str, Any]
    parameters: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table that was read and understood, and is not stored yet."""

    plan: Plan
    trials: Trials
    imported: Imported
    mapping: dict[str, Any]

    def document(self, store: str, sweep: str | None) -> ImportDocument:
        """What is told of it."""
        counts = Counter(map(str, states_of(self.trials, self.plan.metric)))
        return ImportDocument(
            store=store,
            sweep=sweep,
            name=self.plan.name,
            file=self.imported.file,
            sha256=self.imported.sha256,
            tool=self.imported.tool,
            trials=self.trials.count,
            reports=len(self.trials.reports.trial),
            states={state.value: counts[state] for state in ENDED if counts[state]},
            diverged=int(self.trials.diverged.sum()),
            metric=self.plan.metric,
            mode=self.plan.mode,
            mapping=self.mapping,
            parameters={name: one.to_json() for name, one in self.plan.space.items()},
        )


def read_trials(
    path: Path,
    asked: Asked,
    say: Say,
    *,
    ranges: Mapping[str, str],
    steps: tuple[int, int] | None,
    settings: Mapping[str, Any],
    study: str | None = None,
) -> Table:
    """Read and understand a table.

    Args:
        path: The file.
        asked: Which column is what, as far as the user says.
        say: Told what was found out rather than said.
        ranges: Parameter → range or options, as `1e-4..1`, `log:1e-4..1` or `adam,sgd`; others are inferred.
        steps: Reports of steps outside of these are left out; None: none are.
        settings: Of the plan: mode, name, searcher, tags and note, where they are given.
        study: As of `read_source`.

    Raises:
        SpecError: Something of it cannot be understood, or breaks a rule of sweeps.
        NotFoundError: There is no such file.
    """
    table = read_source(path, study)
    notes = table.schema.metadata or {}
    mapping = mapped(table, asked)
    trials = _used(trials_of(table, mapping, steps), mapping.metric)
    known = json.loads(notes.get(RANGES, "{}"))
    ranges = {name: text for name, text in known.items() if name in trials.parameters} | dict(ranges)
    space = _space(trials, ranges)
    name = str(settings.get("name") or path.stem).encode("utf-8", "replace").decode()
    plan = Plan(
        **{
            "mode": notes.get(MODE, b"min").decode(),
            **settings,
            "name": name,
            "metric": mapping.metric,
            "trials": trials.count,
            "seed": 0,
            "space": space,
        }
    )
    refuse_stored_secrets(plan)
    rows = list(zip(*trials.parameters.values(), strict=True))
    imported = Imported(
        file=path.name.encode("utf-8", "replace").decode(),
        sha256=digest_of(path),
        tool=mapping.tool,
        repeated=len(set(rows)) < len(rows),
    )
    found = Table(plan=plan, trials=trials, imported=imported, mapping=asdict(mapping))
    for sentence in _told(found, ranges):
        say(sentence)
    return found


def _used(trials: Trials, metric: str) -> Trials:
    """The trials without metrics of which no value is there; SpecError where that is so of the objective."""
    reports = trials.reports
    some = {name for name, there in reports.present.items() if there.any()}
    if metric not in some:
        raise SpecError(f"the column {metric!r} has no value in any trial: name another one by --metric")
    metrics = {name: values for name, values in reports.metrics.items() if name in some}
    return replace(
        trials, reports=replace(reports, metrics=metrics, present={name: reports.present[name] for name in metrics})
    )


def _space(trials: Trials, ranges: Mapping[str, str]) -> Space:
    for name in ranges:
        if name not in trials.parameters:
            raise SpecError(f"--space: there is no parameter {name!r}{did_you_mean(name, trials.parameters)}")
    found: dict[str, Parameter] = {}
    for name, values in trials.parameters.items():
        given = [one for one in values if one is not None]
        if not given:
            raise SpecError(f"the parameter {name!r} has no value in any trial: leave it out of --params")
        try:
            whole = all(type(one) is int for one in given)
            found[name] = written(ranges[name], whole=whole) if name in ranges else inferred(given)
            for one in set(given):
                found[name].code(one)
        except SpecError as error:
            raise SpecError(f"parameter {name!r}: {error}; say what it is by --space {name}=LOW..HIGH") from error
    return Space({name: _conditional(name, one, found, trials.parameters) for name, one in found.items()})


def _conditional(
    name: str, parameter: Parameter, found: Mapping[str, Parameter], values: Mapping[str, Sequence[Any]]
) -> Parameter:
    """The parameter, with the condition that tells where it has no value: another one's options, if any do."""
    if None not in values[name]:
        return parameter
    there = [one is not None for one in values[name]]
    for other, choice in found.items():
        if other == name or not isinstance(choice, Choice) or None in values[other]:
            continue
        seen = set(zip(values[other], there, strict=True))
        if len(seen) == len(set(values[other])):
            return replace(parameter, when={other: [one for one in choice.options if (one, True) in seen]})
    return parameter


def _told(table: Table, ranges: Mapping[str, str]) -> list[str]:
    """What was found out of a table, in sentences."""
    mapping, trials, plan = table.mapping, table.trials, table.plan
    whose = f" of {table.imported.tool}" if table.imported.tool else ""
    trial = "one a row" if mapping["trial"] is None else f"by the column {mapping['trial']}"
    step = "counted from 0" if mapping["step"] is None else f"by the column {mapping['step']}"
    seed = "not known" if mapping["seed"] is None else f"by the column {mapping['seed']}"
    told = [f"table{whose}: trials {trial}, steps {step}, seeds {seed}"]
    told += [f"metric {plan.metric}: {plan.mode}" + ("" if len(trials.reports.metrics) == 1 else _further(table))]
    for name, one in plan.space.items():
        how = "" if name in ranges else " (inferred)"
        missing = sum(value is None for value in trials.parameters[name])
        lack = f", missing in {missing} trials, which count as its middle" if missing else ""
        lack = lack if one.when is None else f", only when {one.when}"
        told.append(f"parameter {name}: {in_words(one)}{how}{lack}")
    if trials.ended_early and mapping["step"] is None:
        told.append(f"{trials.ended_early} curves of {plan.metric} are NaN to their end: they count as shorter ones")
    if left := [name for name in mapping["left_out"] if name]:
        told.append(f"left out: {', '.join(left)}")
    if table.imported.tool == "Optuna" and not plan.searcher:
        told.append(
            "Optuna draws by TPE unless told otherwise: if it did, add --searcher optuna:tpe, so that this is known"
        )
    return told


def _further(table: Table) -> str:
    return f"; also {', '.join(name for name in table.trials.reports.metrics if name != table.plan.metric)}"


def import_trials(store: Store, table: Table, origin: Mapping[str, Any]) -> str:
    """Store a table as a finished sweep; returns its id. Where that fails, nothing of it stays.

    Args:
        store: The store.
        table: What was read.
        origin: Provenance of this command.

    Raises:
        StoreError: The store cannot be written.
    """
    plan = table.plan
    description = {
        "plan": plan.to_json(),
        "provenance": {**origin, "imported": {**asdict(table.imported), "mapping": table.mapping}},
        "program": {"digest": table.imported.sha256, "kind": KIND},
        "sampler_identity": make_sampler(plan.sampler, plan.space, plan.seed, plan.trials).identity(),
    }
    sweep = store.create_sweep(description, pack(Program(digest=table.imported.sha256, train="")))
    try:
        with own(sweep, purpose="imported") as held:
            with Writer(held.sweep, held.epoch, sealing=True) as writer:
                write_rows(writer, table.trials, space=plan.space, metric=plan.metric, file=table.imported.file)
            write_final(held.sweep, held.epoch, "finished")
    except BaseException:
        with suppress(CaviarError):
            store.remove(sweep)
        raise
    return sweep.id
