"""`store check` names histories that were spliced."""

from dataclasses import replace

import pytest

from caviar.store import Writer
from caviar.store.check import check
from caviar.store.checkpoints import write_carried
from caviar.store.finalize import finalize
from caviar_workers.checkpoint import Save, carried


def write(sweep, rows, *, spliced):
    """Two executions of trial 0, the second from a checkpoint; trial 1 died. `spliced`: what is wrong, if something."""
    epoch = sweep.claim()
    with Writer(sweep, epoch) as writer:
        writer.add("configs", rows.configs([0, 1]))
        writer.add("curves", rows.curve(0, range(4), loss=[4.0, 3.0, 2.0, 1.0]))
        writer.add("attempts", rows.attempt(0, "RUNNING"))
        writer.add("attempts", rows.attempt(0, "LOST", start=None, rows=4, host="", pid=0))
        writer.add("curves", rows.curve(0, [2, 3], attempt=1, start=2, loss=[2.5, 1.5]))
        writer.add("attempts", rows.attempt(0, "RUNNING", attempt=1, pid=8))
        writer.add("attempts", rows.attempt(0, attempt=1, start=2, rows=2, pid=8))
        writer.add("attempts", rows.attempt(1, "FAILED"))
        if spliced == "start":
            writer.add("curves", rows.curve(0, [9], attempt=1, start=9, seq=2, loss=[1.0]))
        if spliced == "process":
            writer.add("attempts", rows.attempt(0, "RUNNING", attempt=1, pid=9))
        if spliced == "ends":
            writer.add("attempts", rows.attempt(0, attempt=1, start=2, rows=2, pid=8))
        value = 7.0 if spliced == "value" else 3.0
        save = Save(trial=0, attempt=0, step=1, rows=2, value=value, checksum="")
        write_carried(sweep, epoch, carried(save, b"state"))
        if spliced == "rows":
            write_carried(sweep, epoch, carried(replace(save, trial=1, rows=5), b"state"))
    return epoch


@pytest.mark.parametrize("over", [False, True])
@pytest.mark.parametrize(
    ("spliced", "words"),
    [
        (None, None),
        ("start", "1 attempts mix two executions, first attempt 1 of trial 0"),
        ("process", "1 attempts mix two executions, first attempt 1 of trial 0"),
        ("ends", "1 attempts mix two executions, first attempt 1 of trial 0"),
        ("value", "its metric was 7 when it was saved, but row 2 of its attempt says 3: it is of another execution"),
        ("rows", "it was saved after 5 rows of its attempt, of which the store has 0"),
    ],
)
def test_a_spliced_history_is_named(sweep, rows, spliced, words, over):
    epoch = write(sweep, rows, spliced=spliced)
    if over:
        finalize(sweep, epoch)
    found = [one.what for one in check(sweep)]
    if words is None or (spliced == "rows" and not over):  # they may have died with a driver, and nobody goes on there
        assert found == []
    elif not (spliced == "process" and over):  # at the end nothing is kept of who ran, but of who ended
        assert len(found) == 1
        assert found[0].startswith(words)
