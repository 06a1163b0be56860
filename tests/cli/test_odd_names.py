"""Names of sweeps, parameters, metrics, tags with odd characters: refused in a sentence, or the same in all verbs."""

import ast
import json
import os
import re
from contextlib import suppress
from pathlib import Path

import pyarrow as pa
import pytest

import caviar as caviar_package
from caviar.display.sanitize import _CONTROLS
from caviar.errors import SpecError
from caviar.search.samplers import make_sampler, trial_seeds
from caviar.space import Choice, Float, Space
from caviar.spec.plan import Plan
from caviar.store import Store, Writer
from caviar.store.checkpoints import write_carried
from caviar.store.finalize import finalize
from caviar_workers import tables
from caviar_workers.checkpoint import Save, carried

from ..small_stores import attempt_row

NAMES = (
    *("*", "a*b", "?", "[a]", "{x}", "'", '"', "it's", '""', "%", "%s", "%(x)s", "\\", "a\\b", "..", "../up", "a/b"),
    *(".", "a.", "..b", "a.b", "u.list.element", "list", "element", " ", " a", "a ", "a b", "a,b", "a:b", "a=b", "`"),
    *("select", "from", "DROP TABLE trials;--", "'; DROP TABLE trials; --", "count(*)", "null", "NaN", "True", "1e5"),
    *("attempt", "attempts", "config", "metric", "time", "n", "value", "row", "text", "rows", "ends", "v", "low", "s"),
    *("trials", "curves", "sweeps", "filename", "file_row_number", "rowid", "self", "step", "trial", "_seq", "-1"),
    *("--metric", "-x", "$1", "?1", ":x", "@a", "#", "<b>", "ß", "é", "e\u0301", "\u212a", "ı", "İ", "ﬁ", "🐟"),
    *("\u202eexe", "a\u200bb", "\ufeffa", "\xa0", "\t", "a\nb", "\0", "\x1b[31mred", "a\u2028b", "\ud800", "a\udfffb"),
    *("x" * 128, "x" * 129, "x" * 300, ""),
)
SAMPLE = ("a*b", "u.list.element", "attempt", "it's", '"', "a.b", "%s", "\\", "../up", "🐟", "--metric", "select")
VERBS = (
    *(("ls",), ("status",), ("best",), ("best", "--rule", "best"), ("best", "--at-step", "1"), ("best", "--family")),
    *(
        ("show", "0"),
        ("curves",),
        ("logs", "0"),
        ("explain", "0"),
        ("simulate", "--orders", "2"),
        ("zoom", "--dry-run"),
    ),
    *(("query", "from trials"), ("query", "from curves"), ("store", "check"), ("store", "info")),
    ("report", "-o", os.devnull),
)


def fill(path, *, parameters=(), metrics=("loss",), name="x", tags=(), note="", ended=True, retried=False):
    """A store with a sweep of four trials; SpecError or ValueError where one of the names is refused.

    With `retried` trial 1 was lost after two steps with a checkpoint of the first, and went on from there.
    """
    space = Space({one: Choice(list(dict.fromkeys([*SAMPLE[:3], one]))) for one in parameters} | {"lr": Float(0, 1)})
    plan = Plan(name=name, metric=metrics[0], mode="min", trials=4, seed=0, space=space, tags=tuple(tags), note=note)
    for metric in metrics:
        tables.check_metric_name(metric)
    store = Store.open(path, create=True)
    sweep = store.create_sweep({"plan": plan.to_json(), "provenance": {}}, b"")
    u = make_sampler("sobol", space, 0, 4).points(0, 4)
    fixed = {"trial": range(4), "seed": trial_seeds(0, 0, 4).astype("int64"), "index": range(4), "u": u.tolist()}
    schema = tables.configs_schema({one: parameter.kind for one, parameter in space.items()})
    values = fixed | space.arrays(u)
    epoch = sweep.claim()
    with Writer(sweep, epoch) as writer:
        writer.add("configs", pa.table([pa.array(list(values[f.name]), f.type) for f in schema], schema=schema))
        for trial in range(4):
            again = int(retried and trial == 1)
            if again:
                lost = [{"trial": 1, "attempt": 0, "_start": 0, "time": 0, "_seq": i, "step": i} for i in range(2)]
                layout = pa.schema([*tables.schema("curves"), *((m, pa.float64()) for m in metrics)])
                rows = [row | dict.fromkeys(metrics, 1 + 1.0 / (row["step"] + 1)) for row in lost]
                writer.add("curves", pa.Table.from_pylist(rows, schema=layout))
                writer.add("attempts", attempt_row(1, "LOST", steps=0))
                save = Save(trial=1, attempt=0, step=0, rows=1, value=2.0, checksum="")
                write_carried(sweep, epoch, carried(save, b"x"))
            steps = {"trial": trial, "attempt": again, "_start": again, "time": 0}
            rows = [steps | {"_seq": i, "step": i} | dict.fromkeys(metrics, trial + 1.0 / (i + 1)) for i in range(3)]
            rows = [row | {"_seq": row["step"] - again} for row in rows if row["step"] >= again]
            layout = pa.schema([*tables.schema("curves"), *((m, pa.float64()) for m in metrics)])
            writer.add("curves", pa.Table.from_pylist(rows, schema=layout))
            forms = {f"{form}{m}": trial + 1.0 / 3 for m in metrics for form in tables.METRIC_FORMS}
            row = attempt_row(trial, "COMPLETED", attempt=again, steps=3 - again, start=again, step=2)
            row = row.drop_columns([c for c in row.column_names if c.endswith("_loss")])
            for form, value in forms.items():
                row = row.append_column(form, pa.array([value]))
            writer.add("attempts", row)
    if ended:
        finalize(sweep, epoch)
    else:
        sweep.release(epoch)
    return str(path), sweep.id


