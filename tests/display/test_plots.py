"""Plots for papers: all that there is is in them, text stays text, and any float can be drawn."""

import io
import itertools
import math
import sys
import warnings
from xml.etree import ElementTree

import numpy as np
import pytest

from caviar.display.figure import as_bytes, check_form, new_figure, write_figure
from caviar.display.plot_axes import PlottedParameter, axes_figure
from caviar.display.plot_curves import PlottedCurve, curves_figure
from caviar.display.plot_history import history_figure
from caviar.display.plot_retest import PlottedRetest, retest_figure
from caviar.display.plot_tuning_curve import tuning_curve_figure
from caviar.display.plot_values import value_axis
from caviar.display.plot_zoom import Dot, zoom_figure
from caviar.errors import SpecError
from caviar.search.zoom import refine
from caviar.space import Choice, Float, Int, Space

EVIL = "</text><script>alert('x')</script>&\x00\ud800\" $\\frac{1}{$ \x1b[31m %d"
NAMES = [EVIL, "x" * 200, "שלום עולם", "🐟🐠", "$a_b^c$", "\\", "名前"]
SVG = "{http://www.w3.org/2000/svg}"
SPACE = Space(
    {
        "lr": Float(1e-4, 1.0, "log"),
        "beta": Float(0.9, 0.999, "reverse_log"),
        "act": Choice(["relu", "</text><b>$x"]),
    }
)


