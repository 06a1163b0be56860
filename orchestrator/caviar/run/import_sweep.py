"""Makes a finished sweep of a table of trials that ran elsewhere: it has no code, so it is read and never run."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from caviar.errors import CaviarError, SpecError, did_you_mean
from caviar.results.imported import KIND, Imported
from caviar.run.import_mapping import Asked, mapped
from caviar.run.import_stores import MODE, RANGES, digest_of, read_source
from caviar.run.import_trials import Reports, Trials, trials_of
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
from caviar_workers.states import ENDED, Cause, Failure, State
from caviar_workers.tables import ATTEMPTS, CURVES, arrays_of, arrow_type

Say = Callable[[str], None]
ROWS_AT_ONCE = 2**19  # rows of curves that are handed to the writer at a time


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
        counts = Counter(map(str, _states(self.trials, self.plan.metric)))
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
                _write(writer, table)
            write_final(held.sweep, held.epoch, "finished")
    except BaseException:
        with suppress(CaviarError):
            store.remove(sweep)
        raise
    return sweep.id


def _write(writer: Writer, table: Table) -> None:
    trials, reports = table.trials, table.trials.reports
    writer.add("configs", _configs(trials, table.plan.space))
    if trials.names is not None:
        writer.add("logs", _names(trials.names, table.imported.file))
    counts = np.bincount(reports.trial, minlength=trials.count)
    rows = _curves(reports, counts)
    for start in range(0, rows.num_rows, ROWS_AT_ONCE):
        writer.add("curves", rows.slice(start, ROWS_AT_ONCE))
    writer.add("attempts", _attempts(trials, table.plan.metric, counts))


def _configs(trials: Trials, space: Space) -> pa.Table:
    u = np.full((trials.count, len(space)), 0.5)
    columns: dict[str, pa.Array] = {}
    for place, (name, one) in enumerate(space.items()):
        values = trials.parameters[name]
        there = np.array([value is not None for value in values])
        numbers = {value: number for number, value in enumerate(dict.fromkeys(v for v in values if v is not None))}
        which = np.array([numbers[value] for value in values if value is not None])
        u[there, place] = np.array([one.unit(value) for value in numbers])[which]
        codes = np.array([one.code(value) for value in numbers])[which]
        kept: Any = one.column(codes)
        whole = np.empty(trials.count, kept.dtype)
        whole[there] = kept
        columns[name] = pa.array(whole, arrow_type(one.kind), mask=~there)
    point = pa.ListArray.from_arrays(np.arange(trials.count + 1, dtype=np.int32) * len(space), pa.array(u.ravel()))
    number = np.arange(trials.count)
    fixed = {"trial": number, "seed": pa.array(trials.seeds, pa.int64()), "index": number, "u": point}
    arrays = dict(zip(fixed, arrays_of("configs", fixed, trials.count), strict=True))
    return pa.table({**arrays, **columns})


def _names(names: Sequence[str], file: str) -> pa.Table:
    """What the table calls each trial, as its output: there `caviar logs` shows it."""
    count = len(names)
    said = {
        "trial": np.arange(count),
        "attempt": np.zeros(count, np.int16),
        "_seq": np.zeros(count, np.int32),
        "time": pa.nulls(count, arrow_type("time")),
        "stream": ["out"] * count,
        "text": [f"{file}: {name}\n" for name in names],
    }
    return pa.table(dict(zip(said, arrays_of("logs", said, count), strict=True)))


def _curves(reports: Reports, counts: npt.NDArray[np.int64]) -> pa.Table:
    rows = len(reports.trial)
    starts = np.cumsum(counts) - counts
    arrays = [
        pa.array(reports.trial),
        pa.array(np.zeros(rows, np.int16)),
        pa.array((np.arange(rows) - starts[reports.trial]).astype(np.int32)),
        pa.array(np.zeros(rows, np.int64)),
        pa.array(reports.step),
        pa.nulls(rows, CURVES.field("time").type),
    ]
    fields = list(CURVES)
    for name, values in reports.metrics.items():
        arrays.append(pa.array(values, mask=~reports.present[name]))
        fields.append(pa.field(name, pa.float64()))
    return pa.Table.from_arrays(arrays, schema=pa.schema(fields))


def _attempts(trials: Trials, metric: str, counts: npt.NDArray[np.int64]) -> pa.Table:
    count, reports = trials.count, trials.reports
    states = _states(trials, metric)
    last = np.zeros(count, np.int64)
    last[reports.trial] = reports.step  # in order: the last one stays
    lack = f"the table has no value of {metric} for this trial"
    why = {
        None: (None, None),
        True: (Failure.ERROR.value, "the table says that it failed"),
        False: (Failure.METRIC.value, lack),
    }
    pairs = zip(states, trials.states, strict=True)
    endings = [why[said is State.FAILED if state is State.FAILED else None] for state, said in pairs]
    now = int(time.time() * 1000)
    columns: dict[str, Any] = {
        "trial": np.arange(count),
        "attempt": np.zeros(count, np.int16),
        "state": list(map(str, states)),
        "cause": [Cause.FIRST.value] * count,
        "kind": [kind for kind, _ in endings],
        "error": [error for _, error in endings],
        "started": [None] * count,
        "ended": [now] * count,
        "busy": np.zeros(count),
        "rows": counts,
        "step": pa.array(last, mask=counts == 0),
        "start": np.zeros(count, np.int64),
        "diverged": trials.diverged,
    }
    arrays, fields = arrays_of("attempts", columns, count), list(ATTEMPTS)
    for name in reports.metrics:
        arrays += _summary(reports, name, count)
        fields += [pa.field(f"{form}_{name}", pa.float64()) for form in ("last", "min", "max")]
    return pa.Table.from_arrays(arrays, schema=pa.schema(fields))


def _summary(reports: Reports, name: str, count: int) -> list[pa.Array]:
    """A metric's last value of each trial, and the smallest and the largest finite one."""
    there = reports.present[name]
    trial, values = reports.trial[there], reports.metrics[name][there]
    last, seen = np.zeros(count), np.zeros(count, np.bool_)
    last[trial], seen[trial] = values, True
    finite = np.isfinite(values)
    low, high, some = np.full(count, np.inf), np.full(count, -np.inf), np.zeros(count, np.bool_)
    np.minimum.at(low, trial[finite], values[finite])
    np.maximum.at(high, trial[finite], values[finite])
    some[trial[finite]] = True
    return [pa.array(last, mask=~seen), pa.array(low, mask=~some), pa.array(high, mask=~some)]


def _states(trials: Trials, metric: str) -> list[State]:
    """A trial is as the table says; if that says nothing, it completed if it has a value of the metric."""
    reported = np.zeros(trials.count, np.bool_)
    reported[trials.reports.trial[trials.reports.present[metric]]] = True
    begun = np.zeros(trials.count, np.bool_)
    begun[trials.reports.trial] = True
    found = []
    for said, value, began in zip(trials.states, reported.tolist(), begun.tolist(), strict=True):
        if said is None or said is State.COMPLETED:
            found.append(State.COMPLETED if value else State.FAILED)
        else:
            found.append(State.STOPPED if said is State.CANCELLED and began else said)
    return found
