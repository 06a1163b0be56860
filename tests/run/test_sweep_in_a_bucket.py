"""A whole sweep by real processes into a bucket: killed, resumed, asked, removed; and no secret anywhere."""

import json
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from faulty_proxy import REFUSED
from fixtures import SECRET, CloudBucket

from caviar import Result
from caviar.errors import CaviarError

from .conftest import Caviar, Driver, Output, Write, curves, sweeps

TRIALS, STEPS = 12, 4

EXPERIMENT = f"""
    import time
    from pathlib import Path

    from caviar import Float, Sweep


    def train(config, trial):
        print("hello from", trial.number)
        for step in range({STEPS}):
            trial.report(step, loss=config["lr"] + step)
            if Path(__file__).with_name("hurry").exists():
                continue
            for _ in range(300 if trial.number >= 6 and step == 2 else 1):  # so that there is something to publish
                print("still here")
                time.sleep(0.2)


    sweep = Sweep(train, space={{"lr": Float(0.1, 1.0)}}, metric="loss", trials={TRIALS}, seed=5, name="clouds")
"""


def completed(uri: str) -> int:
    try:
        rows = Result(uri).sql("SELECT count(*) FROM trials WHERE state = 'COMPLETED'").fetchall()
    except CaviarError:  # no store, or no sweep in it yet
        return 0
    return int(rows[0][0])


def start_and_refuse_for_a_while(cloud: CloudBucket, drive: Callable[..., Driver], experiment: Path) -> Driver:
    driver = drive(experiment, at=cloud.uri)

    def wait_for(trials: int) -> None:
        deadline = time.monotonic() + 120
        while completed(cloud.uri) < trials:
            assert driver.process.poll() is None, driver.process.communicate()
            assert time.monotonic() < deadline
            time.sleep(0.2)

    wait_for(3)
    with cloud.proxy.failing(lambda request: REFUSED if request.method == "PUT" else None):
        time.sleep(7)  # a refused request is told when it has been refused for a while
    wait_for(5)
    return driver


@pytest.mark.ray
def test_a_sweep_in_a_bucket_is_killed_resumed_asked_and_removed(
    cloud: CloudBucket, drive: Callable[..., Driver], write: Write, caviar: Caviar, tmp_path: Path
) -> None:
    experiment = write(EXPERIMENT)
    driver = start_and_refuse_for_a_while(cloud, drive, experiment)
    said: list[Output] = []

    def ask(*words: object, code: int = 0) -> Output:
        said.append(caviar(*words, at=cloud.uri))
        assert said[-1].code == code, said[-1].err
        return said[-1]

    assert "is being run by process" in ask("resume", code=5).err
    driver.process.send_signal(signal.SIGKILL)
    said.append(driver.end())
    assert "the object store answered 503 (MadeUp)" in said[-1].err
    assert said[-1].err.count("trying again for up to 1") in (1, 2)
    assert [sweep["state"] for sweep in sweeps(ask("ls", "--json"))] == ["interrupted"]
    seen = curves(Result(cloud.uri))
    assert len(seen) >= 5 * STEPS
    assert len({row[:2] for row in seen}) == len(seen)

    experiment.with_name("hurry").touch()
    ask("resume", "clouds")
    whole = curves(Result(cloud.uri))
    assert len(whole) == len({row[:2] for row in whole}) == TRIALS * STEPS
    assert set(seen) <= set(whole)

    def answer(*words: object) -> Any:
        return json.loads(ask(*words, "--json").out)

    assert [sweep["state"] for sweep in answer("ls")["sweeps"]] == ["finished"]
    assert answer("status")["sweep"] == answer("best")["sweep"]
    assert answer("show", "3")["trial"] == 3
    assert answer("curves")
    assert "hello from 3" in ask("logs", "3").out
    assert json.loads(ask("query", "SELECT count(*) AS n FROM curves", "--format", "json").out) == [
        {"n": TRIALS * STEPS}
    ]
    assert answer("store", "info")["tables"]
    ask("store", "check")
    ask("store", "compact")
    ask("report", "clouds", "-o", tmp_path / "report.html")

    written = {**cloud.objects(), **{str(path): path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}}
    assert any(key.endswith(".parquet") for key in cloud.objects())
    assert [name for name, content in written.items() if SECRET.encode() in content] == []
    assert [output for output in said if SECRET in output.out + output.err] == []
    ask("rm", "clouds", "--yes")
    assert answer("ls")["sweeps"] == []
    assert not [key for key in cloud.objects() if "sweep=" in key]


def test_a_bucket_that_cannot_be_reached_is_told_before_anything_starts(
    cloud: CloudBucket, write: Write, caviar: Caviar, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(EXPERIMENT)
    missing = caviar("run", path, at="s3://there-is-no-such-bucket/x")
    assert missing.code == 5
    assert len(missing.told) == 1
    assert "there is no such bucket" in missing.told[0]
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    began = time.monotonic()
    unreachable = caviar("run", path, at=cloud.uri)
    assert unreachable.code == 5
    assert len(unreachable.told) == 1
    assert "no connection to the object store" in unreachable.told[0]
    assert "starting Ray" not in unreachable.err
    assert time.monotonic() - began < 15
    assert cloud.objects() == {}
