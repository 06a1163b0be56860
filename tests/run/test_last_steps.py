"""The last steps of a sweep, its end and the test of its winner, are its owner's too."""

import json
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest

from caviar import Result
from caviar.cli.experiment_file import load
from caviar.display.plain import SilentProgress
from caviar.errors import CaviarError, StoreError
from caviar.run import driver
from caviar.run.resume import resume_sweep
from caviar.store import Store, Writer, finalize, ownership
from caviar.store.check import check
from caviar.store.final_tests import final_results

from .conftest import Write

pytestmark = pytest.mark.usefixtures("inline")

EXPERIMENT = """
    from pathlib import Path

    from caviar import Float, Sweep


    def train(config, trial):
        trial.report(0, loss=config["x"])


    def final(config, trial):
        at = Path(__file__).parent
        with open(at / "tests", "a") as file:
            print("began", file=file)
        exec((at / "during.py").read_text() if (at / "during.py").exists() else "", {"at": at})
        return {"test": 1.0}


    sweep = Sweep(train, space={"x": Float(0.0, 1.0)}, metric="loss", trials=3, final=final)
"""

AGED = """
import os
import time


def aged(folder):
    (path,) = [one for one in folder.glob("sweep=*/_owner/*.json") if "released" not in one.name]
    os.utime(path, (time.time() - 1000,) * 2)
    deadline = time.monotonic() + 120
    while time.time() - path.stat().st_mtime > 500:
        assert time.monotonic() < deadline, "no sign of life"
        time.sleep(0.01)
"""


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ownership, "BEAT_S", 0.02)


@pytest.fixture
def experiment(write: Write, store: Path) -> Path:
    """The experiment, in words of its own: modules are kept by their content, and know the file that came first."""
    return write(f"{textwrap.dedent(EXPERIMENT)}\n# {store}")


def run(path: Path, store: Path) -> Result:
    return load(str(path)).run(store, progress=SilentProgress())


def resume(store: Path) -> None:
    opened = Store.open(store)
    resume_sweep(opened, opened.sweeps()[-1], address=None, progress=SilentProgress())


def begun(experiment: Path) -> int:
    return len(experiment.with_name("tests").read_text().splitlines())


