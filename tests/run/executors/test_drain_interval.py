"""How long the drain waits."""

import threading

import pytest

from caviar.run.executors import drain_interval as at
from caviar.run.executors.drain_interval import LONG_S, LONGEST_S, SHARE, SHORT_S, DrainInterval, rest_after


def test_waits_are_short_after_a_lease_came_or_ended_and_then_long() -> None:
    interval = DrainInterval()
    assert interval.next() == LONG_S

    interval.hasten()
    assert [interval.next() for _ in range(4)] == [SHORT_S, SHORT_S, LONG_S, LONG_S]


def test_who_is_idle_is_roused_at_once_before_and_while_it_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(at, "IDLE_S", 3600.0)
    interval = DrainInterval()
    interval.hasten()
    interval.idle()
    threading.Timer(0.02, interval.hasten).start()
    interval.idle()  # for an hour, if what comes is not heard


def test_looking_at_many_streams_takes_a_tenth_of_a_core_at_most() -> None:
    for cost in (0.0002, 0.004, 0.1):
        rest = rest_after(cost)
        assert cost / (cost + rest) == pytest.approx(SHARE)
    assert rest_after(10.0) == LONGEST_S
