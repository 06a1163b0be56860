"""What a user may write as an expression, and that nothing else becomes SQL."""

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from caviar.errors import SpecError
from caviar.store.read.expression import FUNCTIONS, LONGEST, parsed

KNOWN = {"loss": "", "lat": "", "opt": "", "a.b": "", "val/loss": "", 'odd"name': "", "Total": ""}
COLUMNS = {
    "loss": "2.0",
    "lat": "10.0",
    "opt": "'adam'",
    "a.b": "7.0",
    "val/loss": "3.0",
    'odd"name': "5.0",
    "Total": "4.0",
}


def value(words):
    return duckdb.execute(f"SELECT {parsed(words, KNOWN).sql(COLUMNS)}").fetchall()[0][0]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("loss + 0.01*lat", 2.1),
        ("loss - lat - 1", -9.0),
        ("loss - (lat - 1)", -7.0),
        ("-loss", -2.0),
        ("- - loss", 2.0),
        ("2 ** 3 * loss", 16.0),
        ("1e-3 * LAT", 0.01),
        ("1_000 / lat", 100.0),
        ("lat % 4", 2.0),
        ("greatest(loss, lat, 3)", 10.0),
        ("log10(lat) + sqrt(4) + abs(-1)", 4.0),
        ("round(2.6) + floor(2.6) + ceil(2.2)", 8.0),
        ('a.b + "val/loss" + "odd""name" + total', 19.0),
        ("loss < 3 and lat >= 10", True),
        ("not (loss < 3) or lat <> 10", False),
        ("opt = 'adam'", True),
        ("opt in ('sgd', 'adam') and opt not in ('x')", True),
        ("loss between 1 and 3", True),
        ("loss is null or lat is not null", True),
        ("coalesce(null, loss)", 2.0),
        ("case when opt = 'adam' then loss else lat end", 2.0),
        ("true", True),
        ("'it''s'", "it's"),
        ("loss -- a remark", 2.0),
        ("/* a remark */ loss", 2.0),
    ],
)
def test_an_expression_means_what_it_says(words, expected):
    assert value(words) == pytest.approx(expected) if isinstance(expected, float) else value(words) == expected


HOSTILE = [
    "(select 1)",
    "(select max(loss) from trials)",
    "loss from trials",
    "loss) from read_csv('/etc/passwd') --",
    "1) union select (2",
    "1 union select 2",
    "loss; drop table trials",
    "loss, lat",
    "loss as x",
    "loss x",
    "*",
    "trials.*",
    "columns('.*')",
    "sum(loss)",
    "count(*)",
    "max(loss) over ()",
    "row_number() over (partition by lat)",
    "first_value(loss) filter (where true)",
    "abs(loss) filter (where true)",
    "abs(distinct loss)",
    "read_text('/etc/passwd')",
    "getenv('HOME')",
    "current_setting('home_directory')",
    "pg_sleep(10)",
    "random()",
    "repeat('x', 1000000000)",
    "range(1000000000)",
    "list_transform([1], x -> x)",
    "lambda x: x",
    "[1, 2]",
    "{'a': 1}",
    "loss[1]",
    "opt || 'x'",
    "opt like '%a%'",
    "opt similar to '(a+)+b'",
    "loss::varchar",
    "cast(loss as integer)",
    "date '2020-01-01'",
    "interval 1 day",
    "loss collate nocase",
    "$1",
    "?",
    "loss = any(select 1)",
    "exists (select 1)",
    "loss in (select 1)",
    "main.abs(loss)",
    "loss where true",
    "loss order by 1",
    "loss limit 1",
    "loss group by 1",
    "with x as (select 1) select loss",
    "unnest([1])",
    "row(1, 2)",
    "1e999",
    "loss is distinct from 2",
    "try(loss)",
    "system.main.pi()",
    "",
    "   ",
    "loss +",
    "((loss)",
    "nope",
    "loss.lat",
    "x" * (LONGEST + 1),
    "-" * 900 + "loss",
    "\0",
    "loss\x1b[31m",
]


@pytest.mark.parametrize("words", HOSTILE)
def test_anything_else_is_refused_in_a_sentence(words):
    said = refusal(words)
    assert said is not None
    assert "\n" not in said
    assert "\x1b" not in said


def refusal(words):
    """Why it is refused; None: it is not."""
    try:
        parsed(words, KNOWN)
    except SpecError as error:
        return str(error)
    return None


@given(
    words=st.text(max_size=60)
    | st.lists(
        st.sampled_from([*FUNCTIONS, *"()+-*/,<>='\"", "loss", "1", "select", "from", ";", "--", " "]), max_size=12
    ).map("".join)
)
def test_whatever_is_accepted_is_one_scalar_over_known_names(words):
    try:
        found = parsed(words, KNOWN)
    except SpecError:
        return
    sql = found.sql(COLUMNS)
    try:
        rows = duckdb.execute(f"SELECT {sql}, 'end'").fetchall()
    except (duckdb.BinderException, duckdb.ConversionException, duckdb.OutOfRangeException):
        return
    assert len(rows) == 1
    assert len(rows[0]) == 2
    assert rows[0][1] == "end"


def test_an_unknown_name_is_told_with_those_that_are_near():
    with pytest.raises(SpecError, match="unknown name 'los'; did you mean 'loss'"):
        parsed("los + 1", KNOWN)
