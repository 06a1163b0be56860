import csv
import json
import os
import re
import signal
import threading
from itertools import product
from pathlib import Path

import pyarrow.parquet as pq
import pytest


@pytest.fixture
def query(caviar, filled):
    return lambda *args: caviar("query", *args, "--store", filled.path)


def test_a_table(query):
    got = query("select trial, act, last_val_loss from trials where sweep like '%' order by 3 limit 2")
    assert got.code == 0
    assert got.lines[0].split() == ["trial", "act", "last_val_loss"]
    assert len(got.lines) == 4


def test_json_is_strict(query):
    got = query("select 'a' x, 'nan'::double n, 0.5 d, null z, timestamp '2026-01-02 03:04:05' t", "--json")
    assert json.loads(got.out, parse_constant=pytest.fail) == [
        {"x": "a", "n": None, "d": 0.5, "z": None, "t": "2026-01-02T03:04:05"}
    ]


def test_no_rows_are_json_too(query):
    assert json.loads(query("select 1 where false", "--format", "json").out) == []


def test_csv_runs_no_formula_and_keeps_numbers(query):
    got = query("select '=1+1' as \"=evil\", -0.5::double x, 0.1::double + 0.2::double y", "--format", "csv")
    assert list(csv.reader(got.out.splitlines())) == [
        ["'=evil", "x", "y"],
        ["'=1+1", "-0.5", "0.30000000000000004"],
    ]


def test_parquet_by_the_ending(query, tmp_path):
    out = tmp_path / "curves.parquet"
    got = query("from curves", "-o", str(out), "--sweep", "digits")
    assert (got.code, got.out) == (0, "")
    table = pq.read_table(out)
    assert table.num_rows == 7 * 20 + 7
    assert "val_loss" in table.column_names
    assert list(tmp_path.iterdir()) == [out], "nothing else is left behind"


@pytest.mark.parametrize("form", ["csv", "json", "table"])
def test_to_a_file(query, tmp_path, form):
    out = tmp_path / "answer.txt"
    got = query("select 7 as seven", "--format", form, "-o", str(out))
    assert (got.code, got.out) == (0, "")
    assert "seven" in out.read_text()


def test_a_file_that_cannot_be_written(query, tmp_path):
    got = query("select 1", "--format", "csv", "-o", str(tmp_path / "no" / "x.csv"))
    assert got.code == 2
    assert "Traceback" not in got.err
    assert "cannot write" in got.err


def test_a_failed_query_leaves_the_file_alone(query, tmp_path):
    out = tmp_path / "answer.csv"
    out.write_text("before")
    assert query("select 1/0, error('stop')", "-o", str(out)).code == 2
    assert out.read_text() == "before"
    assert list(tmp_path.iterdir()) == [out]


@pytest.mark.parametrize(
    "sql",
    [
        "drop view trials",
        "select 1; select 2",
        "copy trials to '/tmp/x.csv'",
        "select * from read_csv('/etc/passwd')",
        "select * from '/etc/passwd'",
        "select lr from trails",
        "selct 1",
        "",
        "select now()",  # a time with a zone
    ],
)
def test_what_is_no_select_over_the_views_is_refused(query, sql):
    got = query(sql)
    assert (got.code, got.out) == (2, "")
    assert got.err.count("\n") == 1
    assert "Traceback" not in got.err


@pytest.mark.parametrize(
    ("sql", "told"),
    [
        ("select val_loss from trials", ['"last_val_loss"', "`DESCRIBE trials`"]),
        ("from trials t join sweeps s on t.sweep = s.id", ['"id"', "`DESCRIBE trials`"]),
        ("select * exclude (losss) from trials", ['"losss"', "Candidate", "`DESCRIBE trials`"]),
        ("from trial", ["trial does not exist", "the views are sweeps, trials, curves,"]),
        ("from trials join curve using (trial)", ["curve does not exist", "the views are sweeps, trials, curves,"]),
        ("select meen(step) from curves", ["meen", 'Did you mean "mean"?']),
        ("select trial, count(*) from trials", ["GROUP BY", "ANY_VALUE"]),
        ("select x.lr from trials t", ['"x"', 'Candidate tables: "t"']),
        ("select trial from trials, curves", ["(use: 'trials.trial' or 'curves.trial')"]),
        ("select state + 1 from trials", ["explicit type casts."]),
    ],
)
def test_what_is_mistyped_is_told_with_what_there_is(query, sql, told):
    got = query(sql)
    assert (got.code, got.out, got.err.count("\n")) == (2, "", 1)
    assert [part for part in told if part not in got.err] == []
    assert len(got.err) < 300, "no list of all that DuckDB knows"
    assert query("DESCRIBE trials").code == 0


def test_a_table_shows_of_a_traceback_the_line_that_says_why(query):
    sql = "select trial, error from trials where state = 'FAILED'"
    assert query(sql).lines[-1].split(maxsplit=1)[1] == "ValueError: no such layer"
    assert "Traceback" in json.loads(query(sql, "--json").out)[0]["error"], "elsewhere it is whole"


