"""A sweep with a stop policy on Ray, from the command line to the explanation."""

import json
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.run.conftest import Caviar, Driver, Write

from caviar import Result
from caviar.run.assembly import search_of
from caviar.search.samplers import make_sampler
from caviar.spec.plan import Plan
from caviar.store import Store, Views

SLOW = """
    import time
    from pathlib import Path

    from caviar import Float, Sweep

    HERE = Path(__file__).parent
    AWAITED = {1: "{} went on at 1", 15: "to the end"}


    def train(config, trial):
        for step in range(20):
            loss = config["lr"] + 0.1 * step  # whoever is stopped early has a smaller last loss
            trial.report(step, loss=loss)
            while not (HERE / AWAITED.get(step, "").format(trial.number)).exists():
                time.sleep(0.2)
                trial.report(step, loss=loss)  # where it is ended, if that was the decision


    sweep = Sweep(train, space={"lr": Float(0.0, 1.0)}, metric="loss", trials=12, sampler="random", cpus=0.5)
"""
"""At the first step where it is compared, a trial waits until the decision about it is in the store: see `told`."""


@contextmanager
def told(store: Path, folder: Path) -> Iterator[None]:
    """Meanwhile, tell trials that wait in this folder of each decision that they go on; the others wait to be ended."""
    over = threading.Event()

    def tell() -> None:
        while not over.wait(0.1):
            if list(store.glob("sweep=*")):
                for trial, step in Result(store).sql(WENT_ON).fetchall():
                    (folder / f"{trial} went on at {step}").touch()

    teller = threading.Thread(target=tell)
    teller.start()
    try:
        yield
    finally:
        over.set()
        teller.join()


WENT_ON = "SELECT trial, step FROM decisions WHERE action = 'go_on'"


QUICK = """
    from caviar import Float, Sweep


    def train(config, trial):
        for step in range(3):
            trial.report(step, loss=(config["x"] - 0.2) ** 2 + (config["y"] - 0.7) ** 2)


    sweep = Sweep(train, space={"x": Float(0.0, 1.0), "y": Float(0.0, 1.0)}, metric="loss")
"""


@pytest.mark.nightly
@pytest.mark.ray
def test_hopeless_trials_are_stopped_explained_and_never_win(ray: object, caviar: Caviar, write: Write, store) -> None:
    file = write(SLOW)
    file.with_name("to the end").touch()
    with told(store, file.parent):
        ran = caviar("run", file, "--stopping", "asha:eta=3", "--address", "auto", "-q")
    assert ran.code == 0, ran.err

    result = Result(store)
    states = dict(result.sql("SELECT trial, state FROM trials").fetchall())
    assert sorted(states) == list(range(12))
    assert set(states.values()) == {"COMPLETED", "STOPPED"}
    ends = dict(result.sql("SELECT trial, max(step) FROM curves GROUP BY trial").fetchall())
    stopped = [trial for trial, state in states.items() if state == "STOPPED"]
    assert all(ends[trial] < 19 for trial in stopped)

    last = dict(result.sql("SELECT trial, last_loss FROM trials").fetchall())
    assert min(last, key=last.__getitem__) in stopped
    assert states[result.best.trial] == "COMPLETED"
    assert result.best.step == 19

    explained = json.loads(caviar("explain", stopped[0], "--json").out)
    assert explained["stopping"] == "asha:eta=3"
    assert explained["decisions"][-1]["action"] == "stop"
    assert "was stopped at step" in explained["decisions"][-1]["sentence"]
    assert f"trial {stopped[0]} of experiment" in caviar("explain", stopped[0]).out

    opened = Store.open(store)
    sweep_dir = opened.find(None)
    plan = Plan.from_json(sweep_dir.description()["plan"])
    with Views(opened, [sweep_dir]) as before:
        search = search_of(plan, make_sampler("random", plan.space, 0, 12), None, before=before)
    assert not search.source.guided
    assert search.policies.trials.condemned == []
    assert search.policies.decisions() == []


@pytest.mark.parametrize("text", ["ahsa", "asha:eta=0.5"])
def test_a_wrong_policy_is_refused_before_anything_runs(caviar: Caviar, write: Write, store, text: str) -> None:
    ran = caviar("run", write(SLOW), "--stopping", text)

    assert ran.code == 2
    assert len(ran.told) == 1
    assert not store.exists()


