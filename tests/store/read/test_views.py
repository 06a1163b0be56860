"""What readers see of a running sweep."""

import math
from datetime import datetime

import duckdb
import pytest

from caviar.errors import SpecError, StoreError
from caviar.store import Views, Writer
from caviar.store.finalize import finalize
from caviar.store.read.live_rows import live_rows
from caviar.store.read.sweep_tables import SweepTables


def table(views, sql):
    return views.execute(sql).fetchall()


def test_empty_sweep_has_all_views_with_its_parameters(store, sweep):
    with Views(store, [sweep]) as views:
        described = {row[0]: row[1] for row in table(views, "DESCRIBE trials")}
        assert described["sweep"] == "VARCHAR"
        assert described["lr"] == "DOUBLE"
        assert described["started"] == "TIMESTAMP"
        assert described["u"] == "DOUBLE[]"
        for view in ("trials", "curves", "attempts", "configs", "logs", "artifacts", "decisions"):
            assert table(views, f"SELECT * FROM {view}") == []
        assert table(views, "SELECT name, state, planned, completed, tags, git_dirty FROM sweeps") == [
            ("digits", "interrupted", 2, 0, ["a", "it's"], True)
        ]


def test_no_sweeps_at_all(store):
    with Views(store) as views:
        for view in ("sweeps", "trials", "curves", "attempts", "configs", "logs", "artifacts", "decisions"):
            assert table(views, f"SELECT sweep FROM {view}") == []


def test_trials_in_every_state(store, sweep, rows):
    epoch = sweep.claim()
    with Writer(sweep, epoch) as writer:
        writer.add("configs", rows.configs(range(5)))
        writer.add("curves", rows.curve(0, [0, 1], loss=[3.0, 2.0]))
        writer.add("curves", rows.curve(1, [0, 1, 2], loss=[1.0, math.nan, 5.0]))
        writer.add("attempts", rows.attempt(0, rows=2, step=1, last_loss=2.0, min_loss=2.0, max_loss=3.0))
        writer.add("attempts", rows.attempt(1, "RUNNING"))
        writer.add("attempts", rows.attempt(2, "LOST", kind="lost"))
        writer.add("attempts", rows.attempt(3, "FAILED", kind="error", error="boom"))
    shown = "trial, state, attempts, rows, step, last_loss, best_loss, error, diverged"
    sql = f"SELECT {shown} FROM trials ORDER BY trial"
    expected = [
        (0, "COMPLETED", 1, 2, 1, 2.0, 2.0, None, False),
        (1, "RUNNING", 1, 3, 2, 5.0, 1.0, None, True),
        (2, "PENDING", 1, 0, None, None, None, None, False),
        (3, "FAILED", 1, 0, None, None, None, "boom", False),
        (4, "PENDING", 0, 0, None, None, None, None, None),
    ]
    with Views(store, [sweep]) as views:
        assert table(views, sql) == expected
        assert table(views, "SELECT state, completed, running, failed FROM sweeps") == [("running", 1, 1, 1)]
        assert table(views, "SELECT DISTINCT started FROM trials WHERE trial = 0") == [(datetime(2026, 11, 23, 4),)]
    sweep.release(epoch)
    with Views(store, [sweep]) as views:
        assert [row[1] for row in table(views, sql)] == ["COMPLETED", "LOST", "LOST", "FAILED", "PENDING"]
        assert table(views, "SELECT state FROM attempts WHERE trial = 1") == [("LOST",)]


def test_a_terminal_attempt_replaces_its_running_row(store, sweep, rows):
    with Writer(sweep, sweep.claim()) as writer:
        writer.add("configs", rows.configs([0]))
        for _ in range(2):  # announced twice
            writer.add("attempts", rows.attempt(0, "RUNNING"))
            writer.flush()
        with Views(store, [sweep]) as views:
            assert table(views, "SELECT state FROM attempts") == [("RUNNING",)]
        writer.add("attempts", rows.attempt(0, "COMPLETED"))
    with Views(store, [sweep]) as views:
        assert table(views, "SELECT state FROM attempts") == [("COMPLETED",)]
        assert table(views, "SELECT state, attempts FROM trials") == [("COMPLETED", 1)]


