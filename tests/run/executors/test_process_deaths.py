"""Which deaths are put down to the kernel, which to the node, and which to nobody."""

import pytest

from caviar.run.executors import process_deaths
from caviar.run.executors.executor import LeaseEnded
from caviar.run.executors.process_deaths import ProcessDeaths
from caviar_workers.oom_count import OomCount


def before(count: int = 0, node: str = "a", file: str = "memory.events") -> OomCount:
    return OomCount(node=node, file=file, count=count)


def died(lease: int) -> LeaseEnded:
    return LeaseEnded(lease=lease, failure="its process died")


def kind(kills: ProcessDeaths, lease: int, count: int | None, **place: str) -> str:
    """Let a lease end by a crash, and its node answer."""
    known = set(kills.answers)
    assert kills.end(died(lease), crashed=True)
    (answer,) = set(kills.answers) - known
    assert kills.due([answer]) == [answer]
    return kills.conclude(answer, count).kind


@pytest.fixture
def kills() -> ProcessDeaths:
    return ProcessDeaths(lambda oom_count: object(), lambda: ["a", "b", "there"])


def test_a_death_with_which_the_count_rose_is_for_want_of_memory(kills: ProcessDeaths) -> None:
    kills.begin(0, before(3))
    kills.begin(1, before(3))
    assert kind(kills, 0, 3) == "lost"
    assert kind(kills, 1, 4) == "oom"


def test_one_kill_accounts_for_one_death_and_two_for_two(kills: ProcessDeaths) -> None:
    for lease in range(4):
        kills.begin(lease, before(0))
    assert [kind(kills, lease, 2) for lease in range(3)] == ["oom", "oom", "lost"]
    assert kind(kills, 3, 3) == "oom"


def test_nodes_and_cgroups_are_counted_apart(kills: ProcessDeaths) -> None:
    places = [{"node": "a"}, {"node": "b"}, {"file": "other"}]
    for lease, place in enumerate(places):
        kills.begin(lease, before(0, **place))
    assert [kind(kills, lease, 1) for lease in range(3)] == ["oom", "oom", "oom"]


def test_a_node_that_does_not_answer_leaves_it_a_death(kills: ProcessDeaths, monkeypatch: pytest.MonkeyPatch) -> None:
    kills.begin(0, before(0))
    kills.begin(1, before(0))
    assert kind(kills, 0, None) == "lost"
    monkeypatch.setattr(process_deaths, "ANSWER_S", 0.0)
    assert kills.end(died(1), crashed=True)
    assert len(kills.due([])) == 1


def test_nothing_is_asked_where_there_is_nothing_to_learn(kills: ProcessDeaths) -> None:
    kills.begin(0, before(0))
    kills.begin(2, before(0))
    kills.forgo(2)
    assert not kills.end(LeaseEnded(lease=0), crashed=False)
    assert not any(kills.end(died(lease), crashed=True) for lease in (0, 2, 3))
    assert list(kills.answers) == []


def test_who_died_with_the_node_is_told_from_who_died_on_it(kills: ProcessDeaths) -> None:
    for lease, node in enumerate(["gone", "gone", "there", "gone"]):
        kills.begin(lease, before(0, node=node, file="memory.events" if lease else ""))
    assert [kind(kills, 0, None), kind(kills, 1, None), kind(kills, 2, None)] == ["node", "node", "lost"]
    assert kind(kills, 3, 0) == "lost", "it answered, so it was there"


def test_who_died_unheard_is_taken_for_one_of_a_node_that_left_about_then(monkeypatch: pytest.MonkeyPatch) -> None:
    nodes = ["a", "b"]
    kills = ProcessDeaths(lambda oom_count: object(), lambda: nodes)
    monkeypatch.setattr(process_deaths, "_LOOK_S", 0.0)
    assert kills.end(died(0), crashed=True, nodes=("a", "b"))
    assert kills.unheard() == []
    nodes.remove("b")
    assert [(ended.lease, ended.kind) for ended in kills.unheard()] == [(0, "node")]

    monkeypatch.setattr(process_deaths, "ANSWER_S", 0.0)
    assert kills.end(died(1), crashed=True, nodes=("a", "a"))
    assert [(ended.lease, ended.kind) for ended in kills.unheard()] == [(1, "lost")]
    assert kills.unheard() == []


def test_who_was_to_be_killed_is_not_waited_for(kills: ProcessDeaths) -> None:
    kills.forgo(0)
    assert not kills.end(died(0), crashed=True, nodes=("a", "b"))
    assert kills.end(died(0), crashed=True, nodes=("a", "b")), "the number stands for another lease now"