@pytest.mark.ray
def test_a_guided_sweep_finds_the_goal_and_a_resumed_one_keeps_its_points(
    ray, caviar: Caviar, write: Write, store
) -> None:
    file = write(QUICK)
    ran = caviar("run", file, "--searcher", "local", "--trials", "50", "--address", "auto", "-q")
    assert ran.code == 0, ran.err

    result = Result(store)
    points = result.sql("SELECT trial, x, y, u FROM trials ORDER BY trial").fetchall()
    distance = [(x - 0.2) ** 2 + (y - 0.7) ** 2 for _, x, y, _ in points]
    assert sorted(distance[30:])[10] < sorted(distance[:20])[10] / 3
    asked = result.sql("SELECT trial, numbers FROM decisions WHERE action = 'ask' ORDER BY n").fetchall()
    assert [trial for trial, _ in asked] == list(range(50))
    assert '"origin": "near"' in asked[-1][1] or '"origin": "random"' in asked[-1][1]
    assert "was asked for by local" in caviar("explain", 49).out

    opened = Store.open(store)
    sweep_dir = opened.find(None)
    plan = Plan.from_json(sweep_dir.description()["plan"])
    with Views(opened, [sweep_dir]) as before:
        search = search_of(plan, make_sampler("sobol", plan.space, 0, 50), None, before=before)
    assert search.source.guided
    assert search.source.points.take(50).u.tolist() == [u for *_, u in points]
    parents = {search.policies.ask(50 + k).tolist()[0] for k in range(5)}
    assert len(parents) == 5


GOES_ON = (
    "SELECT trial FROM decisions JOIN trials USING (trial) WHERE action = 'go_on' AND decisions.step >= 3 "
    "AND state = 'RUNNING'"
)


def wait_for(store: Path, question: str) -> None:
    """Wait until the store has an answer."""
    deadline = time.monotonic() + 100
    while not list(store.glob("sweep=*")) or not Result(store).sql(question).fetchall():
        assert time.monotonic() < deadline, f"nothing is there: {question}"
        time.sleep(0.1)


@pytest.mark.ray
@pytest.mark.nightly
def test_an_adaptive_sweep_that_was_killed_goes_on_from_its_rows_and_decisions(
    ray, caviar: Caviar, write: Write, drive, store
) -> None:
    file = write(SLOW)
    with told(store, file.parent):
        first = drive(file, "--searcher", "local", "--stopping", "asha:eta=3", "-q")
        wait_for(store, GOES_ON)
    first.signal(signal.SIGKILL)
    first.process.communicate()
    before = Result(store)
    points = dict(before.sql("SELECT trial, u FROM configs").fetchall())
    made = before.sql("SELECT n, trial, action, step FROM decisions ORDER BY n").fetchall()
    assert points
    assert made

    file.with_name("to the end").touch()
    with told(store, file.parent):
        again = caviar("resume", "--address", "auto", "-q")
    assert again.code == 0, again.err
    after = Result(store)
    assert {t: u for t, u in after.sql("SELECT trial, u FROM configs").fetchall() if t in points} == points
    decisions = after.sql("SELECT n, trial, action, step FROM decisions ORDER BY n").fetchall()
    assert decisions[: len(made)] == made
    assert [n for n, *_ in decisions] == list(range(len(decisions)))
    judged = [(trial, step) for _, trial, action, step in decisions if action in ("go_on", "stop")]
    assert len(judged) == len(set(judged))
    asked = [trial for _, trial, action, _ in decisions if action == "ask"]
    assert len(asked) == len(set(asked))
    states = dict(after.sql("SELECT trial, state FROM trials").fetchall())
    assert sorted(states) == list(range(12))
    assert set(states.values()) <= {"COMPLETED", "STOPPED", "CANCELLED"}


SAVING = """
    import time
    from pathlib import Path

    from caviar import Float, Sweep

    HERE = Path(__file__).parent


    def train(config, trial):
        saved = trial.load()
        first, total = (0, 0.0) if saved is None else (saved.step + 1, float(saved.data))
        for step in range(first, 14):
            total += config["lr"]
            trial.report(step, loss=config["lr"] + 1 / (step + 1), total=total)
            trial.save(step, repr(total).encode())
            while step in (1, 3, 9) and not (HERE / f"{trial.number} went on at {step}").exists():
                time.sleep(0.1)
                trial.save(step, repr(total).encode())  # where it is paused, if that was the decision


    sweep = Sweep(
        train, space={"lr": Float(0.1, 1.0)}, metric="loss", trials=9, sampler="random", pausing=True, cpus=0.5
    )
"""


