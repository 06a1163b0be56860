"""What a trial reported counts, in whichever attempt: while its sweep runs, from the store, and when it is final."""

from __future__ import annotations

import itertools
import json
import math
import random
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from histories import MOST, OBJECTIVE, OTHER, Known, Mortal, Script, known, scripts, train

from caviar.cli.main import main
from caviar.results.progress import ProgressReader, progress_document
from caviar.results.selector import select
from caviar.run.engine.checkpoint_store import StoredCheckpoints
from caviar.run.engine.ports import Ports
from caviar.run.engine.scheduler import Scheduler
from caviar.run.engine.trial_source import SampledTrials
from caviar.run.run_progress import RunProgress
from caviar.search.samplers import make_sampler
from caviar.space import Float, Space
from caviar.spec.plan import Plan
from caviar.store import Store, SweepDir, Views, Writer
from caviar.store.checkpoints import saves_of
from caviar.store.finalize import finalize
from caviar_workers.messages import Program

RULES = ("last", "best", "smoothed")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """A sweep that ran, and has not been made final."""

    store: Store
    sweep: SweepDir
    plan: Plan
    scheduler: Scheduler
    run_progress: RunProgress
    followed: ProgressReader
    """Has read the store again and again while the sweep ran."""
    epoch: int
    turns: dict[int, list[int]]
    """Trial → the number of each of its attempts that trained."""


@contextmanager
def ran(folder: Path, plot: dict[int, list[Script]], mode: str, rule: str) -> Iterator[Ran]:
    """Run a sweep whose trials do what the plot says."""
    plan = Plan(
        name="s",
        metric=OBJECTIVE,
        mode=mode,  # type: ignore[arg-type]
        rule=rule,  # type: ignore[arg-type]
        trials=len(plot),
        seed=0,
        space=Space({"lr": Float(0.0, 1.0)}),
        max_attempts=5,
    )
    grave: set[int] = set()
    turns: dict[int, list[int]] = {}
    program = Program(
        digest="d", train="train", functions={"train": partial(train, plot=plot, grave=grave, turns=turns)}
    )
    store = Store.open(folder, create=True)
    sampler = make_sampler(plan.sampler, plan.space, plan.seed, plan.trials)
    sweep = store.create_sweep({"plan": plan.to_json()}, b"code")
    epoch = sweep.claim()
    executor = Mortal(program, grave)
    followed = ProgressReader(store, sweep)
    ticks = itertools.count()

    def follow() -> None:
        if next(ticks) % 5 == 0:
            writer.flush()
            followed.read()

    run_progress = RunProgress(store, sweep, plan, already=0, curves=True)
    with run_progress, Writer(sweep, epoch) as writer:
        vault = StoredCheckpoints(store, sweep, plan, writer, epoch)
        ports = Ports(executor=executor, sink=writer, checkpoints=vault)
        scheduler = Scheduler(plan, sweep.id, SampledTrials(plan, sampler), ports, on_tick=follow)
        assert scheduler.run() is None
    vault.settle()
    yield Ran(
        store=store,
        sweep=sweep,
        plan=plan,
        scheduler=scheduler,
        run_progress=run_progress,
        followed=followed,
        epoch=epoch,
        turns=turns,
    )
    executor.close()
    sweep.release(epoch)


def same(found: float | None, expected: float | None) -> bool:
    """Equal, where NaN is equal to NaN."""
    if found is None or expected is None:
        return found is expected
    return found == expected or (math.isnan(found) and math.isnan(expected))


def check_trials(views: Views, truth: dict[int, Known], mode: str) -> None:
    """Each row of `trials` says what the living history says."""
    metrics = [metric for metric in (OBJECTIVE, OTHER) if metric in views.metrics()]
    cells = ", ".join(f"last_{metric}, best_{metric}" for metric in metrics)
    rows = views.execute(f"SELECT trial, state, rows, step, diverged, {cells} FROM trials").fetchall()
    assert len(rows) == len(truth)
    for trial, state, count, step, diverged, *summaries in rows:
        one = truth[trial]
        assert (state, count) == (one.state, len(one.rows)), (trial, one)
        assert step == (one.rows[-1][0] if one.rows else None), (trial, one)
        assert bool(diverged) == one.diverged, (trial, one)
        for place, metric in enumerate(metrics):
            last, best = one.last(metric), one.best(metric, mode)
            assert same(summaries[2 * place], last and last[1]), (trial, metric, one)
            assert same(summaries[2 * place + 1], best and best[1]), (trial, metric, one)


def check_attempts(views: Views, truth: dict[int, Known]) -> None:
    """The summary of an attempt that came to its end is that of the curve which it carries on."""
    rows = views.execute(
        f"SELECT trial, last_{OBJECTIVE}, min_{OBJECTIVE}, max_{OBJECTIVE}, diverged FROM attempts "
        "WHERE busy IS NOT NULL QUALIFY row_number() OVER (PARTITION BY trial ORDER BY attempt DESC) = 1"
    ).fetchall()
    assert rows
    for trial, last, low, high, diverged in rows:
        one = truth[trial]
        for found, expected in (
            (last, one.last(OBJECTIVE)),
            (low, one.best(OBJECTIVE, "min")),
            (high, one.best(OBJECTIVE, "max")),
        ):
            assert same(found, expected and expected[1]), (trial, one)
        assert diverged == one.diverged, (trial, one)