FEW = VERBS[1:3] + VERBS[6:8] + VERBS[12:14]


def shown_by_all(caviar, path, verbs=VERBS, forms=((), ("--json",))):
    for verb in verbs:
        for more in forms:
            got = caviar(*verb, *more, "--store", path)
            assert got.code == 0, (verb, got)
            assert not _CONTROLS.search(got.out + got.err), (verb, got)
            if more:
                json.loads(got.out)


def words_of_our_queries():
    """Each name that stands in SQL of ours, and may be a metric's."""
    found = set()
    for path in Path(caviar_package.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and SQL.search(node.value):
                found.update(re.findall(r"[A-Za-z_]\w*", node.value))
    for word in sorted(found):
        with suppress(ValueError):
            tables.check_metric_name(word)
            yield word


SQL = re.compile(r"\b(SELECT|WHERE|FROM|JOIN|GROUP BY|ORDER BY|AS)\b")


@pytest.mark.parametrize("ended", [False, pytest.param(True, marks=pytest.mark.nightly)])
def test_no_name_in_our_queries_means_a_metric(caviar, tmp_path, ended):
    """With retries and checkpoints, whose rows are joined with others."""
    metrics = list({word.casefold(): word for word in ("loss", *words_of_our_queries())}.values())
    assert {"cut", "place", "there", "counts", "saves"} <= set(metrics)
    path, _ = fill(tmp_path / "s", metrics=metrics[:900], ended=ended, retried=True)
    shown_by_all(caviar, path, (("best",), ("store", "check"), *(VERBS if ended else ())), ((),))
    found = json.loads(
        caviar("query", "select step, cut, loss from curves where trial = 1", "--json", "--store", path).out
    )
    assert [row["step"] for row in found] == [0, 1, 2]


def quoted(name):
    return '"' + name.replace('"', '""') + '"'


def same_parameters(caviar, path, names):
    """The winner's config is the same as JSON, as Python source, in SQL, and in `show`."""
    best = json.loads(caviar("best", "--json", "--store", path).out)["trials"][0]
    assert set(best["config"]) == {*names, "lr"}
    out = caviar("best", "--store", path).out
    assert ast.literal_eval(out[out.index("# config of") :].split("\n", 1)[1]) == best["config"]
    assert json.loads(caviar("show", str(best["trial"]), "--json", "--store", path).out)["config"] == best["config"]
    sql = f"select {', '.join(map(quoted, names))} from trials where trial = {best['trial']}"
    (row,) = json.loads(caviar("query", sql, "--json", "--store", path).out)
    assert list(row.values()) == [best["config"][name] for name in names]


def same_metrics(caviar, path, names):
    for name in names:
        found = json.loads(caviar("curves", f"--metric={name}", "--json", "--store", path).out)
        assert found["metric"] == name
        assert found["trials"][0]["values"] == [1.0, 0.5, 1 / 3]
    sql = f"select {', '.join(quoted(f'last_{name}') for name in names)} from trials where trial = 0"
    (row,) = json.loads(caviar("query", sql, "--json", "--store", path).out)
    assert set(row.values()) == {1 / 3}
    assert set(json.loads(caviar("show", "0", "--json", "--store", path).out)["curves"]) >= set(names)


METRICS = tuple(name for name in SAMPLE if name != "attempt")


@pytest.mark.parametrize("ended", [True, pytest.param(False, marks=pytest.mark.nightly)])
def test_a_sample_of_odd_names_at_once(caviar, tmp_path, ended):
    name = 'it\'s "%s"'
    path, sweep = fill(tmp_path / "s", parameters=SAMPLE, metrics=METRICS, name=name, tags=SAMPLE, ended=ended)
    shown_by_all(caviar, path, FEW if ended else VERBS[:1], ((),))
    same_parameters(caviar, path, SAMPLE)
    same_metrics(caviar, path, METRICS[:2])
    assert json.loads(caviar("ls", "--tag=it's", "--json", "--store", path).out)["sweeps"][0]["sweep"] == sweep
    assert json.loads(caviar("best", name, "--json", "--store", path).out)["sweep"] == sweep


@pytest.mark.nightly
@pytest.mark.parametrize("kind", ["parameters", "metrics", "name", "tags", "note"])
@pytest.mark.parametrize("name", NAMES, ids=ascii)
def test_every_odd_name_is_refused_in_a_sentence_or_the_same_in_all_verbs(caviar, tmp_path, kind, name):
    refused = None
    try:
        path, sweep = fill(tmp_path / "s", **{kind: name if kind in ("name", "note") else (name,)})
    except (SpecError, ValueError) as error:
        refused = str(error)
    if refused is not None:
        assert "\n" not in refused
        assert not list(tmp_path.glob("s/sweep=*"))
        return
    shown_by_all(caviar, path)
    if kind == "parameters":
        same_parameters(caviar, path, (name,))
    elif kind == "metrics":
        same_metrics(caviar, path, (name,))
    elif kind == "name":
        assert json.loads(caviar("best", f"--sweep={name}", "--json", "--store", path).out)["sweep"] == sweep
    elif kind == "tags":
        assert len(json.loads(caviar("ls", f"--tag={name}", "--json", "--store", path).out)["sweeps"]) == 1
