import io
import json

import pytest

from caviar.store import Store


class Terminal(io.StringIO):
    """Stdin of somebody who types."""

    def isatty(self):
        return True


def test_it_asks_nobody_without_a_terminal(caviar, interrupted):
    got = caviar("rm", "later", "--store", interrupted)
    assert (got.code, got.out) == (2, "")
    assert "add --yes" in got.err
    assert len(Store.open(interrupted).sweeps()) == 1


@pytest.mark.parametrize(("answer", "code", "left"), [("n\n", 1, 1), ("y\n", 0, 0)])
def test_it_asks(caviar, interrupted, monkeypatch, answer, code, left):
    monkeypatch.setattr("sys.stdin", Terminal(answer))
    got = caviar("rm", "later", "--store", interrupted)
    assert got.code == code
    assert ("nothing was deleted" in got.err) == (left == 1)
    assert "for good?" in got.err
    assert len(Store.open(interrupted).sweeps()) == left


def test_yes_deletes_the_one_that_was_named(caviar, interrupted):
    store = Store.open(interrupted)
    other = store.create_sweep(store.find().description(), b"")
    got = caviar("rm", other.id, "--yes", "--json", "--store", interrupted)
    assert json.loads(got.out)["removed"] == [other.id]
    assert [sweep.name for sweep in store.sweeps()] == ["later"]
    assert not list(store.path.glob("_*"))


def test_a_sweep_must_be_named_and_may_not_run(caviar, interrupted):
    assert caviar("rm", "--yes", "--store", interrupted).code == 2
    sweep = Store.open(interrupted).find()
    epoch = sweep.claim()
    got = caviar("rm", sweep.id, "--yes", "--store", interrupted)
    assert got.code == 5
    assert "is being run by" in got.err
    assert f"caviar stop --store {interrupted} {sweep.id}" in got.err
    assert sweep.path.exists()
    sweep.release(epoch)
