"""Which process may take which lease."""

import os
import sys
from types import SimpleNamespace
from typing import Any

import pytest

from caviar_workers import process
from caviar_workers.messages import Demand, Lease
from caviar_workers.process import VISIBLE, WrongProcessError, assigned, enter, release_memory

from ..leases import make_lease


def lease(*, gpus: float, fresh: bool = False) -> Lease:
    return make_lease(configs={}, demand=Demand(gpus=gpus, fresh=fresh))


@pytest.fixture(autouse=True)
def a_new_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "_devices", [])
    monkeypatch.setattr(process, "_kept", [0])
    monkeypatch.setenv(VISIBLE, "0,1")


def test_the_devices_are_those_that_ray_wrote_down() -> None:
    enter(lease(gpus=2))
    assert assigned(lease(gpus=2)) == "0,1"


def test_who_asks_for_no_gpu_sees_none() -> None:
    enter(lease(gpus=0))
    assert assigned(lease(gpus=0)) == ""
    assert os.environ[VISIBLE] == ""


def test_a_process_is_used_again_with_the_same_devices_only(monkeypatch: pytest.MonkeyPatch) -> None:
    enter(lease(gpus=2))
    enter(lease(gpus=2))
    monkeypatch.setenv(VISIBLE, "1,0")
    for _ in range(2):
        with pytest.raises(WrongProcessError, match="'0,1', and is now given '1,0'"):
            enter(lease(gpus=2))
    monkeypatch.setenv(VISIBLE, "0,1")
    enter(lease(gpus=2))


@pytest.mark.parametrize("gpus", [0.0, 2.0])
def test_a_lease_that_wants_a_fresh_process_refuses_a_used_one(gpus: float) -> None:
    enter(lease(gpus=gpus, fresh=True))
    with pytest.raises(WrongProcessError):
        enter(lease(gpus=gpus, fresh=True))
    enter(lease(gpus=gpus))


def torch_with(calls: list[str], **cuda: Any) -> SimpleNamespace:
    standard = {"is_initialized": lambda: True, "synchronize": lambda: None, "device_count": lambda: 2}
    standard |= {"memory_allocated": lambda device: 0, "empty_cache": lambda: calls.append("empty_cache")}
    return SimpleNamespace(cuda=SimpleNamespace(**standard | cuda))


def test_garbage_is_collected_only_when_a_trial_left_tensors_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[str] = []
    held = [0, 0]
    after: list[int] = []

    def collect() -> None:
        calls.append("collect")
        held[1] = after.pop()

    monkeypatch.setitem(sys.modules, "torch", torch_with(calls, memory_allocated=held.__getitem__))
    monkeypatch.setattr("gc.collect", collect)
    seen = []
    for left, remains in [(0, 0), (50, 20), (20, 0), (30, 20), (20, 0)]:  # 20: what torch keeps for itself
        held[1], after[:] = left, [remains]
        release_memory()
        seen.append(calls.copy())
        calls.clear()

    collected, not_collected = ["collect", "empty_cache"], ["empty_cache"]
    assert seen == [not_collected, collected, not_collected, collected, not_collected]


def test_memory_is_given_back_and_a_process_whose_gpu_failed_takes_no_lease(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[str] = []

    def synchronize() -> None:
        calls.append("synchronize")
        if len(calls) > 2:
            raise RuntimeError("CUDA error: device-side assert triggered")

    monkeypatch.setitem(sys.modules, "torch", torch_with(calls, synchronize=synchronize))

    enter(lease(gpus=2))
    assert release_memory() is None
    assert calls == ["synchronize", "empty_cache"]
    enter(lease(gpus=2))
    assert "assert triggered" in str(release_memory())
    for gpus in (2, 0):
        with pytest.raises(WrongProcessError):
            enter(lease(gpus=gpus))


def test_a_process_that_never_touched_a_gpu_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", SimpleNamespace(cuda=SimpleNamespace(is_initialized=lambda: False)))

    assert release_memory() is None