def ranking(truth: dict[int, Known], rule: str, mode: str) -> list[tuple[int, int, float]]:
    """(trial, step, value) of those that compete, best first."""
    found = []
    for trial, one in truth.items():
        if one.state == "COMPLETED" and not one.diverged:
            pair = (
                one.last(OBJECTIVE)
                if rule == "last"
                else one.best(OBJECTIVE, mode)
                if rule == "best"
                else one.smoothed(OBJECTIVE)
            )
            assert pair is not None
            found.append((trial, *pair))
    return sorted(found, key=lambda entry: (entry[2] if mode == "min" else -entry[2], entry[0]))


def check_winners(views: Views, description: dict[str, Any], truth: dict[int, Known], mode: str) -> None:
    """Each rule ranks, and counts, those that compete; the step is the value's own."""
    for rule in RULES:
        expected = ranking(truth, rule, mode)
        selection = select(views, description, rule=rule, k=99)
        assert [(row.trial, row.step, row.value) for row in selection.rows] == expected, (rule, truth)
        assert selection.compared == len(expected)
        if expected:
            assert f" {len(expected)} completed trial" in selection.rule


def check_progress(sweep: Ran, truth: dict[int, Known], rule: str, mode: str) -> None:
    """Whoever followed the sweep from its beginning knows what one look at its end tells."""
    expected = [(trial, value) for trial, _, value in ranking(truth, rule, mode)[:5]]
    for said in (sweep.followed.read(), progress_document(sweep.store, sweep.sweep)):
        assert [(row.trial, row.value) for row in said.best] == expected
        for row in said.best:
            reported = [values[OBJECTIVE] for _, values in truth[row.trial].rows if OBJECTIVE in values]
            assert row.curve is not None
            assert all(map(same, row.curve, reported)), (row, truth[row.trial])
            assert len(row.curve) == len(reported)
        assert said.counts == dict(Counter(one.state for one in truth.values()))
        assert said.done == len(truth)


def check(folder: Path, seed: int, trials: int) -> None:
    """One sweep of which chance wrote the script, held against the oracle."""
    chance = random.Random(seed)
    mode, rule = chance.choice(["min", "max"]), chance.choice(RULES)
    plot = {trial: scripts(chance) for trial in range(trials)}
    truth = {trial: known(attempts) for trial, attempts in plot.items()}
    with ran(folder, plot, mode, rule) as sweep:
        description = sweep.sweep.description()
        for final in (False, True):
            if final:
                finalize(sweep.sweep, sweep.epoch)
            check_progress(sweep, truth, rule, mode)
            with Views(sweep.store, [sweep.sweep]) as views:
                check_trials(views, truth, mode)
                check_attempts(views, truth)
                check_winners(views, description, truth, mode)
        best = [(trial, value) for trial, _, value in ranking(truth, rule, mode)[:5]]
        assert [(row.trial, row.value) for row in sweep.run_progress.read(sweep.scheduler).best] == best
        for trial, one in truth.items():
            if not all(script.loads for script in plot[trial]):
                continue  # only its checkpoints tell that an attempt began anew, and it may have saved late
            turn, step = one.best_save(mode)
            kept = [(save.attempt, save.step) for save in saves_of(sweep.sweep, trial)]
            assert turn is None or (sweep.turns[trial][turn], step) in kept, (trial, one, kept)


@pytest.mark.parametrize("seed", [2])
def test_a_trial_is_its_living_history(tmp_path: Path, seed: int) -> None:
    check(tmp_path, seed, 12)


def test_the_largest_numbers_and_the_last_step_pass_through_all_that_reads(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plot = {}
    for trial, values in enumerate([(1.7e308, -1.7e308), (-1.7e308, 1.7e308), (5e-324, 1e-323), (1e-323, 5e-324)]):
        steps = (0, MOST - 1, MOST)
        whole = tuple((step, ({OBJECTIVE: one},), True) for step, one in zip(steps, (*values, values[1]), strict=True))
        plot[trial] = [Script(loads=True, reports=whole, end="dies"), Script(loads=True, reports=whole, end="returns")]
    truth = {trial: known(attempts) for trial, attempts in plot.items()}
    with ran(tmp_path, plot, "min", "last") as sweep:
        description = sweep.sweep.description()
        for final in (False, True):
            if final:
                finalize(sweep.sweep, sweep.epoch)
            with Views(sweep.store, [sweep.sweep]) as views:
                check_trials(views, truth, "min")
                check_winners(views, description, truth, "min")
    for words in (
        *("best", "best --json", "best --rule smoothed", f"best --at-step {MOST}", f"best --at-step {MOST - 1} --json"),
        *("curves", "curves --log", "curves --json", "show 0", "show 2 --log", "show 0 --json", "status", "explain 0"),
        f"plot -o {tmp_path}/picture.svg --y {OBJECTIVE}",
    ):
        with pytest.raises(SystemExit) as end:
            main([*words.split(), "--store", str(tmp_path)])
        out, err = capsys.readouterr()
        assert not end.value.code, (words, err)
        if "--json" in words:
            assert strict(out)
        if words.startswith("best") and "json" not in words:
            assert str(MOST) in out or str(MOST - 1) in out, (words, out)


def strict(text: str) -> Any:
    """The JSON, which has no NaN."""
    return json.loads(text, parse_constant=pytest.fail)


@pytest.mark.nightly
@pytest.mark.parametrize("seed", range(100, 140))
def test_many_trials_are_their_living_histories(tmp_path: Path, seed: int) -> None:
    check(tmp_path, seed, 25)