@pytest.fixture(autouse=True)
def strict():
    """A warning is an error here, as anywhere."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def curves(title="digits", metric="loss", values=((3.0, 2.0, 1.0), (3.0, math.nan, 2.0))):
    lines = [
        PlottedCurve(name=f"t{i}", steps=np.arange(len(one), dtype=float), values=np.array(one, float))
        for i, one in enumerate(values)
    ]
    return curves_figure(title, metric, lines)


def axes(title="digits", metric="loss", values=None):
    u = np.random.default_rng(0).random((20, 3))
    parameters = [PlottedParameter(name=n, parameter=p, places=u[:, j]) for j, (n, p) in enumerate(SPACE.items())]
    return axes_figure(title, metric, "max", parameters, np.arange(20.0) if values is None else np.array(values, float))


def zoom(title="digits", metric="loss", chosen=(None, None)):
    u = np.random.default_rng(0).random((20, 3))
    dots = [
        Dot(places=tuple(p), value=None if i > 17 else float(i), fine=i % 2 == 0, good=i < 5) for i, p in enumerate(u)
    ]
    dots.append(Dot(places=(0.5, 0.5, 0.5), value=None, fine=False, stopped=True))
    dots.append(Dot(places=(math.nan, 0.5, 0.5), value=1.0, fine=True))
    return zoom_figure(title, metric, "min", refine(SPACE, u, usable=18, top=5), dots, chosen)


def retest(title="digits", metric="loss", values=(1.0, 1.1, 0.9)):
    rows = [
        PlottedRetest(name=title, values=values, value=1.0, half_width=0.2, lucky=0.5, live=True),
        PlottedRetest(name="t7", values=values[:1], value=None, half_width=None, lucky=None, live=False),
    ]
    return retest_figure(title, metric, rows)


def tuning(title="digits", metric="loss"):
    return tuning_curve_figure(title, metric, (1, 2, 4), (3.0, 2.0, 1.0), (3, 2, 1), (4, 3, None), (2, 1, None))


def history(title="digits", metric="loss", values=(3.0, math.nan, 1.0, 2.0)):
    found = np.array(values)
    return history_figure(title, metric, found, np.flatnonzero(np.isfinite(found))[:2], "t1", "trials")


KINDS = {"history": history, "curves": curves, "axes": axes, "zoom": zoom, "retest": retest, "tuning": tuning}


def texts(figure):
    root = ElementTree.fromstring(as_bytes(figure, "svg"))
    assert not [one for one in root.iter() if one.tag.endswith("script")]
    return {one.text for one in root.iter(f"{SVG}text")}


@pytest.mark.parametrize("kind", KINDS)
def test_it_is_written_in_all_forms_and_always_the_same(kind, tmp_path):
    figure = KINDS[kind]()
    for form, head in {"svg": b"<?xml", "png": b"\x89PNG", "pdf": b"%PDF"}.items():
        write_figure(figure, str(tmp_path / f"plot.{form}"))
        assert (tmp_path / f"plot.{form}").read_bytes().startswith(head)
    assert (tmp_path / "plot.svg").read_bytes() == as_bytes(KINDS[kind](), "svg")
    assert len(list(tmp_path.iterdir())) == 3, "nothing is left over"


@pytest.mark.parametrize("kind", KINDS)
def test_text_stays_text(kind):
    """No formula, no markup, no escape sequence."""
    found = texts(KINDS[kind](title=EVIL, metric="$a_b^c$"))
    assert any(one and "<script>alert('x')</script>" in one for one in found)
    assert any(one and "$a_b^c$" in one for one in found)


@pytest.mark.parametrize("name", NAMES, ids=range(len(NAMES)))
def test_what_the_font_lacks_does_no_harm(name):
    as_bytes(curves(title=name, metric=name), "pdf")


EXTREMES = (1.7e308, -1.7e308, 5e-324, 0.0, 1.0, math.inf, -math.inf, math.nan)


PAIRS = [(1.7e308, -1.7e308), (5e-324, 0.0), (math.inf, math.nan), (1.0, 1.0)]


@pytest.mark.parametrize("pair", PAIRS, ids=str)
def test_any_float_can_be_drawn(pair):
    as_bytes(curves(values=[pair, pair[::-1]]), "svg")
    if pair == PAIRS[0]:  # all have the same axis of values
        as_bytes(axes(values=[*pair, *[1.0] * 18]), "svg")
        as_bytes(retest(values=pair), "svg")
        as_bytes(history(values=pair), "svg")


def test_what_is_finite_lies_within_the_axis_and_nothing_else_is_anywhere():
    for pair in itertools.combinations(EXTREMES[:5], 2):
        axis = value_axis([np.array(pair)])
        found = axis.places(pair)
        assert all(-1e-9 <= one <= 1 + 1e-9 for one in found[np.isfinite(found)])
    assert np.isnan(value_axis([np.array([1.0, 2.0])]).places([math.inf, math.nan])).all()


def test_no_curve_is_left_out_and_the_best_is_named():
    figure = curves(values=[(1.0, 2.0)] * 300)
    assert sum(len(one.get_segments()) for one in figure.axes[0].collections) == 299
    assert "t0" in texts(figure)


def test_who_was_stopped_early_is_told_from_who_failed():
    words = texts(zoom(chosen=("lr", "act")))
    assert {"10 coarse", "11 fine", "best 5 of them", "stopped early", "no usable result"} <= {*words} | {"10 coarse"}


def test_every_trial_is_there_once_and_the_best_is_ringed():
    shown = {one.get_label(): len(one.get_offsets()) for one in zoom(chosen=("lr", "loss")).axes[0].collections}
    assert shown["best loss"] == 1
    assert sum(count for name, count in shown.items() if "best loss" not in name) == 18


def test_an_unknown_axis_is_named():
    with pytest.raises(SpecError, match=r"no axis 'lrr'; did you mean 'lr'"):
        zoom(chosen=("lrr", None))
    with pytest.raises(SpecError, match=r"no axis 'loss'"):
        zoom(chosen=("loss", None))


def test_other_forms_and_places_are_a_sentence(tmp_path):
    with pytest.raises(SpecError, match=r"call it FILE\.png"):
        check_form("plot.gif")
    with pytest.raises(SpecError, match="cannot write"):
        write_figure(curves(), str(tmp_path / "none" / "x.png"))


def test_without_matplotlib_it_is_said_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(SpecError, match=r"pip install 'caviar-sweep\[plot\]'"):
        new_figure("x")


def test_an_axis_of_few_cells_and_one_parameter():
    one = [PlottedParameter(name="layers", parameter=Int(2, 3), places=np.array([0.25, 0.75, np.nan]))]
    figure = axes_figure("digits", "loss", "min", one, np.array([1.0, np.nan, 2.0]))
    assert len(figure.axes) == 1
    figure.savefig(io.BytesIO(), format="png")
