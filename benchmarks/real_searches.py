"""What `best`, `understand`, `next` and `compare` say of real random searches, checked against the whole tables.

    python benchmarks/real_searches.py DIR [--samples 20] [--trials 64]

DIR holds `opda_alexnet.npz`, `opda_deberta.npz` and `lcbench_twelve.npz`. Each table is imported whole, as anybody
imports one; then random parts of it, of 64 trials each, are. What is said of a part is compared with what the whole
table says, or with what is in it: it is the truth that there is. A column of random numbers is added to each table, for
of two thousand trials almost every parameter is seen to matter a little.
"""

import argparse
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from caviar.results.best import best_document
from caviar.results.open_sweep import OpenSweep, open_sweep
from caviar.results.statistics.importance import LEVEL
from caviar.results.statistics.two_spaces import compare
from caviar.results.understand import understand_document
from caviar.results.understand_data import SweepData, sweep_data
from caviar.results.understand_findings import NextDocument, ParameterFindings, UnderstandDocument
from caviar.results.understand_next import next_document
from caviar.run.import_mapping import Asked
from caviar.run.import_sweep import import_trials, read_trials
from caviar.store import Store

TOP = 0.02
"""The best of a whole table: so many of its trials."""
NOISE = "a column of noise"
FEW = 16
PAIRS = 100
"""Pairs of parts that are compared."""
STRONG = 0.15
"""Share of the importance of a parameter that is called strong, in a whole table."""
LCBENCH = {
    "batch_size": "log:16..512",
    "learning_rate": "log:1e-4..0.1",
    "momentum": "log:0.1..0.99",
    "weight_decay": "1e-5..0.1",
    "num_layers": "1..5",
    "max_units": "log:64..1024",
    "max_dropout": "0..1",
}


@dataclass(frozen=True, kw_only=True)
class Search:
    """A table: arrays by their names, [n] or [n, steps]."""

    name: str
    arrays: dict[str, np.ndarray]
    params: tuple[str, ...]
    metric: str
    mode: str
    step: str | None = None
    steps: tuple[int, int] | None = None
    ranges: dict[str, str] = field(default_factory=dict)
    others: tuple[str, ...] = ()

    @property
    def count(self) -> int:
        """Trials."""
        return len(self.arrays[self.metric])


def searches(folder: Path) -> Iterator[Search]:
    """The tables."""
    alexnet = dict(np.load(folder / "opda_alexnet.npz", allow_pickle=False))
    yield Search(
        name="AlexNet",
        arrays=alexnet,
        params=("epochs", "batch_size", "lr", "lr_peak_epoch", "momentum", "weight_decay", "label_smoothing"),
        metric="curve_top_1",
        mode="max",
        step="step",
        ranges={"lr": "log:5e-3..50"},
        others=("curve_top_5",),
    )
    deberta = dict(np.load(folder / "opda_deberta.npz", allow_pickle=False))
    yield Search(
        name="DeBERTa",
        arrays=deberta,
        params=("num_train_epochs", "train_batch_size", "learning_rate", "warmup_steps", "cls_drop_out"),
        metric="curve_matched",
        mode="max",
        step="step",
        others=("curve_mismatched",),
    )
    tables = dict(np.load(folder / "lcbench_twelve.npz", allow_pickle=False))
    columns = dict(zip(LCBENCH, tables["X"].T, strict=True))
    for name in (one for one in tables if one.startswith("Y_")):
        yield Search(
            name=name.removeprefix("Y_"),
            arrays={**columns, name: tables[name]},
            params=tuple(LCBENCH),
            metric=name,
            mode="min",
            steps=(1, 50),
            ranges=LCBENCH,
        )


def with_noise(search: Search, rng: np.random.Generator) -> Search:
    """The table with one more parameter, which has no effect."""
    arrays = {**search.arrays, NOISE: rng.random(search.count)}
    return replace(search, arrays=arrays, params=(*search.params, NOISE))


def last(curves: np.ndarray) -> np.ndarray:
    """The last value of each curve; NaN: it has none."""
    rows = np.arange(len(curves))
    place = curves.shape[1] - 1 - np.isfinite(curves)[:, ::-1].argmax(axis=1)
    values: np.ndarray = curves[rows, place]
    return values


def stored(store: Store, search: Search, rows: np.ndarray, folder: Path) -> Any:
    """Import some rows of a table, by way of a file, as a user does."""
    path = folder / f"{search.name}.npz"
    names = (*search.params, search.metric, *search.others, *(["step"] if search.step else []))
    there = {name: search.arrays[name][rows] for name in names}
    if "diverged" in search.arrays:
        there["diverged"] = search.arrays["diverged"][rows]
    np.savez(path, **there)
    asked = Asked(
        params=search.params, metric=search.metric, metrics=search.others or (search.metric,), step=search.step
    )
    ranges, steps = search.ranges, search.steps
    table = read_trials(path, asked, lambda _: None, ranges=ranges, steps=steps, settings={"mode": search.mode})
    return store.find(import_trials(store, table, {}))


