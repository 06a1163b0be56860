"""Out of memory is a result, but only of a trial that had a process to itself: the first time it is tried again."""

from __future__ import annotations

import pyarrow as pa

from caviar.schedule.ledger import Ledger


def second_chances(attempts: pa.Table, ledger: Ledger, lease: int) -> pa.Table:
    """Rows of attempts of a lease, where a trial that ran out of memory for the first time is LOST, and not FAILED.

    Args:
        attempts: As the lease sent them.
        ledger: Takes the trials that are to be tried again.
        lease: Whose they are.
    """
    kinds = attempts["kind"]
    if kinds.null_count == len(kinds):
        return attempts
    states = attempts["state"].to_pylist()
    running = ledger.running[lease]
    for place, kind in enumerate(kinds.to_pylist()):  # those that ended come first, in the order of the lease
        if kind == "oom" and ledger.try_alone(running.work.pick([running.done + place])):
            states[place] = "LOST"
    column = attempts.schema.get_field_index("state")
    return attempts.set_column(column, attempts.schema.field(column), pa.array(states, pa.string()))
