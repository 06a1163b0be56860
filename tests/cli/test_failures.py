"""What the last lines of a run say of the trials that failed."""

import pytest

from caviar.cli.after_run import failure_line
from caviar.cli.opened import opened
from caviar.cli.options import Target
from caviar.store import Store, Writer

from ..small_stores import attempt_row, configs, make_plan


def raised(error: str) -> tuple[str, str]:
    return "error", f'Traceback (most recent call last):\n  File "x.py", line {len(error)}\n    f()\n{error}'


A, B, OOM, LONG = (
    raised("ValueError: no such layer"),
    raised("KeyError: 'lr'"),
    ("oom", "killed"),
    raised("E: " + "x" * 99),
)


@pytest.mark.parametrize(
    ("failures", "expected"),
    [
        ({}, ""),
        ({3: A}, "1 of 8 failed: 1 × ValueError: no such layer (t3)"),
        ({3: A, 5: OOM, 6: A}, "3 of 8 failed: 2 × ValueError: no such layer (t3, t6), 1 × oom (t5)"),
        (dict.fromkeys(range(8), A), "8 of 8 failed: 8 × ValueError: no such layer (t0, t1, t2, …)"),
        (
            {0: ("timeout", ""), 1: ("lost", "x"), 2: B},
            "3 of 8 failed: 1 × timeout (t0), 1 × lost (t1), 1 × KeyError: 'lr' (t2)",
        ),
        ({1: ("error", "")}, "1 of 8 failed: 1 × error (t1)"),
        ({1: LONG}, f"1 of 8 failed: 1 × E: {'x' * 56}… (t1)"),
        (
            {n: raised(f"E{n}: x") for n in range(6)},
            "6 of 8 failed: 1 × E0: x (t0), 1 × E1: x (t1), 1 × E2: x (t2), 1 × E3: x (t3), 2 × others",
        ),
    ],
)
def test_failures_in_one_line(tmp_path, failures, expected):
    plan = make_plan("bad", 8)
    store = Store.open(tmp_path / "store", create=True)
    sweep = store.create_sweep({"plan": plan.to_json(), "provenance": {}}, b"")
    epoch = sweep.claim()
    with Writer(sweep, epoch) as writer:
        writer.add("configs", configs(plan, 8))
        for trial, (kind, error) in failures.items():
            writer.add("attempts", attempt_row(trial, "FAILED", steps=0, kind=kind, error=error))
    sweep.release(epoch)
    with opened(Target(store=str(store.path), sweep=None, as_json=False)) as found:
        assert failure_line(found) == expected