def test_a_retry_supersedes_and_a_checkpoint_joins(store, sweep, rows):
    with Writer(sweep, sweep.claim()) as writer:
        writer.add("configs", rows.configs([0, 1, 2]))
        writer.add("curves", rows.curve(0, [0, 1, 2], loss=[9.0, 9.0, 9.0]))  # started again from step 0
        writer.add("attempts", rows.attempt(0, "LOST"))
        writer.add("curves", rows.curve(0, [0, 1], attempt=1, loss=[5.0, 4.0]))
        writer.add("curves", rows.curve(1, [0, 1, 2, 3], loss=[0.0, 1.0, 2.0, 3.0]))  # restored after step 1
        writer.add("attempts", rows.attempt(1, "LOST"))
        writer.add("curves", rows.curve(1, [2, 3], attempt=1, start=2, loss=[20.0, 30.0]))
        writer.add("attempts", rows.attempt(1, attempt=1, start=2, rows=2, step=3, last_loss=30.0, min_loss=20.0))
        writer.add("curves", rows.curve(2, [0, 1], loss=[7.0, 8.0]))  # where its retry begins is not known yet
        writer.add("attempts", rows.attempt(2, "LOST"))
        writer.add("attempts", rows.attempt(2, "RUNNING", attempt=1))
    with Views(store, [sweep]) as views:
        curves = table(views, "SELECT trial, attempt, step, loss FROM curves ORDER BY ALL")
        assert curves == [
            (0, 1, 0, 5.0),
            (0, 1, 1, 4.0),
            (1, 0, 0, 0.0),
            (1, 0, 1, 1.0),
            (1, 1, 2, 20.0),
            (1, 1, 3, 30.0),
            (2, 0, 0, 7.0),
            (2, 0, 1, 8.0),
        ]
        trials = table(views, "SELECT trial, attempts, rows, last_loss, best_loss FROM trials ORDER BY trial")
        assert trials == [(0, 1, 2, 4.0, 4.0), (1, 2, 4, 30.0, 0.0), (2, 2, 2, 8.0, 7.0)]


def test_attempts_are_joined_only_where_a_trial_was_begun_again(store, sweep, rows, monkeypatch):
    def look():
        with Views(store, [sweep]) as views:
            sql = live_rows(SweepTables(views.connection, sweep, sweep.visible_files(), running=True))
            types = [table(views, f"DESCRIBE {view}") for view in ("trials", "curves")]
            shown = [str(table(views, f"FROM {view} ORDER BY ALL")) for view in ("trials", "curves")]
            return "JOIN" in sql, types, shown

    with Writer(sweep, sweep.claim()) as writer:
        writer.add("configs", rows.configs([0, 1, 2]))
        writer.add("attempts", rows.attempt(0, "RUNNING"))
        writer.add("curves", rows.curve(0, [0, 1], loss=[3.0, 2.0]))
        writer.add("attempts", rows.attempt(0, rows=2, step=1, last_loss=2.0, min_loss=2.0, max_loss=3.0))
        writer.add("attempts", rows.attempt(1, "RUNNING"))
        writer.add("curves", rows.curve(1, [0, 1], loss=[5.0, 4.0]))
        writer.flush()
        joined, *once = look()
        assert not joined
        monkeypatch.setattr(SweepTables, "retried", True)
        assert look() == (True, *once)
        monkeypatch.undo()
        writer.add("curves", rows.curve(1, [1], attempt=1, start=1, loss=[9.0]))  # its row of attempts is still to come
        writer.flush()
        assert look()[0]
        with Views(store, [sweep]) as views:
            sql = "SELECT step, loss FROM curves WHERE trial = 1 ORDER BY step"
            with views.of_trials([0]):
                views.execute(sql)
            assert views.execute(sql).fetchall() == [(0, 5.0), (1, 9.0)]


