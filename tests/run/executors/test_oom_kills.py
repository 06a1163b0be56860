"""Which deaths are put down to the kernel, and which are not."""

import pytest

from caviar.run.executors import oom_kills
from caviar.run.executors.executor import LeaseEnded
from caviar.run.executors.oom_kills import Inquests
from caviar_workers.oom_count import Toll


def before(count: int = 0, node: str = "a", file: str = "memory.events") -> Toll:
    return Toll(node=node, file=file, count=count)


def died(lease: int) -> LeaseEnded:
    return LeaseEnded(lease=lease, failure="its process died")


def kind(inquests: Inquests, lease: int, count: int | None, **place: str) -> str:
    """Let a lease end by a crash, and its node answer."""
    known = set(inquests.answers)
    assert inquests.end(died(lease), crashed=True)
    (answer,) = set(inquests.answers) - known
    assert inquests.due([answer]) == [answer]
    return inquests.conclude(answer, count).kind


@pytest.fixture
def inquests() -> Inquests:
    return Inquests(lambda toll: object())


def test_a_death_with_which_the_count_rose_is_for_want_of_memory(inquests: Inquests) -> None:
    inquests.begin(0, before(3))
    inquests.begin(1, before(3))
    assert kind(inquests, 0, 3) == "lost"
    assert kind(inquests, 1, 4) == "oom"


def test_one_kill_accounts_for_one_death_and_two_for_two(inquests: Inquests) -> None:
    for lease in range(4):
        inquests.begin(lease, before(0))
    assert [kind(inquests, lease, 2) for lease in range(3)] == ["oom", "oom", "lost"]
    assert kind(inquests, 3, 3) == "oom"


def test_nodes_and_cgroups_are_counted_apart(inquests: Inquests) -> None:
    places = [{"node": "a"}, {"node": "b"}, {"file": "other"}]
    for lease, place in enumerate(places):
        inquests.begin(lease, before(0, **place))
    assert [kind(inquests, lease, 1) for lease in range(3)] == ["oom", "oom", "oom"]


def test_a_node_that_does_not_answer_leaves_it_a_death(inquests: Inquests, monkeypatch: pytest.MonkeyPatch) -> None:
    inquests.begin(0, before(0))
    inquests.begin(1, before(0))
    assert kind(inquests, 0, None) == "lost"
    monkeypatch.setattr(oom_kills, "PATIENCE_S", 0.0)
    assert inquests.end(died(1), crashed=True)
    assert len(inquests.due([])) == 1


def test_nothing_is_asked_where_there_is_nothing_to_learn(inquests: Inquests) -> None:
    inquests.begin(0, before(0))
    inquests.begin(1, before(file=""))
    inquests.begin(2, before(0))
    inquests.forgo(2)
    assert not inquests.end(LeaseEnded(lease=0), crashed=False)
    assert not any(inquests.end(died(lease), crashed=True) for lease in (0, 1, 2, 3))
    assert list(inquests.answers) == []