def test_a_long_table_is_cut_and_says_so(query):
    got = query("select * from range(1500)")
    assert len(got.lines) == 1002
    assert "first 1000 rows" in got.err
    assert len(query("select * from range(1500)", "--format", "csv").lines) == 1501


def test_all_sweeps_or_one(query):
    sql = "select count(distinct sweep) n from trials"
    assert json.loads(query(sql, "--json").out) == [{"n": 2}]
    assert json.loads(query(sql, "--json", "--sweep", "digits").out) == [{"n": 1}]


ENDLESS = "select count(*) from range(100000000000000)"


@pytest.mark.parametrize(
    "name",
    ["t.xlsx", "t.textile", "t.mdx", "t.jsonl", "t.html", "t.tsv", "t.feather", "t.csv.gz", "t", ".csv", "a.b/t"],
)
def test_an_ending_that_no_format_has_is_refused(query, tmp_path, name):
    (tmp_path / "a.b").mkdir()
    got = query("select 1", "-o", str(tmp_path / name))
    assert (got.code, got.out) == (2, "")
    assert "ends in one of .csv, .json, .parquet, .txt, .md, .tex" in got.err
    assert got.err.count("\n") == 1
    assert not (tmp_path / name).exists()
    with_format = query("select 7 as seven", "--format", "csv", "-o", str(tmp_path / name))
    assert (with_format.code, (tmp_path / name).read_text()) == (0, "seven\n7\n")


@pytest.mark.parametrize("name", ["t.csv", "t.json", "T.CSV", "t.txt", "t.Json", "t.parquet", "t.md", "t.TEX"])
def test_an_ending_decides_the_format(query, tmp_path, name):
    out = tmp_path / name
    assert query("select 7 as seven", "-o", str(out)).code == 0
    written = out.read_bytes()
    kind = {"csv": written == b"seven\n7\n", "json": written[:1] == b"[", "txt": b"\xe2" in written}
    kind |= {"md": written.startswith(b"| seven |"), "tex": b"tabular" in written}
    assert kind.get(name.lower().partition(".")[2], written[:4] == b"PAR1")


@pytest.mark.parametrize(("form", "name"), list(product(["csv", "json", "table", "parquet"], ["t.csv", "t.json"])))
def test_a_format_and_an_ending_that_contradict_each_other_are_refused(query, tmp_path, form, name):
    got = query("select 1", "--format", form, "-o", str(tmp_path / name))
    assert got.code == (0 if name.endswith(form) else 2)


def test_what_is_no_file_is_written_to_and_a_link_stays_one(query, tmp_path):
    pipe, link = tmp_path / "pipe", tmp_path / "link.csv"
    os.mkfifo(pipe)
    got = []
    reader = threading.Thread(target=lambda: got.append(pipe.read_text()))
    reader.start()
    assert query("select 7 as seven", "--format", "csv", "-o", str(pipe)).code == 0
    reader.join()
    assert got == ["seven\n7\n"]
    link.symlink_to(tmp_path / "real.csv")
    assert query("select 7 as seven", "-o", str(link)).code == 0
    assert link.is_symlink()
    assert (tmp_path / "real.csv").read_text() == "seven\n7\n"


@pytest.mark.parametrize("form", [("--json",), ("--format", "csv"), ("-o", "t.parquet"), ()])
def test_a_time_limit_ends_a_query(query, form, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    got = query(ENDLESS, "--timeout", "0.1s", *form)
    assert (got.code, got.out) == (1, "")
    assert got.err == ("caviar: the query took longer than 0.1s: ask for fewer rows, or --timeout a longer time\n")
    assert list(tmp_path.iterdir()) == []
    assert query("select 1", "--timeout", "1h").code == 0


def test_ctrl_c_ends_a_query(query):
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # background jobs are born deaf to it
    timer = threading.Timer(0.5, os.kill, [os.getpid(), signal.SIGINT])
    timer.start()
    try:
        got = query(ENDLESS, "--timeout", "20")
    finally:
        timer.join()
        signal.signal(signal.SIGINT, before)
    assert (got.code, got.out, got.err) == (130, "", "caviar: interrupted\n")


RECIPES = [Path(__file__).parents[2] / "README.md", *sorted((Path(__file__).parents[2] / "docs").glob("*.md"))]


@pytest.mark.parametrize("page", RECIPES, ids=lambda page: page.name)
def test_no_recipe_lets_a_trial_win_that_did_not_end_well(page):
    ranks = re.compile(r"(order by|sort\(|min\(|max\().*(last_|best_)|(last_|best_).*order by", re.IGNORECASE)
    recipes = re.findall(r"^(?:\$|\./caviar|caviar|duckdb|best).*", page.read_text("utf-8"), re.MULTILINE)
    wanted = [line for line in recipes if ranks.search(line)]
    assert [line for line in wanted if "COMPLETED" not in line and "well" not in line] == []