def test_it_gives_signs_of_life_while_it_ends_the_sweep_and_tests_the_winner(
    write: Write, experiment: Path, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(f"{AGED}\n\nfrom pathlib import Path\n\naged(Path({str(store)!r}))", "during.py")
    namespace: dict[str, Any] = {}
    exec(AGED, namespace)
    seen = []
    real = finalize.sweep_up

    def slow(*args: Any) -> None:
        namespace["aged"](store)
        seen.append(Store.open(store).find().state())
        real(*args)

    monkeypatch.setattr(finalize, "sweep_up", slow)
    result = run(experiment, store)
    assert seen == ["running"]
    assert result.final == {"test": 1.0}


MEANWHILE = """
from caviar.errors import CaviarError
from caviar.store import Store
from caviar.store.finalize import compact

opened = Store.open({store!r})
found = opened.find()
for what, do in (("claim", found.claim), ("compact", lambda: compact(found)), ("rm", lambda: opened.remove(found))):
    try:
        do()
    except CaviarError as error:
        with open(at / "refused", "a") as file:
            print(what, found.state(), error, file=file)
"""


def test_nobody_else_has_the_sweep_while_its_winner_is_tested(write: Write, experiment: Path, store: Path) -> None:
    write(MEANWHILE.format(store=str(store)), "during.py")
    assert run(experiment, store).final == {"test": 1.0}
    refused = experiment.with_name("refused").read_text().splitlines()
    assert [line.split()[:2] for line in refused] == [[what, "running"] for what in ("claim", "compact", "rm")]
    assert Store.open(store).find().state() == "finished"
    assert Store.open(store).find().owner().standing == "nobody"
    resume(store)
    assert begun(experiment) == 1


def overtake(store: Path) -> None:
    """As another process that takes the driver for dead."""
    sweep = Store.open(store).find()
    (path,) = [one for one in Path(str(sweep.path), "_owner").iterdir() if "released" not in one.name]
    path.write_text(json.dumps(json.loads(path.read_text()) | {"pid_started": "long ago"}))
    sweep.release(sweep.claim())


@pytest.mark.parametrize("when", ["trains", "ends", "tests"])
def test_a_driver_that_was_superseded_stops_in_one_sentence_and_stores_nothing_more(
    experiment: Path, store: Path, monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    room, name = {"trains": (Writer, "close"), "ends": (finalize, "move_aside"), "tests": (driver, "run_final_test")}[
        when
    ]
    real = getattr(room, name)

    def first(*args: Any) -> Any:
        monkeypatch.setattr(room, name, real)
        overtake(store)
        return real(*args)

    monkeypatch.setattr(room, name, first)
    with pytest.raises(StoreError, match=r"took .* over|taken over by another process|changed .* while") as caught:
        run(experiment, store)
    assert "\n" not in str(caught.value)
    sweep = Store.open(store).find()
    assert final_results(sweep) == []
    assert check(sweep) == []
    resume(store)
    assert Result(store).final == {"test": 1.0}
    assert Result(store).sql("SELECT count(*) FROM trials WHERE state = 'COMPLETED'").fetchall() == [(3,)]


KILLED = """
import os
import signal
import sys
from contextlib import contextmanager
from types import ModuleType

# Ray is not needed, and takes seconds to import.
ray = sys.modules["caviar.run.executors.ray_session"] = ModuleType("ray_session")
ray.__getattr__ = lambda name: None

import caviar.run.driver as driving
from caviar.run.executors.inline import InlineExecutor
from caviar.cli.experiment_file import load
from caviar.display.plain import SilentProgress
from caviar.store import Views, Writer, finalize  # what all children need is imported once


@contextmanager
def nothing(*_):
    yield


@contextmanager
def executor_of(plan, program, progress):
    yield InlineExecutor(program)


def die(*_):
    os.kill(os.getpid(), signal.SIGKILL)


driving.session, driving.executor_of = nothing, executor_of
experiment, *stores = sys.argv[1:]
for where, store in zip(("sweep_up", "final"), stores):
    if os.fork() == 0:
        if where != "final":
            setattr(finalize, where, die)
        load(experiment).run(store, progress=SilentProgress())
        os._exit(0)
    _, status = os.wait()
    assert os.WTERMSIG(status) == signal.SIGKILL, status
"""


def test_a_driver_that_is_killed_at_the_end_is_gone_on_with_and_tests_once_more_at_most(
    write: Write, experiment: Path, tmp_path: Path
) -> None:
    write("import os\nimport signal\nos.kill(os.getpid(), signal.SIGKILL)", "during.py")
    stores = [tmp_path / "a", tmp_path / "b"]
    done = subprocess.run(
        [sys.executable, "-c", KILLED, str(experiment), *map(str, stores)], check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    experiment.with_name("during.py").unlink()
    assert begun(experiment) == 1  # the second
    states = []
    for store in stores:
        sweep = Store.open(store).find()
        states.append(sweep.state())
        assert final_results(sweep) == []
        resume(store)
        resume(store)
        assert check(sweep) == []
        assert sweep.again().state() == "finished"
        found = Result(store)
        assert found.sql("SELECT trial, count(*) FROM curves GROUP BY 1 ORDER BY 1").fetchall() == [
            (0, 1),
            (1, 1),
            (2, 1),
        ]
        assert found.sql("SELECT max(attempts) FROM trials").fetchall() == [(1,)]
        assert len(final_results(sweep)) == 1
    assert states == ["interrupted", "finished"]
    assert begun(experiment) == 1 + len(stores)


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ("None", "its final function measured nothing: let it return a dict of metrics"),
        ("{}", "measured nothing"),
        ("trial.report(0)", "measured nothing"),
        ("0.5", "final returns a dict of metrics, but it returned a float"),
        ("trial.report(0, t=1.0) or {'a': 1, 'b': 'x'}", "b='x'"),
    ],
)
def test_what_is_kept_as_measured_once_is_whole(
    write: Write, store: Path, monkeypatch: pytest.MonkeyPatch, given: str, sentence: str
) -> None:
    file = write("""
        import os
        from caviar import Float, Sweep

        def train(config, trial):
            trial.report(0, loss=config["x"])

        def final(config, trial):
            return eval(os.environ["GIVEN"])

        sweep = Sweep(train, space={"x": Float(0.0, 1.0)}, metric="loss", trials=1, final=final)
    """)
    monkeypatch.setenv("GIVEN", given)
    with pytest.raises(CaviarError) as told:
        load(str(file)).run(store, progress=SilentProgress())
    assert sentence in str(told.value)
    assert final_results(Store.open(store).find()) == []

    monkeypatch.setenv("GIVEN", "{'test': 1.0}")
    resume(store)
    assert Result(store).final == {"test": 1.0}