@pytest.mark.parametrize("in_lease", [False, True])
@pytest.mark.parametrize("over", [False, True])
def test_what_never_began_is_no_attempt_and_has_no_start(store, sweep, rows, in_lease, over):
    """The ways: stopped before the first attempt, before one that a dead process left, and before a second one."""
    first, second = datetime(2026, 1, 1), datetime(2026, 1, 2)
    told = {"started": second, "busy": 0.0 if in_lease else None, "start": 0 if in_lease else None}
    epoch = sweep.claim()
    with Writer(sweep, epoch) as writer:
        writer.add("configs", rows.configs(range(5)))
        writer.add("attempts", rows.attempt(0, "CANCELLED", **told))
        writer.add("attempts", rows.attempt(1, "STOPPED", attempt=1, cause="stop", **told))
        writer.add("curves", rows.curve(2, [0, 1], loss=[3.0, 2.0]))
        writer.add("attempts", rows.attempt(2, "PAUSED", started=first, rows=2, step=1, last_loss=2.0))
        writer.add("attempts", rows.attempt(2, "STOPPED", attempt=1, cause="stop", **told))
        writer.add("attempts", rows.attempt(3, started=first, rows=0))
    if over:
        finalize(sweep, epoch)
    with Views(store, [sweep]) as views:
        assert table(views, "SELECT trial, state, attempts, started, rows, last_loss FROM trials ORDER BY trial") == [
            (0, "CANCELLED", 0, None, 0, None),
            (1, "STOPPED", 0, None, 0, None),
            (2, "STOPPED", 1, first, 2, 2.0),
            (3, "COMPLETED", 1, first, 0, None),
            (4, "PENDING", 0, None, 0, None),
        ]
        sql = "SELECT trial, started FROM attempts ORDER BY trial, attempt"
        assert table(views, sql) == [(0, None), (1, None), (2, first), (2, None), (3, first)]


@pytest.mark.parametrize("mode", ["min", "max"])
def test_values_survive_as_reported(store, rows, describe, mode):
    values = [1.0, math.nan, math.inf, -math.inf, -0.0, None, 5e-324]
    sweep = store.create_sweep(describe(mode=mode), b"")
    with Writer(sweep, sweep.claim()) as writer:
        writer.add("configs", rows.configs([0]))
        writer.add("attempts", rows.attempt(0, "RUNNING"))
        writer.add("curves", rows.curve(0, range(7), **{"größe λ": values}))
        writer.flush()
        writer.add("curves", rows.curve(0, [7], seq=7, later=[4.0]))
    with Views(store, [sweep]) as views:
        found = [row[0] for row in table(views, 'SELECT "größe λ" FROM curves ORDER BY step')]
        assert str(found[:7]) == str(values)
        assert found[7] is None
        assert table(views, 'SELECT count(*) FROM curves WHERE "größe λ" > 2') == [(2,)]  # NaN is above all
        best, last, later = table(views, 'SELECT "best_größe λ", "last_größe λ", last_later FROM trials')[0]
        assert (best, last, later) == (-0.0 if mode == "min" else 1.0, 5e-324, 4.0)
        assert views.metrics() == ["größe λ", "later"]


def test_kinds_that_differ_between_sweeps_do_not_mix(store, rows, describe):
    def record(kinds, **values):
        sweep = store.create_sweep(describe(kinds=kinds), b"")
        with Writer(sweep, sweep.claim()) as writer:
            writer.add("configs", rows.configs([0], kinds, **values))

    record({"lr": "float", "units": "int"}, lr=[0.1], units=[50])
    record({"lr": "text", "units": "float"}, lr=["auto"], units=[1.5])
    record({"LR": "int", "flag": "bool"}, LR=[3], flag=[True])
    with Views(store) as views:
        names = [row[0] for row in table(views, "DESCRIBE trials")]
        assert names[8:12] == ["LR", "LR_text", "units", "flag"]
        assert table(views, "SELECT lr, lr_text, units, flag FROM trials ORDER BY sweep") == [
            (0.1, None, 50.0, None),
            (None, "auto", 1.5, None),
            (3.0, None, None, True),
        ]
        assert table(views, "SELECT DISTINCT typeof(lr), typeof(lr_text) FROM configs") == [("DOUBLE", "VARCHAR")]


def test_the_second_name_of_a_column_takes_no_other_columns(store, describe):
    for kinds in ({"lr": "float", "lr_text": "text"}, {"lr": "text"}):
        store.create_sweep(describe(kinds=kinds), b"")
    with Views(store) as views:
        assert [row[0] for row in table(views, "DESCRIBE configs")][5:] == ["lr", "lr_text_", "lr_text"]


