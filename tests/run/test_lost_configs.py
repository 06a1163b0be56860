"""What a damaged file of configurations costs a sweep that is resumed: nothing that can be drawn again."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "store" / "simulation"))

from rows import Rows

from caviar.display.plain import SilentProgress
from caviar.errors import StoreError
from caviar.run.engine.trial_source import BLOCK, configs_table
from caviar.run.lost_configs import redraw
from caviar.run.resume import unfinished
from caviar.search.samplers import AcceptedPoints, make_sampler, trial_seeds, typed
from caviar.search.samplers.listed import List
from caviar.space import Choice, Float, Space
from caviar.spec.plan import Plan
from caviar.store import Store, SweepDir, Views, Writer
from caviar.store.check import check
from caviar.store.checkpoints import all_saves, discard_unrecorded, write_carried
from caviar.store.ownership import own
from caviar.store.quarantine import quarantine
from caviar_workers.checkpoint import Save, crc

SPACE = Space({"lr": Float(0.1, 1.0), "act": Choice(["a", "b"])})
TRIALS = 12


def plan(**changes) -> Plan:
    return Plan(**{"name": "x", "metric": "loss", "mode": "min", "trials": TRIALS, "seed": 3, "space": SPACE} | changes)


def begun(store: Store, one: Plan, constraint) -> SweepDir:
    """A sweep with three segments of configurations, of which some trials ended, one was killed, and one saved."""
    sweep = store.create_sweep({"plan": one.to_json(), "provenance": {}}, b"")
    epoch = sweep.claim()
    sampler = make_sampler(one.sampler, one.space, one.seed, one.trials)
    drawn = AcceptedPoints(sampler, one.space, constraint).take(TRIALS)
    table = configs_table(one, 0, drawn, trial_seeds(one.seed, 0, TRIALS), typed(sampler.own, drawn.index))
    with Writer(sweep, epoch) as writer:
        for start, stop in ((0, 4), (4, 7), (7, 10)):
            writer.add("configs", table.slice(start, stop - start))
            writer.flush()
        for trial in (0, 1, 5, 8):
            writer.add("curves", Rows.curve(trial, [0], loss=[0.5]))
            writer.add("attempts", Rows.attempt(trial, "COMPLETED", rows=1, last_loss=0.5))
        writer.add("curves", Rows.curve(9, [0], loss=[0.5]))
        writer.add("attempts", Rows.attempt(9, "RUNNING", rows=1))
        writer.add("attempts", Rows.attempt(11, "CANCELLED"))  # before it was drawn
    for trial in (2, 6, 9):
        data = b"state"
        save = Save(trial=trial, attempt=0, step=0, rows=1, value=0.5, checksum=f"{crc(data):08x}", data=data)
        write_carried(sweep, epoch, save)
    sweep.release(epoch)
    return sweep


def configs(store: Store, sweep: SweepDir) -> list:
    with Views(store, [sweep]) as views:
        return views.execute("SELECT * FROM configs ORDER BY trial").fetchall()


def damage(sweep: SweepDir, number: int) -> None:
    path = sorted(sweep.path.glob("_hot/*configs*"))[number]
    path.write_bytes(path.read_bytes()[:-40] + b"X" * 40)
    assert len(quarantine(sweep, check(sweep))) == 1


def mended(store: Store, sweep: SweepDir, one: Plan, constraint=None) -> None:
    sampler = make_sampler(one.sampler, one.space, one.seed, one.trials)
    with own(sweep) as held:
        redraw(store, held, one, sampler, SilentProgress(), constraint=constraint)
        discard_unrecorded(store, held.sweep)


def few(config) -> bool:
    return config["lr"] > 0.4


@pytest.mark.parametrize("number", [0, *(pytest.param(number, marks=pytest.mark.nightly) for number in (1, 2))])
@pytest.mark.parametrize(
    ("changes", "constraint"),
    [({}, None), ({"sampler": "random"}, few), ({"sampler": List([{"lr": 0.7, "act": "b"}], then="sobol")}, None)],
)
def test_what_was_lost_is_drawn_again_as_it_was(store: Path, changes, constraint, number) -> None:
    opened, one = Store.open(store, create=True), plan(**changes)
    sweep = begun(opened, one, constraint)
    before, left, saves = configs(opened, sweep), unfinished(opened, sweep), list(all_saves(sweep))
    mended(opened, sweep, one, constraint)
    assert len(list(sweep.path.glob("_hot/*configs*"))) == 3  # there was nothing to mend
    damage(sweep, number)
    assert configs(opened, sweep) != before

    mended(opened, sweep, one, constraint)

    assert configs(opened, sweep) == before
    assert unfinished(opened, sweep) == left
    assert list(all_saves(sweep)) == saves
    assert BLOCK > TRIALS


@pytest.mark.parametrize(
    ("changes", "now", "words"),
    [({"searcher": "local"}, None, "the searcher 'local' chose them"), ({}, few, "the constraint has changed")],
)
def test_what_cannot_be_drawn_again_changes_nothing(store: Path, changes, now, words) -> None:
    opened, one = Store.open(store, create=True), plan(**changes)
    sweep = begun(opened, one, None)
    saves = list(all_saves(sweep))
    damage(sweep, 0)
    files = set(sweep.path.glob("[_a-z]*/*.parquet"))

    with pytest.raises(StoreError, match=words):
        mended(opened, sweep, one, now)

    assert list(all_saves(sweep)) == saves
    assert files == set(sweep.path.glob("[_a-z]*/*.parquet"))


SOURCE = """
    from caviar import Float, Sweep

    def train(config, trial):
        trial.report(0, loss=config["lr"])

    sweep = Sweep(train, space={"lr": Float(0, 1)}, metric="loss", trials=4)
"""


@pytest.mark.usefixtures("inline")
def test_a_sweep_whose_table_of_trials_was_set_aside_goes_on(caviar, write, store: Path) -> None:
    assert caviar("run", write(SOURCE)).code == 0
    asked = "select trial, lr, state from trials where trial < 4 order by trial"
    before = caviar("query", asked, "--json").out
    (path,) = store.glob("sweep=*/trials/*.parquet")
    path.write_bytes(path.read_bytes()[:-40] + b"X" * 40)
    caviar("store", "check")
    assert caviar("query", asked, "--json").out != before

    output = caviar("resume", "--add", 1)

    assert output.code == 0, output.err
    assert "the configurations of 4 trials" in output.err
    assert "drawn again" in output.err
    assert caviar("query", asked, "--json").out == before
