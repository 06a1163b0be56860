"""The pure functions of the page's scripts, asked in a browser: bytes, numbers, scales, smoothing, nearest, state."""

import base64
import gzip
import json
import math

import numpy as np
import pytest

from caviar.display.numbers import duration, number
from caviar.display.page import PAGE, SCRIPTS
from caviar.results.report.columns import TYPES, encode

METRIC = {"name": "loss", "scale": {"low": 1.0, "high": 100.0, "log": True}, "axis": None, "mode": "min"}


@pytest.fixture(scope="module")
def scripts(chromium):
    """Calls a function of the scripts in an empty page, where none of them has done anything."""
    page = chromium.new_page()
    yield _calling(page)
    page.close()


def _calling(page):
    page.set_content("<title>functions</title>")
    page.add_script_tag(content="\n".join((PAGE / name).read_text("utf-8") for name in SCRIPTS if name != "start.js"))

    def call(code, *values):
        return page.evaluate(f"(given) => {{ const [a, b, c, d, e] = given; return {code}; }}", list(values))

    return call


def base64_of(payload):
    return base64.b64encode(payload).decode()


READ = "inflate(fromBase64(a)).then(readPayload)"
AS_LIST = "Array.from({}, (x) => (Number.isNaN(x) ? null : x))"


def test_columns_come_back_as_they_were_written(scripts):
    rng = np.random.default_rng(1)
    columns = {f"{name} {kind}": values.astype(form) for name, form in TYPES.items() for kind, values in {
        "rising": np.arange(1000), "any": rng.integers(0, 200, 1000), "none": np.zeros(0)}.items()}  # fmt: skip
    columns["wraps"] = np.array([5, 2**32 - 1, 0, 7], np.uint32)
    payload = base64_of(encode({"sweep": "s", "documents": {}}, columns))
    read = f"{READ}.then(({{columns}}) => Array.from(columns, ([name, one]) => [name, Array.from(one.values)]))"
    assert dict(scripts(read, payload)) == {name: column.tolist() for name, column in columns.items()}
    told = scripts(f"{READ}.then(({{head}}) => head.columns)", payload)
    assert {one["delta"] for one in told} == {one["planes"] for one in told} == {True, False}, "both ways were tried"


def test_missing_values_are_not_numbers(scripts):
    assert scripts("Array.from(numbersOf({type: 'u16', values: [0, 65535]}), Number.isNaN)") == [False, True]
    assert scripts("Array.from(numbersOf({type: 'i32', values: [-1, 3]}), Number.isNaN)") == [True, False]
    column = "{type: 'u16', values: Uint16Array.of(0, 32767, 65534, 65535)}"
    assert scripts(f"{AS_LIST.format(f'fromScale({column}, a)')}", METRIC["scale"]) == pytest.approx([1, 10, 100, None])
    wide = {"low": -1.7e308, "high": 1.7e308, "log": False}
    assert scripts(f"{AS_LIST.format(f'fromScale({column}, a)')}", wide) == [-1.7e308, 0, 1.7e308, None]


def payload(trials, values, *, full, parameters=("lr", "units"), options=("a", "b"), **head):
    """A payload of trials with a parameter each of floats and of choices, and as many reports as their number tells."""
    n = len(trials)
    places = {"lr": np.asarray(values, np.float32), "units": np.array([options.index("b")] * n, np.uint16)}
    columns = {"trial": np.asarray(trials, np.int32), "value": np.asarray(values, np.float64)}
    for k, name in enumerate(parameters):
        columns |= {f"p{k}": places[name], f"u{k}": np.full(n, k, np.uint16)}
    length = np.asarray(trials, np.uint32) % 3
    columns |= {"curve:trial": columns["trial"], "curve:length": length}
    columns["curve:m0"] = np.arange(length.sum()).astype(np.uint16)
    columns["curve:step"] = np.concatenate([np.arange(one) for one in length]).astype(np.uint16)
    told = [{"name": name, "options": list(options) if name == "units" else [], "ticks": []} for name in parameters]
    documents = {"sweep": {"mode": "min", "metric": "loss"}, "parameters": told, "metrics": [METRIC]}
    return base64_of(encode({"sweep": "s", "full": full, "documents": documents, **head}, columns))


SEEN = """(sweep) => ({trial: [...sweep.trial], value: [...sweep.value], lr: [...parameter(sweep, 'lr').values],
    units: [...parameter(sweep, 'units').values].map((i) => parameter(sweep, 'units').options[i]),
    length: [...sweep.table.length], steps: [...sweep.table.points.get(' step')],
    boot: sweep.boot, best: sweep.best})"""
FIND = "const parameter = (sweep, name) => sweep.parameters.find((one) => one.name === name);"