def told(opened: OpenSweep, document: UnderstandDocument) -> None:
    """Print what is said of a whole table."""
    best = best_document(opened, k=1)
    winner = best.trials[0]
    config = ", ".join(f"{name} {value:.3g}" for name, value in winner.config.items())
    print(f"  best       t{winner.trial}, {winner.value:.4g}: {config}")
    print(f"             {best.luck}")
    for one in sorted(document.parameters, key=lambda one: -(one.share or 0)):
        if one.matters:
            where = f"{one.low:.3g} to {one.high:.3g}" if one.low is not None else ", ".join(map(str, one.options))
            edge = f", presses on its {one.edge} end" if one.edge else ""
            share = f"{one.share:.2f} ({one.share_low:.2f} to {one.share_high:.2f})"
            print(f"  matters    {one.name:<18} {share}: {where}{edge}")
    unseen = [one.name for one in document.parameters if not one.matters]
    print(f"  no effect  {', '.join(unseen) or '-'}")
    print(f"  near best  {document.near_best}")
    if document.more is not None:
        more = document.more
        print(f"  more       {more.trials} more: better in {more.chance:.0%}, by {more.gain:.2g}")
    for caveat in document.caveats:
        print(f"  know       {caveat.text}")


def inside(one: ParameterFindings, values: np.ndarray) -> np.ndarray:
    """Which values lie in a parameter's region."""
    if one.low is None:
        return np.isin(values, one.options)
    return (values >= one.low) & (values <= one.high)


Found = dict[str, list[float]]
Values = dict[str, np.ndarray]


def checked(part: UnderstandDocument, whole: UnderstandDocument, top: Values, every: Values, found: Found) -> None:
    """What is said of parameters: against the verdicts of the whole table, and where its best trials lie."""
    truth = {one.name: one for one in whole.parameters}
    largest = max(whole.parameters, key=lambda one: one.share or 0).name
    said = [one for one in part.parameters if one.matters and one.name != NOISE]
    for one in part.parameters:
        real = truth[one.name]
        if one.name == NOISE:
            found["matters, is said of the column of noise"].append(one.matters)
        elif not real.matters:
            found["matters, is said of those that do not in the whole"].append(one.matters)
        else:
            size = "share of .15 and more" if (real.share or 0) >= STRONG else "smaller share"
            found[f"matters, is said of those that do, {size}"].append(one.matters)
        if one.matters and real.matters:
            low, high = max(one.share_low or 0, real.share_low or 0), min(one.share_high or 1, real.share_high or 1)
            found["the interval of its share meets that of the whole"].append(low <= high)
    for one in said:
        found["region of a parameter holds the whole's best 2 %"] += inside(one, top[one.name]).tolist()
        found["region of a parameter holds any trial"] += inside(one, every[one.name]).tolist()
        if one.edge is not None:
            found["edge is said, and of the whole too"].append(truth[one.name].edge == one.edge)
    found["edges said, a part"].append(sum(one.edge is not None for one in said))
    if said:
        found["largest share is the whole's largest"].append(max(said, key=lambda one: one.share or 0).name == largest)


def proposed(
    document: NextDocument, top: Values, every: Values, values: np.ndarray, rng: np.random.Generator, found: Found
) -> None:
    """Which trials the proposed space holds, and how good the best of a few of them is.

    Args:
        document: What is proposed.
        top: Parameter → values of the best of the whole table, the best first.
        every: Parameter → values of all its trials.
        values: Of the metric, of all: the best is 0, the median 1.
        rng: Draws the few.
        found: Where it goes.
    """
    for name, places in (("the whole's best 2 %", top), ("any trial", every)):
        held = np.ones(len(places[NOISE]), np.bool_)
        for one in document.parameters:
            if "low" in one.after:
                held &= (places[one.name] >= one.after["low"]) & (places[one.name] <= one.after["high"])
            elif "options" in one.after:
                held &= np.isin(places[one.name], one.after["options"])
        found[f"next: its space holds {name}"] += held.tolist()
        if name != "any trial":
            found["next: its space holds the whole's best trial"].append(bool(held[0]))
    chosen = np.flatnonzero(held)
    if len(chosen) < FEW:
        return
    for where, some in (("its", chosen), ("the old", np.arange(len(values)))):
        best = [values[rng.choice(some, FEW, replace=False)].min() for _ in range(20)]
        found[f"next: best of {FEW} trials in {where} space (of median − best)"] += best


