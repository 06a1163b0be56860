"""An outage of the store is borne wherever a sweep acts: each request of a whole sweep may fail once."""

import itertools
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from faulty_proxy import DENIED, LOST, REFUSED, Fault, Faults, Request
from fixtures import CloudBucket

from caviar import Result
from caviar.store import Store
from caviar.store.check import check

from .conftest import Caviar, Write, curves

TRIALS, STEPS = 3, 3

EXPERIMENT = f"""
    import os
    import time

    from caviar import Float, Sweep
    from caviar.store import Store
    from caviar.store.requests import ask_to_stop


    def train(config, trial):
        found = trial.load()
        for step in range(0 if found is None else found.step + 1, {STEPS}):
            trial.report(step, loss=config["lr"] + step)
            trial.save(step, b"state %d" % step)
            if trial.number == 1 and found is None and step == 1:
                way = os.environ["AWS_ENDPOINT_URL"]
                os.environ["AWS_ENDPOINT_URL"] = os.environ["SOUND_ENDPOINT_URL"]  # it is the sweep that suffers
                ask_to_stop(Store.open(os.environ["CAVIAR_STORE"]).find(), at_once=True)
                os.environ["AWS_ENDPOINT_URL"] = way
                for _ in range(3000):  # until it is ended; an abandoned thread ends by itself
                    time.sleep(0.01)
                    trial.report(step := step + 1, loss=config["lr"] + step)
        if found is not None:
            print("went on from", found.step, found.data)


    def final(config, trial):
        return {{"test": float(trial.load().step)}}


    sweep = Sweep(train, space={{"lr": Float(0.1, 1.0)}}, metric="loss", trials={TRIALS}, final=final, name="clouds")
"""


@pytest.fixture
def inline(inline: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Leases run in this process; the driver looks for requests all the time, and pauses take none."""
    monkeypatch.setattr("caviar.run.stop_requests.LOOK_S", 0.05)
    monkeypatch.setattr("caviar_workers.backoff.FIRST_S", 0.001)
    monkeypatch.setattr("caviar_workers.backoff.LONGEST_S", 0.01)


def live(caviar: Caviar, experiment: Path, uri: str) -> None:
    """A sweep is asked to stop within its second trial, resumed to its end, and its winner tested."""
    for words in (["run", experiment], ["resume"]):
        done = caviar(*words, at=uri)
        assert done.code == 0, done.err


def examine(uri: str) -> None:
    result = Result(uri)
    rows = curves(result)
    assert len(rows) == len({row[:2] for row in rows})
    assert {row[:2] for row in rows} == {(trial, step) for trial in range(TRIALS) for step in range(STEPS)}
    assert result.final == {"test": STEPS - 1.0}
    found = Store.open(uri).find()
    assert found.state() == "finished"
    assert check(found) == []


class Owned:
    """Faults while a process owns the sweep: from its claim until it lets go. Before and after, a few seconds do."""

    def __init__(self, faults: Faults) -> None:
        self.faults = faults
        self.count = 0
        self._owned = False

    def __call__(self, request: Request) -> Fault | None:
        if request.method == "PUT" and "/_owner/0" in request.path:
            self._owned = ".released" not in request.path
        if not self._owned:
            return None
        self.count += 1
        return self.faults(replace(request, number=self.count))


@pytest.fixture
def suffer(
    cloud: CloudBucket, inline: None, caviar: Caviar, write: Write, monkeypatch: pytest.MonkeyPatch
) -> Callable[[Faults], int]:
    """Lives through a sweep in a bucket while it is owned, with these faults; gives how many requests could fail."""
    experiment = write(EXPERIMENT)
    monkeypatch.setenv("SOUND_ENDPOINT_URL", "http://{}:{}".format(*cloud.server))
    lives = itertools.count()

    def run(faults: Faults) -> int:
        uri = f"{cloud.uri}/{next(lives)}"
        monkeypatch.setenv("CAVIAR_STORE", uri)
        owned = Owned(faults)
        with cloud.proxy.failing(owned):
            live(caviar, experiment, uri)
        examine(uri)
        return owned.count

    return run


@pytest.mark.nightly
@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(REFUSED, id="refused"),
        pytest.param(LOST, id="reply lost", marks=pytest.mark.nightly),
        pytest.param(DENIED, id="done and refused", marks=pytest.mark.nightly),
    ],
)
def test_one_in_three_requests_of_a_sweep_with_checkpoints_and_a_final_may_fail(
    suffer: Callable[[Faults], int], fault: Fault
) -> None:
    assert suffer(lambda request: fault if request.number % 3 == 0 else None) > 200


@pytest.mark.nightly
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("shift", range(3))
def test_every_single_request_of_a_sweep_may_fail(suffer: Callable[[Faults], int], shift: int) -> None:
    """Each of them once, in one of the ways."""
    faults = (REFUSED, LOST, DENIED)
    for number in range(1 + shift, suffer(lambda request: None) + 1, 3):
        fault = faults[(number // 3 + shift) % 3]
        suffer(lambda request, number=number, fault=fault: fault if request.number == number else None)


WORDS = ("_checkpoints", "_hot", "_manifest", "_owner", "_requests", "_build", "_final", "curves", "trials", "delete")


@pytest.mark.nightly
@pytest.mark.parametrize("word", WORDS)
def test_an_outage_of_one_kind_of_request_is_borne(suffer: Callable[[Faults], int], word: str) -> None:
    """Longer than a reader would bear: each request fails some times before it is heard."""
    tries: Counter[str] = Counter()

    def faults(request: Request) -> Fault | None:
        tries[f"{request.method} {request.path}"] += word in request.path
        return REFUSED if tries[f"{request.method} {request.path}"] % 4 > 0 else None

    suffer(faults)
    assert tries.total() > 3