def seen(scripts, *payloads):
    code = f"""(async () => {{ {FIND}
        const read = async (text) => readPayload(await inflate(fromBase64(text)));
        let known = null;
        for (const text of a) known = withPayload(known, await read(text));
        return ({SEEN})(known); }})()"""
    return scripts(code, list(payloads))


def test_a_change_replaces_the_rows_of_its_trials_and_applying_it_twice_does_no_harm(scripts):
    first = payload([0, 1, 2, 4], [4.0, 3.0, 2.0, 5.0], full=True)
    change = payload([1, 3], [0.5, 9.0], full=False)
    once, twice = seen(scripts, first, change), seen(scripts, first, change, change)
    assert once == twice
    assert once["trial"] == [0, 1, 2, 3, 4]
    assert once["value"] == [4, 0.5, 2, 9, 5]
    assert once["length"] == [0, 1, 2, 0, 1]
    assert once["steps"] == [0, 0, 1, 0]
    assert once["best"] == 1
    assert seen(scripts, first, payload([7], [1.0], full=True))["trial"] == [7]


def test_columns_follow_their_names_when_the_order_of_parameters_and_options_is_another(scripts):
    first = payload([0, 1], [4.0, 3.0], full=True)
    change = payload([2], [7.0], full=False, parameters=("units", "lr"), options=("c", "b", "a"))
    now = seen(scripts, first, change)
    assert now["lr"] == [4, 3, 7]
    assert now["units"] == ["b", "b", "b"]


def test_when_a_choice_has_other_options_all_is_asked_for_again(scripts):
    first = payload([0, 1], [4.0, 3.0], full=True, boot="one")
    assert seen(scripts, first, payload([2], [7.0], full=False, boot="one"))["boot"] == "one"
    assert seen(scripts, first, payload([2], [7.0], full=False, boot="one", options=("b", "a")))["boot"] is None


def test_a_format_that_is_newer_is_not_guessed_at(scripts):
    newer = gzip.decompress(encode({"documents": {}}, {})).replace(b'"format":1', b'"format":2')
    with pytest.raises(Exception, match="this page reads format 1, and the data has format 2"):
        scripts(READ, base64_of(gzip.compress(newer)))


def test_ranks_put_the_best_first_and_what_has_no_value_last(scripts):
    values = "Float64Array.of(3, NaN, -Infinity, Infinity, 3)"
    assert scripts(f"Array.from(byRank({values}, 'min'))") == [2, 0, 4, 3, 1]
    assert scripts(f"Array.from(byRank({values}, 'max'))")[:3] == [3, 0, 4]


def test_numbers_read_as_in_the_terminal(scripts):
    rng = np.random.default_rng(2)
    values = [
        *(10 ** rng.uniform(-12, 12, 500) * rng.choice([-1, 1], 500)),
        0.0,
        0.99995,
        0.9999,
        1e-4,
        999999.7,
        1e300,
    ]
    values = [float(x) for x in values if not float(x).is_integer()]
    told = scripts("a.map(shown)", values)
    assert dict(zip(values, told, strict=True)) == {x: number(x) for x in values}
    seconds = [10.0, 52.0, 59.7, 200.0, 7500.0, 86400.0 * 3.2]
    assert scripts("a.map(duration)", seconds) == [duration(x) for x in seconds]


def test_ticks_are_round_within_the_scale_and_not_too_many(scripts):
    rng = np.random.default_rng(3)
    for _ in range(60):
        low, high = sorted(rng.uniform(0.001, 1000, 2) * 10 ** rng.uniform(-6, 6))
        for log in (False, True):
            ticks = scripts("scaleOf(a, b, c).ticks(d)", low, high, log, 6)
            assert len(ticks) <= 7
            assert all(-0.001 <= place <= 1.001 for place, _ in ticks)
            assert [place for place, _ in ticks] == sorted(place for place, _ in ticks)
            assert len({label for _, label in ticks}) == len(ticks) or high / low < 1.01
    assert [label for _, label in scripts("scaleOf(1e-5, 1, true).ticks(7)")] == [
        "1e-5",
        "1e-4",
        "0.001",
        "0.01",
        "0.1",
        "1",
    ]
    assert scripts("scaleOf(-1.7e308, 1.7e308, false).at(0)") == 0.5


def test_smoothing_is_debiased_and_skips_what_is_missing(scripts):
    y = [4.0, None, 2.0, 8.0, 1.0]
    smooth = "const out = new Float64Array(5); smoothed(a.map((x) => x ?? NaN), 0, 5, 0.6, out);"
    out = scripts(f"(() => {{ {smooth} return {AS_LIST.format('out')}; }})()", y)
    mean, wanted, t = 0.0, [], 0
    for x in y:
        if x is None:
            wanted.append(None)
            continue
        mean, t = 0.6 * mean + 0.4 * x, t + 1
        wanted.append(mean / (1 - 0.6**t))
    assert out == pytest.approx(wanted)
    assert out[0] == 4


