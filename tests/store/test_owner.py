"""Who of those that claimed a sweep is alive: every kind of owner, and what is said of it."""

import dataclasses
import itertools
import json
import os
import subprocess
import sys
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caviar.errors import StoreError
from caviar.store import owner as owners
from caviar.store.owner import Owner, Place, from_bytes, here, judge, runs, this_process, to_bytes
from caviar.store.takeover import refusal

PLACES = ("same", "other", "absent")
PROCESSES = ("alive", "dead", "reused", "hidden")
AGES = {"young": 5.0, "old": 300.0, "future": -300.0}
FILES = ("sound", "unknown key", "torn", "not JSON", "wrong type", "other epoch", "released")


@pytest.fixture(scope="module")
def dead():
    """Number of a process that was here."""
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    return child.pid


def expected(host, boot, namespace, process, age, file):
    """The table of docs/store.md."""
    if file == "released":
        return "nobody"
    if file != "sound":
        return "alive" if age == "young" else "not understood"
    if (host, boot, namespace) == ("same",) * 3 and process != "hidden":
        return "alive" if process == "alive" else "silent"
    return {"young": "alive", "old": "silent", "future": "not understood"}[age]


def owner_of(host, boot, namespace, process, dead):
    me = this_process(1)
    words = {"same": None, "other": "elsewhere", "absent": ""}
    changes = {
        key: words[word]
        for key, word in (("host", host), ("boot", boot), ("namespace", namespace))
        if words[word] is not None
    }
    if process == "dead":
        changes["pid"] = dead
    if process in ("reused", "hidden"):
        changes["pid_started"] = "another time" if process == "reused" else ""
    return dataclasses.replace(me, **changes)


def write(sweep, owner, file, age_s):
    folder = sweep.path / "_owner"
    for old in folder.iterdir():
        old.unlink()
    text = to_bytes(owner)
    text = {
        "unknown key": json.dumps(json.loads(text) | {"lease": 3}).encode(),
        "torn": text[: len(text) // 2],
        "not JSON": b"\xff\x00 no",
        "wrong type": json.dumps(json.loads(text) | {"pid": str(owner.pid)}).encode(),
        "other epoch": to_bytes(dataclasses.replace(owner, epoch=2)),
    }.get(file, text)
    path = folder / ("000001.released.json" if file == "released" else "000001.json")
    path.write_bytes(text)
    os.utime(path, (time.time() - age_s,) * 2)


@pytest.mark.parametrize("process", PROCESSES)
def test_every_owner_is_judged_as_the_table_says(sweep, dead, process):
    for host, boot, namespace, age in itertools.product(("same", "other"), PLACES, PLACES, AGES):
        for file in FILES if (host, boot, namespace) == ("same",) * 3 else ("sound",):
            case = host, boot, namespace, process, age, file
            write(sweep, owner_of(host, boot, namespace, process, dead), file, AGES[age])
            seen = sweep.owner()
            assert seen.standing == expected(*case), case
            assert sweep.owner_alive() == seen.alive == (seen.standing == "alive")
            assert sweep.state() == ("running" if seen.alive else "interrupted"), case
            refused = {forced: refusal(sweep.path, seen, take_over=forced) for forced in (False, True)}
            assert bool(refused[True]) == seen.alive, case  # nobody takes a sweep from the living
            assert bool(refused[False]) == (seen.standing in ("alive", "not understood")), case
            assert ("--take-over" in refused[False]) == (seen.standing == "not understood")
            assert ("--wait" in refused[False]) == (seen.left_s is not None)


@pytest.mark.parametrize("what", ["boot", "namespace"])
def test_who_does_not_know_where_he_is_himself_goes_by_signs_of_life(sweep, dead, monkeypatch, what):
    lost = dataclasses.replace(here(), **{what: ""})
    monkeypatch.setattr(owners, "here", lambda: lost)
    for process, age in itertools.product(PROCESSES, AGES):
        owner = dataclasses.replace(owner_of("same", "same", "same", process, dead), **{what: ""})
        write(sweep, owner, "sound", AGES[age])
        assert sweep.owner().standing == {"young": "alive", "old": "silent", "future": "not understood"}[age]


def test_a_claim_goes_by_the_same_judgement(sweep, dead):
    write(sweep, owner_of("same", "other", "same", "dead", dead), "sound", 5.0)
    with pytest.raises(
        StoreError,
        match=r"sign of life 5 s ago.* sure after 5[56] s more of silence, which caviar resume \S+ --wait waits for",
    ):
        sweep.claim(take_over=True)
    write(sweep, this_process(1), "unknown key", 300.0)
    with pytest.raises(StoreError, match=r"000001.json cannot be understood, and is silent: .* --take-over") as caught:
        sweep.claim()
    assert "\n" not in str(caught.value)
    assert sweep.claim(take_over=True) == 2


@given(st.sampled_from([None, True, False]), st.floats(allow_nan=False), st.booleans())
def test_the_judgement_is_one_of_three_and_silence_never_revives(running, age_s, known):
    owner = this_process(1) if known else None
    now = judge(owner, running, age_s)
    assert now in ("alive", "silent", "not understood")
    if age_s >= 0 and now != "alive":
        assert judge(owner, running, age_s * 2 + 1) == now
    if owner is None:
        assert now != "silent"


@given(
    st.one_of(
        st.binary(max_size=60),
        st.recursive(
            st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=5)),
            lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
        ).map(lambda value: json.dumps(value).encode()),
    )
)
def test_no_bytes_are_too_odd_to_be_judged(text):
    assert from_bytes(text, 1) is None


def test_what_was_written_is_understood_and_so_is_format_1():
    me = this_process(7)
    assert from_bytes(to_bytes(me), 7) == me
    old = {key: getattr(me, key) for key in ("epoch", "host", "pid", "pid_started", "claimed")}
    assert from_bytes(json.dumps(old).encode(), 7) == Owner(**old)
    assert not Owner(**old).place.same(here())


def test_a_process_that_proc_hides_or_shows_of_another_namespace_is_not_taken_for_dead(monkeypatch):
    start = this_process(1).pid_started
    assert runs(os.getpid(), start) is True
    if sys.platform != "linux":
        pytest.skip("no /proc")
    shown = "caviar.store.owner._text"
    with monkeypatch.context() as patch:  # hidepid
        patch.setattr(shown, lambda path: "")
        assert runs(os.getpid(), start) is None
    with monkeypatch.context() as patch:  # /proc of the host, in a container
        patch.setattr("caviar.store.owner._link", lambda path: "1")
        assert runs(os.getpid(), start) is None
    assert runs(2**22 + 5, start) is False
    assert runs(2**70, start) is None


def test_places_that_nobody_can_name_are_never_the_same():
    assert here().same(here())
    for what in ("boot", "namespace"):
        place = dataclasses.replace(here(), **{what: ""})
        assert not place.same(place)
    assert not here().same(Place(host="other", boot=here().boot, namespace=here().namespace))


def test_a_link_in_an_owners_place_gives_no_sign_of_life(sweep):
    sweep.release(sweep.claim())
    (sweep.path / "_owner" / "000099.json").symlink_to("/dev/zero")
    assert sweep.owner().standing == "not understood"
    assert sweep.state() == "interrupted"
