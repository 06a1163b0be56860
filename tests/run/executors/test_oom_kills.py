"""Which deaths are put down to the kernel, and which are not."""

import pytest

from caviar.run.executors import oom_kills
from caviar.run.executors.executor import LeaseEnded
from caviar.run.executors.oom_kills import OomKills
from caviar_workers.oom_count import OomCount


def before(count: int = 0, node: str = "a", file: str = "memory.events") -> OomCount:
    return OomCount(node=node, file=file, count=count)


def died(lease: int) -> LeaseEnded:
    return LeaseEnded(lease=lease, failure="its process died")


def kind(kills: OomKills, lease: int, count: int | None, **place: str) -> str:
    """Let a lease end by a crash, and its node answer."""
    known = set(kills.answers)
    assert kills.end(died(lease), crashed=True)
    (answer,) = set(kills.answers) - known
    assert kills.due([answer]) == [answer]
    return kills.conclude(answer, count).kind


@pytest.fixture
def kills() -> OomKills:
    return OomKills(lambda oom_count: object())


def test_a_death_with_which_the_count_rose_is_for_want_of_memory(kills: OomKills) -> None:
    kills.begin(0, before(3))
    kills.begin(1, before(3))
    assert kind(kills, 0, 3) == "lost"
    assert kind(kills, 1, 4) == "oom"


def test_one_kill_accounts_for_one_death_and_two_for_two(kills: OomKills) -> None:
    for lease in range(4):
        kills.begin(lease, before(0))
    assert [kind(kills, lease, 2) for lease in range(3)] == ["oom", "oom", "lost"]
    assert kind(kills, 3, 3) == "oom"


def test_nodes_and_cgroups_are_counted_apart(kills: OomKills) -> None:
    places = [{"node": "a"}, {"node": "b"}, {"file": "other"}]
    for lease, place in enumerate(places):
        kills.begin(lease, before(0, **place))
    assert [kind(kills, lease, 1) for lease in range(3)] == ["oom", "oom", "oom"]


def test_a_node_that_does_not_answer_leaves_it_a_death(kills: OomKills, monkeypatch: pytest.MonkeyPatch) -> None:
    kills.begin(0, before(0))
    kills.begin(1, before(0))
    assert kind(kills, 0, None) == "lost"
    monkeypatch.setattr(oom_kills, "ANSWER_S", 0.0)
    assert kills.end(died(1), crashed=True)
    assert len(kills.due([])) == 1


def test_nothing_is_asked_where_there_is_nothing_to_learn(kills: OomKills) -> None:
    kills.begin(0, before(0))
    kills.begin(1, before(file=""))
    kills.begin(2, before(0))
    kills.forgo(2)
    assert not kills.end(LeaseEnded(lease=0), crashed=False)
    assert not any(kills.end(died(lease), crashed=True) for lease in (0, 1, 2, 3))
    assert list(kills.answers) == []