def test_the_nearest_line_is_the_nearest(scripts):
    rng = np.random.default_rng(4)
    length = rng.integers(1, 30, 50)
    start = np.concatenate([[0], np.cumsum(length)[:-1]])
    xs = np.concatenate([np.sort(rng.uniform(0, 500, one)) for one in length])
    ys = rng.uniform(0, 200, len(xs))
    points = rng.uniform([0, 0], [500, 200], (100, 2))
    lines = {"start": start.tolist(), "length": length.tolist(), "xs": xs.tolist(), "ys": ys.tolist()}
    order = list(range(50))
    found = scripts("b.map(([x, y]) => nearestLine(a, c, x, y, 30))", lines, points.tolist(), order)
    wanted = [_nearest(lines, x, y, 30) for x, y in points]
    assert found == wanted
    assert max(wanted) > -1


def _nearest(lines, x, y, reach):
    best, nearest = reach, -1
    for i, (begin, count) in enumerate(zip(lines["start"], lines["length"], strict=True)):
        points = list(zip(lines["xs"][begin : begin + count], lines["ys"][begin : begin + count], strict=True))
        for (x0, y0), (x1, y1) in zip(points, points[1:] or points, strict=False):
            dx, dy = x1 - x0, y1 - y0
            squared = dx * dx + dy * dy
            t = min(max(((x - x0) * dx + (y - y0) * dy) / squared, 0), 1) if squared else 0
            if (d := math.hypot(x0 + t * dx - x, y0 + t * dy - y)) < best:
                best, nearest = d, i
    return nearest


def test_rows_are_sorted_as_numbers_and_what_is_missing_stays_last(scripts):
    keys = [10.0, 9.0, None, 1e-3, 100.0]
    assert scripts("sortedRows([0, 1, 2, 3, 4], (row) => a[row], false)", keys) == [3, 1, 0, 4, 2]
    assert scripts("sortedRows([0, 1, 2, 3, 4], (row) => a[row], true)", keys) == [4, 0, 1, 3, 2]
    assert scripts("sortedRows([0, 1, 2], (row) => ['t10', 't9', 't1'][row], false)") == [2, 1, 0]


def test_the_state_survives_the_address(scripts):
    name = "__proto__&=#~ 🙂"
    change = {"metric": name, "smooth": 0.6, "logy": False, "pinned": [3, 17], "hot": 4, "x": "compute"}
    code = (
        "(() => { const now = {...fresh(), ...a}; now.keep[b] = [0.25, 0.5]; return fromHash('#' + toHash(now)); })()"
    )
    back = scripts(code, change, name)
    assert {key: back[key] for key in change} == change
    assert scripts(f"JSON.stringify({code}.keep)", change, name) == json.dumps(
        {name: [0.25, 0.5]}, ensure_ascii=False, separators=(",", ":")
    )
    assert scripts("toHash(fresh())") == ""


@pytest.mark.parametrize(
    "odd", ["#keep.lr=1", "#keep.lr=0.9~0.1", "#%E0%A4%A", "#pinned=x~2.5", "#smooth=zzz&hot=q", "#toString=1"]
)
def test_an_address_that_cannot_be_read_is_as_none(scripts, odd):
    assert scripts("toHash(fromHash(a))", odd) == ""


def test_a_selection_keeps_what_lies_within_all_its_ranges(scripts):
    parameters = "[{name: 'lr', u: [0, 0.5, NaN, 1]}, {name: 'b', u: [0, 0, 0, 0.2]}]"
    sweep = f"{{n: 4, metric: 'loss', parameters: {parameters}}}"
    assert scripts(f"keptRows({sweep}, a)", {}) is None
    assert scripts(f"Array.from(keptRows({sweep}, a))", {"lr": [0.5, 1]}) == [0, 1, 0, 1]
    assert scripts(f"Array.from(keptRows({sweep}, a))", {"lr": [0.5, 1], "b": [0, 0.1]}) == [0, 1, 0, 0]
    assert scripts(f"keptRows({sweep}, a)", {"is gone": [0, 1]}) is None


def test_the_best_in_each_tenth(scripts):
    u, value = [0.01, 0.05, 0.95, 1.0, None], [3.0, 2.0, 7.0, 6.0, 0.0]
    code = "bestInTenths(a.map((x) => x ?? NaN), b, c)"
    assert scripts(code, u, value, "min") == [[0.05, 2], [1, 6]]
    assert scripts(code, u, value, "max") == [[0.01, 3], [0.95, 7]]
