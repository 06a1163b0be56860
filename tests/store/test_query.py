"""Only one SELECT, and no function that does more than compute."""

import pytest

from caviar.errors import SpecError
from caviar.store import select_only

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
