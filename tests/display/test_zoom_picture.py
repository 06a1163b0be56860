"""The picture: well-formed, all trials in it, nothing of a user's text gets out of its place."""

import math
from xml.etree import ElementTree

import numpy as np
import pytest

from caviar.display.axis_ticks import ticks, value_ticks
from caviar.display.zoom_picture import Dot, picture
from caviar.errors import SpecError
from caviar.search.zoom import refine
from caviar.space import Choice, Float, Int, Space

EVIL = "</text><script>alert('x')</script>&\x00\ud800\""
SPACE = Space(
    {
        "lr": Float(1e-4, 1.0, "log"),
        EVIL.replace("\x00", "").replace("\ud800", ""): Float(0.9, 0.999, "reverse_log"),
        "act": Choice(["relu", EVIL.replace("\ud800", "")]),
    }
)
SVG = "{http://www.w3.org/2000/svg}"


def drawn(axes=(None, None)):
    u = np.random.default_rng(0).random((20, 3))
    zoom = refine(SPACE, u, usable=18, top=5)
    dots = [
        Dot(places=tuple(p), value=None if i > 17 else float(i), fine=i % 2 == 0, good=i < 5) for i, p in enumerate(u)
    ]
    dots.append(Dot(places=(0.5, 0.5, 0.5), value=None, fine=False, stopped=True))
    dots.append(Dot(places=(math.nan, 0.5, 0.5), value=1.0, fine=True))
    return ElementTree.fromstring(picture(EVIL, "loss", "min", zoom, dots, axes))


def test_every_trial_is_there_once_and_the_best_is_ringed():
    root = drawn(("lr", "loss"))
    circles = root.findall(f"{SVG}circle")
    assert len([one for one in circles if one.get("r") == "4.5"]) == 18 + 3  # three in the legend
    assert len([one for one in circles if one.get("r") == "9"]) == 1
    assert len([one for one in circles if one.get("r") == "2"]) == 1  # stopped: in the legend; it has no loss
    assert len(root.findall(f"{SVG}rect")) == 2  # the ground and the box


def test_who_was_stopped_early_is_told_from_who_failed():
    root = drawn(("lr", "act"))
    assert len([one for one in root.findall(f"{SVG}circle") if one.get("r") == "2"]) == 2  # itself, and in the legend
    words = {one.text for one in root.iter(f"{SVG}text")}
    assert {"stopped early", "no usable result"} <= words


@pytest.mark.parametrize("axes", [(None, None), ("act", "lr"), ("lr", "act"), (None, "loss"), ("lr", None)])
def test_text_stays_text(axes):
    root = drawn(axes)
    assert {one.tag for one in root.iter()} <= {
        f"{SVG}{tag}" for tag in ("svg", "title", "rect", "circle", "line", "text")
    }
    assert any("alert('x')" in (one.text or "") for one in root.iter(f"{SVG}text"))
    for one in root.iter():
        for number in ("x", "y", "cx", "cy", "x1", "y2", "width", "height"):
            assert math.isfinite(float(one.get(number, "0")))


def test_an_unknown_axis_is_named():
    with pytest.raises(SpecError, match=r"no axis 'lrr'; did you mean 'lr'"):
        drawn(("lrr", None))
    with pytest.raises(SpecError, match=r"no axis 'loss'"):
        drawn(("loss", None))


@pytest.mark.parametrize(
    ("parameter", "labels"),
    [
        (Float(1e-4, 1.0, "log"), ["0.0001", "0.0003", "0.001", "0.003", "0.01", "0.03", "0.1", "0.3", "1"]),
        (Float(0.9, 0.999, "reverse_log"), ["0.9", "0.95", "0.98", "0.99", "0.995", "0.998", "0.999"]),
        (Float(0.0, 0.5), ["0", "0.1", "0.2", "0.3", "0.4", "0.5"]),
        (Int(2, 4), ["2", "3", "4"]),
        (Choice(["relu", "a very long name of an option"]), ["relu", "a very long n…"]),
    ],
)
def test_marks_are_round_values(parameter, labels):
    found = ticks(parameter, 0.0, 1.0)
    assert [label for _, label in found] == labels
    assert all(0.0 <= place <= 1.0 for place, _ in found)


def test_marks_of_a_log_scale_lie_where_their_values_do():
    assert {label: place for place, label in ticks(Float(1e-4, 1, "log"), 0, 1)}["0.01"] == pytest.approx(0.5)
    assert value_ticks(0.0, 0.0)
    assert [label for _, label in value_ticks(-1.0, 1.0)] == ["-1", "-0.5", "0", "0.5", "1"]