def gained(
    part: SweepData, said: UnderstandDocument, rest: np.ndarray, rng: np.random.Generator, scale: float, found: Found
) -> None:
    """Whether as many other trials of the table beat the best, and by how much, beside what was said."""
    assert said.more is not None
    best, count = part.values.min(), len(part.values)
    new = [rng.choice(rest, count, replace=False).min() for _ in range(20)]
    found["as many more beat the best"] += [bool(one < best) for one in new]
    found["gain of as many more, in truth (of median − best)"] += [max(best - one, 0.0) / scale for one in new]
    found["gain of as many more, as said (of median − best)"].append(said.more.gain / scale)


def covered(document: UnderstandDocument, values: np.ndarray, mode: str) -> bool:
    """Whether the bands of the tuning curve hold the table's true median best of k, for all k at once."""
    assert document.curve is not None
    k = np.array(document.curve.trials)
    order = np.sort(values)
    true = order[np.ceil((1 - 0.5 ** (1 / k)) * len(order)).astype(int) - 1]
    sign = -1.0 if mode == "max" else 1.0
    low = np.array([-np.inf if one is None else sign * one for one in document.curve.best])
    high = np.array([np.inf if one is None else sign * one for one in document.curve.worst])
    return bool(((low <= true) & (true <= high)).all())


def measure(search: Search, samples: int, trials: int, seed: int, found: Found) -> None:
    """One table: what is said of the whole, and checks of what is said of parts."""
    rng = np.random.default_rng(seed)
    search = with_noise(search, rng)
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        store = Store.open(folder / "store", create=True)
        with open_sweep(store, stored(store, search, np.arange(search.count), folder), print) as opened:
            whole, data = understand_document(opened), sweep_data(opened)
            print(f"\n{search.name}: {len(data.trials)} trials, {data.rule}")
            told(opened, whole)
        every = {name: search.arrays[name][data.trials] for name in search.params}
        best = np.argsort(data.values, kind="stable")[: max(5, round(TOP * len(data.trials)))]
        top = {name: values[best] for name, values in every.items()}
        finite = data.values[np.isfinite(data.values)]
        scale = float(np.median(finite) - finite.min())
        for _ in range(PAIRS):
            pair = rng.choice(data.values, 2 * trials, replace=False)
            found["compare tells two parts apart"].append(compare(pair[:trials], pair[trials:], rng).p < LEVEL)
        for _ in range(samples):
            rows = rng.choice(search.count, trials, replace=False)
            with open_sweep(store, stored(store, search, rows, folder), print) as opened:
                part, said = sweep_data(opened), understand_document(opened)
                checked(said, whole, top, every, found)
                proposed(next_document(opened), top, every, (data.values - finite.min()) / scale, rng, found)
            gained(part, said, data.values[~np.isin(data.trials, rows)], rng, scale, found)
            found["bands hold the table's curve"].append(covered(said, data.values, search.mode))
            found["best, behind that of the whole (of median − best)"].append(
                (part.values.min() - finite.min()) / scale
            )
            for other in search.others:
                by_other = last(search.arrays[other][rows]) * (-1.0 if search.mode == "max" else 1.0)
                behind = by_other[said.winner] - np.nanmin(by_other)
                found[f"best, behind the best by {other} (of median − best)"].append(behind / scale)
            if (cut := said.diverged_region) is not None and whole.diverged_region is not None:
                found["cut of the diverged names the whole's parameter"].append(
                    cut.parameter == whole.diverged_region.parameter
                )


def report(title: str, found: dict[str, list[float]]) -> None:
    """Print means, and of how many."""
    print(f"\n{title}")
    for name in sorted(found):
        values = np.array(found[name], np.float64)
        shown = f"{values.mean():8.3f}  " if "median" in name or "a part" in name else f"{100 * values.mean():7.1f} %"
        print(f"  {name:<66} {shown}  of {len(values)}")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="of the tables")
    parser.add_argument("--samples", type=int, default=20, help="parts of each table")
    parser.add_argument("--trials", type=int, default=64, help="of each part")
    asked = parser.parse_args()
    began = time.process_time()
    groups: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for number, search in enumerate(searches(asked.folder)):
        group = "LCBench, twelve tables" if search.metric.startswith("Y_") else search.name
        measure(search, asked.samples, asked.trials, number, groups[group])
    for group, found in groups.items():
        report(f"{group}: parts of {asked.trials}, {asked.samples} of each table", found)
    print(f"\n{time.process_time() - began:.0f} CPU s")


if __name__ == "__main__":
    main()
