"""What a driver says is in the store, and is read and followed from there."""

import json
from pathlib import Path
from types import SimpleNamespace

import pytest

from caviar.cli import verb_logs
from caviar.results.driver_log import driver_log_document, lines_since
from caviar.run.driver_log import MOST_HEAD, MOST_TAIL, Lines
from caviar.store import Store
from caviar.store.driver_logs import write_driver_log

from ..told import Told
from .conftest import Caviar, Write

EXPERIMENT = """
    from caviar import Float, Sweep

    def load(token=""):
        return token

    def train(config, trial, token=""):
        trial.report(0, loss=config["lr"])

    sweep = Sweep(train, {"lr": Float(0.1, 1.0)}, metric="loss", trials=20, data=load, train_args={"token": "no"})
"""


def lines_of(store: Path) -> list[list[str]]:
    (sweep,) = Store.open(store).sweeps()
    return [list(one.lines) for one in driver_log_document(sweep).drivers]


def test_each_driver_leaves_what_it_said_with_the_times_even_where_nobody_saw_it(
    inline: None, caviar: Caviar, write: Write, store: Path
) -> None:
    file = write(EXPERIMENT)
    assert caviar("run", file, "-q").code == 0
    assert caviar("resume", "--add", "5", "-q").code == 0

    first, second = lines_of(store)
    assert "process" in first[0]
    assert all(line[:2] == "20" and line[19] == "Z" for line in first)
    assert [line[21:41] for line in first if "20/20 done" in line] == ["[caviar] 20/20 done "]
    assert [line for line in second if "25/25 done" in line]
    got = caviar("logs", "--driver")
    assert got.out.splitlines() == first + second
    document = json.loads(caviar("logs", "--driver", "--json").out)
    assert [one["driver"] for one in document["drivers"]] == [1, 2]
    assert document["state"] == "finished"


def test_the_error_that_ended_it_is_its_last_line_and_no_secret_is_in_it(
    inline: None, caviar: Caviar, write: Write, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("no: sesame-5d1f")

    monkeypatch.setenv("PLANTED", "sesame-5d1f")
    monkeypatch.setattr("caviar.run.driver.Scheduler.run", broken)
    assert caviar("run", write(EXPERIMENT), "-q", "--set", "train.token=env:PLANTED").code == 1

    (lines,) = lines_of(store)
    assert lines[-1].endswith("RuntimeError: no: ***")
    assert "sesame-5d1f" not in "".join(lines)


def test_it_is_followed_until_nobody_runs_the_sweep(
    inline: None, caviar: Caviar, write: Write, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert caviar("run", write(EXPERIMENT), "-q").code == 0
    (sweep,) = Store.open(store).sweeps()
    epoch = sweep.claim()
    waited: list[float] = []

    def sleep(seconds: float) -> None:
        waited.append(seconds)
        write_driver_log(sweep, epoch, "".join(f"word {number}\n" for number in range(len(waited))))
        if len(waited) == 3:
            sweep.release(epoch)

    monkeypatch.setattr(verb_logs, "time", SimpleNamespace(sleep=sleep))
    got = caviar("logs", "--driver", "-f")
    assert got.out.splitlines()[-3:] == ["word 0", "word 1", "word 2"]
    assert got.err.endswith(f"sweep {sweep.id} is finished\n")


def test_a_sweep_whose_log_cannot_be_written_is_whole(
    inline: None, write: Write, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from caviar.cli.experiment_file import load

    def broken(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("caviar.run.driver_log.write_driver_log", broken)
    told = Told()
    result = load(str(write(EXPERIMENT))).run(store=store, progress=told)
    assert result.best.value > 0
    assert lines_of(store) == []
    assert any("what this driver says is not kept" in line and "No space left" in line for line in told.notes)


def test_a_log_keeps_its_beginning_and_its_end_and_is_followed_over_the_gap() -> None:
    lines = Lines(clock=lambda: 0.0)
    for number in range(MOST_HEAD + MOST_TAIL):
        lines.write(f"\x1b[31m{number}\n")
    before = lines.text().splitlines()
    for number in range(5):
        lines.write(f"more {number}\n")
    now = lines.text().splitlines()
    assert now[0] == "1970-01-01T00:00:00Z 0"
    assert now[MOST_HEAD] == "… 5 lines are left out …"
    assert [line[21:] for line in lines_since(before, now)] == [f"more {number}" for number in range(5)]
    assert lines_since((), now) == now


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--driver", "3"), "leave TRIAL and --stream out"),
        (("--driver", "--stream", "out"), "leave TRIAL and --stream out"),
        ((), "Name a TRIAL, or say --driver"),
        (("digits",), "A trial is a number from 0"),
    ],
)
def test_a_trial_or_the_driver_is_named(caviar: Caviar, words: tuple[str, ...], said: str) -> None:
    got = caviar("logs", *words)
    assert got.code == 2
    assert said in got.err


def test_who_left_no_log_is_said_to_have_left_none(caviar: Caviar, store: Path) -> None:
    from ..small_stores import add_interrupted

    sweep = add_interrupted(Store.open(store, create=True))
    got = caviar("logs", "--driver", "-f")
    assert (got.code, got.out) == (0, "")
    assert got.err == f"no driver of sweep {sweep} has left a log\nsweep {sweep} is interrupted\n"
