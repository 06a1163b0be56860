"""What is read of the lines that programs print."""

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caviar_workers.printed_metrics import PrintedMetrics, Said


def read(*lines: str, **how) -> list[Said | None]:
    reader = PrintedMetrics(**{"metric": "val_loss", **how})
    return [reader.read(line) for line in lines]


@pytest.mark.parametrize(
    ("line", "step", "metrics"),
    [
        ('{"epoch": 3, "val_loss": 0.5, "note": "x", "ok": true}', 3, {"val_loss": 0.5}),
        ('{"step": 3, "val_loss": NaN}', 3, {"val_loss": math.nan}),
        ("epoch=3 val_loss=0.5", 3, {"val_loss": 0.5}),
        ("Epoch 3: loss=1e-3, val_loss=.5", 3, {"loss": 1e-3, "val_loss": 0.5}),
        ("Epoch 3/10 - loss: 0.4 - val_loss: 0.5", 3, {"loss": 0.4, "val_loss": 0.5}),
        ("[12:30:01] INFO Epoch [3/10] val_loss: -inf", 3, {"val_loss": -math.inf}),
        ("\x1b[32mepoch=3\x1b[0m val_loss=0.5", 3, {"val_loss": 0.5}),
        ("10%|█ | 1/10\repoch=3 val_loss=0.5", 3, {"val_loss": 0.5}),
        ("Iteration 3 took 3.2s, time: 12s, val_loss = 5.", 3, {"val_loss": 5.0}),
        ("step 3 val/acc: 93.5% val_loss=1", 3, {"val/acc": 93.5, "val_loss": 1.0}),
    ],
)
def test_the_usual_lines(line, step, metrics):
    (said,) = read(line)
    assert said is not None
    assert said.step == step
    assert said.metrics == pytest.approx(metrics, nan_ok=True)


@pytest.mark.parametrize(
    "line",
    [
        "",
        "loading 60000 images, batch=32",
        "{not json",
        "[1, 2]",
        '{"note": "x"}',
        '{"epoch": 3}',
        "epoch 3",
        "val_loss improved",
        "10:30:01 server: 5:3",
        '{"a": ' * 100_000,
        '{"val_loss": ' + "9" * 5000 + "}",
    ],
)
def test_lines_that_report_nothing(line):
    assert read(line) == [None]


def test_a_step_holds_for_the_lines_after_it():
    found = read("Epoch 4/9", "30/30 - loss: 0.2 - val_loss: 0.3", "val_loss=0.4")
    assert [one and one.step for one in found] == [None, 4, 4]


def test_reports_are_counted_where_no_step_is_named():
    assert [one.step for one in read("val_loss=3", "val_loss=2", '{"val_loss": 1}')] == [0, 1, 2]


def test_the_first_name_that_counts_is_the_one():
    found = read('{"epoch": 1, "step": 500, "val_loss": 1}', '{"step": 900, "val_loss": 1}', "epoch=2 val_loss=1")
    assert [(one.step, set(one.metrics)) for one in found] == [(1, {"val_loss"}), (1, {"val_loss"}), (2, {"val_loss"})]
    assert read('{"epoch": 1, "step": 500, "val_loss": 1}', step="step")[0] == Said(
        500, {"epoch": 1.0, "val_loss": 1.0}
    )


def test_a_step_that_goes_back_is_not_taken():
    assert [one.step for one in read("step=5 val_loss=1", "step=2 val_loss=1")] == [5, 5]


def test_what_text_says_of_parameters_is_no_metric():
    assert read("epoch=1 lr=0.1 val_loss=2", parameters={"lr"})[0].metrics == {"val_loss": 2.0}
    assert read('{"epoch": 1, "lr": 0.05, "val_loss": 2}', parameters={"lr"})[0].metrics == {
        "lr": 0.05,
        "val_loss": 2.0,
    }


def test_a_form_can_be_asked_for():
    assert read("val_loss=1", form="json") == [None]
    assert read('{"val_loss": 1}', form="pairs") == [None]


def test_a_checkpoint_is_told_by_its_path():
    assert read('{"epoch": 3, "checkpoint": "/tmp/a.pt"}') == [Said(3, {}, "/tmp/a.pt")]
    assert read("epoch=3 checkpoint=/tmp/a.pt") == [Said(3, {}, "/tmp/a.pt")]


@given(st.dictionaries(st.text(max_size=9), st.floats() | st.integers() | st.text(max_size=5), max_size=5), st.text())
def test_whatever_is_printed_is_read_or_left(found, text):
    reader = PrintedMetrics(metric="val_loss")
    for line in (json.dumps(found), text, f"{text}={text}"):
        said = reader.read(line)
        assert said is None or (said.step >= 0 and all(type(one) is float for one in said.metrics.values()))
