"""Only one SELECT, and no function that does more than compute; and databases that are kept."""

import subprocess
import sys

import duckdb
import pytest

from caviar.errors import SpecError
from caviar.store import select_only
from caviar.store.read.sql import MOST_KEPT, connect, open_plain

READING = [
    "SELECT 1",
    "from trials",
    "WITH a AS (SELECT 1) SELECT * FROM a;",
    "WITH RECURSIVE t(n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM t WHERE n < 3) FROM t",
    "SELECT * FROM range(3), unnest([1])",
    "DESCRIBE trials",
    "SUMMARIZE trials",
    "VALUES (1)",
]
REFUSED = [
    "COPY (SELECT 1) TO 'x'",
    "ATTACH 'x'",
    "INSTALL httpfs",
    "LOAD httpfs",
    "SET threads = 1",
    "PRAGMA version",
    "CALL enable_logging()",
    "SELECT 1; SELECT 2",
    "INSERT INTO trials VALUES (1)",
    "DROP VIEW trials",
    "CREATE TABLE x (a INT)",
    "EXPORT DATABASE 'x'",
    "EXPLAIN ANALYZE SELECT 1",
    "",
    "-- nothing",
    "SELEC 1",
    "SELECT 'open",
    "WITH a AS (INSERT INTO trials VALUES (1) RETURNING *) FROM a",
    "WITH a AS (DELETE FROM trials RETURNING *) FROM a",
    "SELECT * FROM enable_logging(storage = 'file')",
    "SELECT (SELECT count(*) FROM force_checkpoint())",
    "FROM query('SELECT 1')",
    "FROM read_csv('/etc/passwd')",
    "SELECT * FROM trials WHERE EXISTS (FROM read_text('/etc/passwd'))",
    "FROM glob('/*')",
]


@pytest.mark.parametrize("sql", READING)
def test_reading_is_allowed(sql):
    assert select_only(sql) == sql


@pytest.mark.parametrize("sql", REFUSED)
def test_all_else_is_refused_in_one_sentence(sql):
    with pytest.raises(SpecError) as caught:
        select_only(sql)
    assert "\n" not in str(caught.value)


def test_what_memory_cannot_hold_is_put_aside_out_of_the_way(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "tmp"))
    for name in ("tmp", "here"):
        (tmp_path / name).mkdir()
    monkeypatch.chdir(tmp_path / "here")
    with open_plain() as connection:
        connection.execute("SET memory_limit = '50MB'")
        connection.execute("CREATE TABLE t AS SELECT random() AS r FROM range(8000000)")
        [home] = (tmp_path / "tmp").iterdir()
        assert list(home.glob("*/duckdb_temp*"))
        assert home.stat().st_mode & 0o077 == 0
    assert list(home.iterdir()) == []
    assert list((tmp_path / "here").iterdir()) == []


def test_a_temporary_folder_that_cannot_be_used_is_done_without(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "file"))
    with open_plain() as connection:
        assert connection.execute("SELECT 1").fetchall() == [(1,)]


def test_who_asks_about_the_same_folders_again_is_given_the_same_database_and_sees_nothing_of_others(tmp_path):
    one, other = connect([tmp_path]), connect([tmp_path])
    one.execute("CREATE TEMP VIEW trials AS SELECT 1 AS trial")
    with pytest.raises(duckdb.CatalogException):
        other.execute("FROM trials")
    one.close()
    assert other.execute("SELECT 1").fetchall() == [(1,)]
    other.execute("CREATE TABLE all_see_it AS SELECT 1")
    assert connect([tmp_path]).execute("FROM all_see_it").fetchall() == [(1,)], "it is the same"


def test_few_are_kept_and_one_that_is_in_use_lives_on(tmp_path):
    first = connect([tmp_path])
    first.execute("CREATE TABLE known AS SELECT 1")
    for number in range(MOST_KEPT):
        connect([tmp_path / str(number)]).close()
    assert first.execute("FROM known").fetchall() == [(1,)]
    with pytest.raises(duckdb.CatalogException):
        connect([tmp_path]).execute("FROM known")


def test_a_child_that_is_forked_opens_its_own(tmp_path):
    script = f"""
import os, sys
from pathlib import Path
from caviar.store.read.sql import connect
folder = Path({str(tmp_path)!r})
connect([folder]).execute("CREATE TABLE known AS SELECT 1")
if os.fork() == 0:
    found = connect([folder]).execute("SELECT count(*) FROM duckdb_tables()").fetchall()
    os._exit(0 if found == [(0,)] else 1)
sys.exit(os.waitstatus_to_exitcode(os.wait()[1]))
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