@pytest.mark.ray
def test_paused_trials_are_promoted_from_their_checkpoints(ray: object, caviar: Caviar, write: Write, store) -> None:
    file = write(SAVING)
    with told(store, file.parent):
        ran = caviar("run", file, "--stopping", "asha:eta=3", "--concurrency", 3, "--address", "auto", "-q")
    assert ran.code == 0, ran.err

    result = Result(store)
    states = dict(result.sql("SELECT trial, state FROM trials").fetchall())
    assert sorted(states) == list(range(9))
    assert set(states.values()) == {"COMPLETED", "STOPPED"}
    steps = result.sql("SELECT trial, list(step ORDER BY step) FROM curves GROUP BY trial").fetchall()
    assert all(found == list(range(len(found))) for _, found in steps)  # no hole, nothing twice
    rows = result.sql("SELECT c.step, lr, total FROM curves c JOIN trials USING (trial)").fetchall()
    assert all(abs(total - lr * (step + 1)) < 1e-9 for step, lr, total in rows)  # the state was carried on
    assert sum(len(found) for _, found in steps) < 0.8 * 9 * 14
    promoted = result.sql("SELECT trial, attempt, start FROM attempts WHERE cause = 'promote'").fetchall()
    assert promoted
    for trial, attempt, start in promoted:
        before = f"SELECT state, step FROM attempts WHERE trial = {trial} AND attempt = {attempt - 1}"
        assert result.sql(before).fetchall() == [("PAUSED", start - 1)]
    assert result.best.step == 13
    assert "was promoted at step" in caviar("explain", promoted[0][0]).out


@pytest.mark.ray
def test_paused_trials_wait_on_when_a_sweep_is_resumed(
    ray: object, caviar: Caviar, write: Write, drive: Callable[..., Driver], store: Path
) -> None:
    file = write(SAVING)
    with told(store, file.parent):
        first = drive(file, "--stopping", "asha:eta=3", "--concurrency", 3, "-q")
        wait_for(store, "SELECT trial FROM trials WHERE state = 'PAUSED'")
        first.signal(signal.SIGINT)
        ended = first.end()
    assert ended.code == 130, ended.err
    paused = [trial for (trial,) in Result(store).sql("SELECT trial FROM trials WHERE state = 'PAUSED'").fetchall()]
    assert paused
    assert json.loads(caviar("status", "--json").out)["counts"]["PAUSED"] == len(paused)

    with told(store, file.parent):
        assert caviar("resume", "--address", "auto", "-q").code == 0

    result = Result(store)
    assert set(result.sql("SELECT DISTINCT state FROM trials").fetchall()) == {("COMPLETED",), ("STOPPED",)}
    steps = result.sql("SELECT trial, list(step ORDER BY step) FROM curves GROUP BY trial").fetchall()
    assert all(found == list(range(len(found))) for _, found in steps)
    listed = ", ".join(map(str, paused))
    causes = result.sql(f"SELECT DISTINCT cause FROM attempts WHERE attempt = 1 AND trial IN ({listed})").fetchall()
    assert {cause for (cause,) in causes} <= {"promote", "stop"}


ONE_FAILS = """
    import time
    from caviar import Float, Patience, Sweep

    def train(config, trial):
        if trial.number == 0:
            raise ValueError("no such layer")
        for step in range(1000):
            trial.report(step, loss={value})
            time.sleep(0.02)

    def final(config, trial):
        return {{"test": config["x"]}}

    sweep = Sweep(train, space={{"x": Float(0.0, 1.0)}}, metric="loss", trials=2, seed=0, final=final, {ends})
"""


@pytest.mark.nightly
@pytest.mark.parametrize(
    ("ends", "value", "code"),
    [
        ("stopping=Patience(steps=2)", "0.5", 0),
        ("time_limit=1", "0.5", 0),
        ("stop_on_divergence=True", 'float("nan")', 3),
    ],
)
def test_a_failure_hides_no_result_where_all_others_were_ended(
    inline: None, caviar: Caviar, write: Write, store: Path, ends: str, value: str, code: int
) -> None:
    ran = caviar("run", write(ONE_FAILS.format(ends=ends, value=value)), "-q")

    assert ran.code == code, ran.err
    assert bool(ran.told) == (code > 0)
    assert caviar("best").code == code
    if code == 0:
        assert Result(store).best.trial == 1
        assert "test=" in ran.out + ran.err
