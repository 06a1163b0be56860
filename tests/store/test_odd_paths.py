"""Every character of a store's path is itself, though DuckDB takes names of files for patterns."""

import pytest

from caviar.errors import SpecError
from caviar.store import Store, Views, Writer
from caviar.store.check import check
from caviar.store.finalize import finalize
from caviar.store.sizes import sizes

ODD = ("exp?", "exp[!a]", "a\\b", "it's", "\u202eexe")
MORE = ("exp*", "e[x]p", "{a,b}", 'a"b', "%d $HOME", "a b", "ü🐟", "x" * 200)


@pytest.mark.parametrize("name", [*ODD, *(pytest.param(name, marks=pytest.mark.nightly) for name in MORE)])
def test_a_store_anywhere_holds_what_it_was_given_and_nothing_of_its_neighbours(tmp_path, rows, describe, name) -> None:
    neighbours = ("exp1", "expa", "a", "ab")
    for folder in neighbours:
        _fill(Store.open(tmp_path / folder, create=True), rows, describe, trials=5)
    store = Store.open(tmp_path / name, create=True)
    sweep = _fill(store, rows, describe, trials=2)
    for folder in neighbours:  # the same sweep's name everywhere, so that a pattern would find them
        there = next((tmp_path / folder).glob("sweep=*"))
        there.rename(there.with_name(sweep.path.name))

    for ended in (False, True):
        if ended:
            finalize(sweep, sweep.claim())
        with Views(Store.open(tmp_path / name)) as views:
            assert views.execute("SELECT count(*), count(DISTINCT trial) FROM curves").fetchall() == [(6, 2)]
            assert views.execute("SELECT count(*) FROM trials").fetchall() == [(2,)]
        assert check(sweep) == []
        assert {size.table: size.rows for size in sizes(sweep)}["curves"] == 6


@pytest.mark.parametrize("name", ["a\\b?", "a\\b*", "b\udcff"])
def test_a_path_that_cannot_be_told_to_the_database_is_refused(tmp_path, name) -> None:
    with pytest.raises(SpecError, match="choose another with --store"):
        Store.open(tmp_path / name, create=True)


def _fill(store, rows, describe, trials):
    sweep = store.create_sweep(describe(trials=trials), b"code")
    epoch = sweep.claim()
    with Writer(sweep, epoch) as writer:
        writer.add("configs", rows.configs(range(trials)))
        for trial in range(trials):
            writer.add("curves", rows.curve(trial, range(3), loss=[1.0, 0.5, 0.25]))
            writer.add("attempts", rows.attempt(trial, rows=3, last_loss=0.25))
    sweep.release(epoch)
    return sweep
