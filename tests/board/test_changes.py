"""Who merges what changed has what a newcomer gets, whatever changed in between."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from caviar.board.changes import Changes

VALUE = st.sampled_from([0.0, -0.0, 1.5, float("nan"), float("inf")])
ROWS = st.dictionaries(st.integers(0, 6), st.tuples(VALUE, st.integers(0, 3)))


def columns(rows):
    trials = sorted(rows)
    return {
        "trial": np.array(trials, "i4"),
        "value": np.array([rows[one][0] for one in trials], "f8"),
        "state": np.array([rows[one][1] for one in trials], "u1"),
    }


@given(st.lists(ROWS, min_size=1, max_size=6), st.data())
def test_merging_what_changed_gives_all_there_is(versions, data):
    changes, merged, seen = Changes(), {}, -1
    for version, rows in enumerate(versions, 1):
        table = columns(rows)
        changes.note(table, version)
        if not data.draw(st.booleans(), label="asked"):
            continue
        if seen < changes.first:
            merged = {}
        which = changes.since(seen if seen >= changes.first else 0)
        found = dict(zip(table["trial"][which].tolist(), np.flatnonzero(which), strict=True))
        merged |= {trial: (table["value"][row].tobytes(), table["state"][row]) for trial, row in found.items()}
        assert merged == {
            trial: (table["value"][row].tobytes(), table["state"][row])
            for row, trial in enumerate(table["trial"].tolist())
        }
        seen = version


def test_only_what_changed_is_told_again():
    changes = Changes()
    changes.note(columns({0: (1.0, 1), 1: (float("nan"), 1), 2: (3.0, 1)}), 1)
    changes.note(columns({0: (1.0, 1), 1: (float("nan"), 1), 2: (3.0, 2), 5: (1.0, 1)}), 2)
    assert changes.since(1).tolist() == [False, False, True, True]
    assert changes.since(2).tolist() == [False] * 4
    assert changes.first == 1


def test_rows_that_are_gone_and_other_columns_need_everything_anew():
    changes = Changes()
    changes.note(columns({0: (1.0, 1), 1: (1.0, 1)}), 1)
    changes.note(columns({1: (1.0, 1)}), 2)
    assert changes.first == 2
    changes.note(columns({1: (1.0, 1)}) | {"more": np.zeros(1)}, 3)
    assert changes.first == 3
    changes.note(columns({1: (1.0, 1)}) | {"more": np.zeros(1, "f4")}, 4)
    assert changes.first == 4
