"""Lives of a sweep in which files are gone for a while, or links are where folders were; and what finds it."""

import pytest
from machine import SweepLife

from caviar.store import finalize, merging, visible_files
from caviar.store.disk import PosixDisk


def live(*steps):
    machine = SweepLife()
    try:
        machine.create()
        for step in steps:
            step(machine)
    finally:
        machine.teardown()


def ticks(life):
    for _ in range(3):
        life.report(0, 1)
        life.act("publish")


def losing(which, action):
    return ticks, lambda life: life.lose(which, action)


def planting(folder, action):
    return ticks, lambda life: life.plant(folder, action)


@pytest.mark.parametrize("action", ["merge", "finalize", "take over"])
@pytest.mark.parametrize("which", range(4))
def test_a_file_that_is_gone_for_a_while_costs_nothing(which, action):
    live(*losing(which, action))


@pytest.mark.parametrize("action", ["publish", "merge", "finalize"])
@pytest.mark.parametrize("folder", ["_hot", "_merged", "_build", "_owner"])
def test_a_link_in_the_place_of_a_folder_costs_nothing(folder, action):
    live(*planting(folder, action))


def test_without_the_rule_for_holes_the_end_deletes_what_is_behind_one(monkeypatch):
    for room in (finalize, merging):
        monkeypatch.setattr(room, "need_whole", lambda *_: None)
    with pytest.raises(AssertionError, match="lost"):
        live(*losing(1, "finalize"))


def test_without_it_a_takeover_forgets_what_is_behind_one(monkeypatch):
    monkeypatch.setattr("caviar.store.takeover.need_whole", lambda *_: None)
    with pytest.raises(AssertionError, match="lost"):
        live(*losing(1, "take over"))


def torn_ticks():
    for seed in range(16):
        live(
            lambda life: life.report(0, 2),
            lambda life: life.end(0),
            lambda life: life.crash("publish", 14, False),
            lambda life, seed=seed: life.cut_power(seed=seed, all_of_it=False),
            lambda life: life.act("publish"),
        )


def test_a_torn_tick_is_no_hole():
    torn_ticks()


def test_without_the_rule_for_tails_a_torn_tick_would_be_a_hole(monkeypatch):
    monkeypatch.setattr(visible_files, "_is_tail", lambda *_: False)
    with pytest.raises(Exception, match="has no segment"):
        torn_ticks()


def test_without_the_rule_for_links_the_end_deletes_what_is_elsewhere(monkeypatch):
    monkeypatch.setattr(PosixDisk, "_refuse_links", lambda self, *paths: None)
    with pytest.raises(AssertionError, match="not ours"):
        live(*planting("_merged", "finalize"))
