"""A number in the name of a file of the store may be any: work and memory do not grow with it."""

import contextlib

import pytest

from caviar.errors import StoreError
from caviar.store import Store, Views, Writer
from caviar.store.check import MOST_NAMED, check
from caviar.store.finalize import compact, finalize
from caviar.store.quarantine import skip_lost

LARGEST = 10**18 - 1
MANY = 10**7
"""So many that a test which counts them fails, and not the machine."""
FILES = (
    "_owner/{}.released.json",
    "_owner/{}.json",
    "_hot/{}-000000000-curves-00000000.parquet",
    "_hot/0001-{}-curves-00000000.parquet",
    "_final/{}.json",
    "_fingerprints/{}.json",
    "_drift/{}.json",
    "_requests/{}.json",
    "_amendments/{}.json",
    "_manifest/{}.json",
    "_checkpoints/{}/000001-000001-1-1-00000000.checkpoint",
    "_checkpoints/000000/{}-000001-1-1-00000000.checkpoint",
    "_build/{}/x",
)
NUMBERS = (99_999_999, 10**12, LARGEST - 1, LARGEST, 10**18, 10**200)


def try_all(sweep):
    """Each act does its work, or says in a sentence why not."""
    for act in (lambda one: one.release(one.claim()), compact, check, skip_lost, _read):
        with contextlib.suppress(StoreError):
            act(sweep)


def _read(sweep):
    with Views(Store.open(sweep.path.parent), [sweep]) as views:
        return views.execute("SELECT count(*) FROM curves").fetchall()


def end_with(store, rows, describe, name):
    """An ended sweep with one file more."""
    sweep = store.create_sweep(describe(), b"code")
    epoch = sweep.claim()
    with Writer(sweep, epoch) as writer:
        writer.add("configs", rows.configs([0, 1]))
        writer.add("curves", rows.curve(0, [0], loss=[1.0]))
        writer.add("attempts", rows.attempt(0, rows=1))
    finalize(sweep, epoch)
    sweep.release(epoch)
    path = sweep.path / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("{}")
    return sweep


@pytest.mark.nightly
@pytest.mark.parametrize("name", FILES)
def test_every_odd_number_in_a_name_ends_in_a_sentence_or_does_no_harm(store, rows, describe, name):
    for number in NUMBERS:
        try_all(end_with(store, rows, describe, name.format(number)))


def test_an_owner_with_a_large_number_is_followed_by_the_next(store, rows, describe):
    sweep = end_with(store, rows, describe, f"_owner/{MANY}.released.json")
    assert sweep.claim() == MANY + 1
    sealed = sweep.visible_files().manifest.sealed
    assert {1, MANY} <= set(sealed)
    assert len(sealed) < 2000
    sweep.release(MANY + 1)
    assert len(check(sweep)) <= MOST_NAMED + 1
    assert _read(sweep) == [(1,)]


def test_after_the_largest_number_there_is_none(store, rows, describe):
    sweep = end_with(store, rows, describe, f"_owner/{LARGEST}.released.json")
    for _ in range(2):
        with pytest.raises(StoreError, match="has no number after"):
            sweep.claim()
    assert _read(sweep) == [(1,)]


def test_nobody_gives_up_more_segments_than_anybody_published(sweep, rows):
    epoch = sweep.claim()
    with Writer(sweep, epoch) as writer:
        writer.add("configs", rows.configs([0, 1]))
    (sweep.path / f"_hot/0001-{MANY:09d}-curves-00000000.parquet").write_bytes(b"")
    with pytest.raises(StoreError, match=f"the number in _hot/0001-{MANY:09d}-curves-00000000.parquet is wrong"):
        skip_lost(sweep)
    with pytest.raises(StoreError, match="--skip-lost"):
        finalize(sweep, epoch)