@pytest.mark.parametrize("damage", [lambda data: b"", lambda data: data[:-20], lambda data: data[:4] + bytes(200)])
@pytest.mark.parametrize("summed", [True, False])
def test_a_damaged_file_is_named(store, sweep, rows, damage, summed):
    with Writer(sweep, sweep.claim()) as writer:
        writer.add("curves", rows.curve(0, range(100), loss=[1.0] * 100))
        writer.flush()
        writer.add("curves", rows.curve(1, range(100), loss=[1.0] * 100))
    (path,) = sweep.path.glob("_hot/*-000000001-curves-*")
    data = path.read_bytes()
    if not summed:  # as written before names held checksums
        path.unlink()
        path = path.with_name("0001-000000001-curves.parquet")
    path.write_bytes(damage(data))
    with (
        Views(store, [sweep]) as views,
        pytest.raises(StoreError, match=r"000000001-curves\S*.parquet is damaged") as caught,
    ):
        views.execute("SELECT sum(loss), sum(step) FROM curves")
    assert "\n" not in str(caught.value)


def test_a_user_asks_one_reading_question(store, sweep, rows):
    with Views(store, [sweep]) as views:
        assert views.ask("SELECT count(*) FROM trials").fetchall() == [(0,)]
        for wrong in (
            "SELECT * FROM read_csv('/etc/passwd')",
            "SELECT * FROM '/etc/passwd.csv'",
            "SELECT nothing FROM trials",
            "SELEC 1",
        ):
            with pytest.raises(SpecError) as caught:
                views.ask(wrong)
            assert "\n" not in str(caught.value)
        other = rows.configs([0])  # noqa: F841 - no Python variable is a table
        with pytest.raises(SpecError):
            views.ask("SELECT * FROM other")


def test_the_connection_itself_reads_no_other_file(store, sweep, tmp_path):
    (tmp_path / "secret.csv").write_text("a\n1\n")
    with Views(store, [sweep]) as views:
        for sql in (
            f"SELECT * FROM read_csv('{tmp_path}/secret.csv')",
            f"SELECT * FROM read_text('{sweep.path}/../../secret.csv')",
            "SELECT * FROM read_text('/etc/passwd')",
            f"ATTACH '{tmp_path}/x.db'",
            f"COPY (SELECT 1) TO '{tmp_path}/x.csv'",
            "INSTALL httpfs",
            "SET enable_external_access = true",
        ):
            with pytest.raises(duckdb.Error, match=r"(?i)disabled|locked|permission"):
                views.connection.execute(sql)


def test_one_sweep_of_several_is_shown_alone_for_a_while(store, describe, rows):
    several = [store.create_sweep(describe(), b"code") for _ in range(2)]
    for lr, sweep in enumerate(several):
        with Writer(sweep, sweep.claim()) as writer:
            writer.add("configs", rows.configs([0]))
            writer.add("curves", rows.curve(0, [0], loss=[float(lr)]))
    with Views(store, several) as views:
        for number, sweep in enumerate(several):
            with views.of_sweep(sweep):
                assert table(views, "SELECT sweep, loss FROM curves") == [(sweep.id, number)]
                views.refresh()
                assert table(views, "SELECT sweep FROM sweeps") == [(sweep.id,)]
        assert table(views, "SELECT count(*) FROM curves") == [(2,)]


def test_a_sweep_that_cannot_be_read_alone_is_an_error_and_not_left_out(store, describe, rows):
    several = [store.create_sweep(describe(), b"code") for _ in range(2)]
    for sweep in several:
        with Writer(sweep, sweep.claim()) as writer:
            writer.add("curves", rows.curve(0, [0], loss=[1.0]))
    with Views(store, several, leave_out=True) as views:
        for file in several[0].path.rglob("*-curves-*.parquet"):
            file.write_bytes(file.read_bytes()[:-1])
        with pytest.raises(StoreError), views.of_sweep(several[0]):
            views.execute("SELECT count(*) FROM curves")
        assert table(views, "SELECT sweep FROM curves") == [(several[1].id,)]
