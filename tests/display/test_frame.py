import math
from dataclasses import replace

import pytest
from rich.cells import cell_len

from caviar.display.console import BAD, CURVE, FAINT
from caviar.display.frame import Look, bar, frame, status_line
from caviar.display.glyphs import ASCII, BRAILLE
from caviar.display.progress import BestRow, LastReport, SweepStatus

BEST = tuple(
    BestRow(
        trial=98 + k,
        value=0.0712 + k / 100,
        config={"lr": 0.0312345, "beta": 0.99995, "units": 64, "act": "relu"},
        curve=tuple(math.exp(-i / (3 + k)) for i in range(20)),
    )
    for k in range(7)
)
SNAPSHOT = SweepStatus(
    sweep="20261123-041233-7f3a",
    name="digits",
    planned=64,
    done=41,
    running=2,
    failed=1,
    elapsed_s=90,
    eta_s=52,
    busy=0.97,
    metric="val_loss",
    mode="min",
    best=BEST,
)


def text(width: int, **changes: object) -> list[str]:
    return [line.plain for line in frame(replace(SNAPSHOT, **changes), Look(width=width))]


def test_eighty_columns() -> None:
    lines = text(80)
    assert lines[0].startswith("digits  41/64 █")
    assert lines[0].endswith("52s left · 1 failed · 2 running · 97% busy")
    assert lines[1].startswith("best  t98   val_loss 0.0712  ")
    assert lines[2].startswith("      t99            0.0812  ")
    assert lines[1].endswith("lr=0.03123 beta=0.99995 units=64 act=r…")
    assert len(lines) == 6


@pytest.mark.parametrize("width", [20, 40, 60, 79, 80, 120, 200])
@pytest.mark.parametrize("glyphs", [BRAILLE, ASCII])
@pytest.mark.parametrize("name", ["digits", "d" * 100, "数字" * 30, "a\nb"])
def test_no_line_is_wider_than_the_terminal(width: int, glyphs: object, name: str) -> None:
    lines = frame(replace(SNAPSHOT, name=name, metric=name), Look(width=width, glyphs=glyphs))
    assert all(cell_len(line.plain) <= width for line in lines)
    assert not [line for line in lines if "\n" in line.plain]
    if glyphs is ASCII:
        assert all(line.plain.isascii() for line in lines)


def test_a_narrow_terminal_keeps_what_matters() -> None:
    line = text(40)[0]
    assert line.startswith("digits  41/64")
    assert "52s left" in line
    assert "busy" not in line


def test_an_unknown_eta_shows_the_time_that_passed() -> None:
    assert "1m30s · 1 failed" in text(100, eta_s=None, busy=None)[0]


def test_what_waits_for_room_does_not_run() -> None:
    line = text(100, done=0, failed=0, running=0, no_room=True, busy=None, best=(), eta_s=None)[0]
    assert line.endswith("1m30s · waiting for room")
    lack = "a trial needs 8 CPU, but this cluster has 2 CPU"
    assert text(100, no_room=True, lack=lack)[1] == f"waits  {lack}"


def test_the_end() -> None:
    assert text(100, done=64, running=0)[0].endswith("done in 1m30s · 1 failed · 97% busy")
    assert "stopped after 1m30s" in status_line(SNAPSHOT, Look(width=100), ended=True).plain


def test_without_results_there_is_one_line() -> None:
    assert len(text(80, best=())) == 1


def test_the_bar_shows_done_and_failed() -> None:
    drawn = bar(SNAPSHOT, 16, BRAILLE)
    assert drawn.plain == "█" * 10 + "─" * 6
    assert [span.style for span in drawn.spans] == [CURVE, BAD, FAINT]


NEWEST = LastReport(trial=7, step=12, value=0.31)


def test_while_nothing_has_ended_the_newest_report_is_shown() -> None:
    early = {"done": 0, "best": (), "failed": 0}
    assert text(80, **early)[1:] == ["no trial has reported yet"]
    assert text(80, **early, newest=NEWEST)[1:] == ["runs  t7  val_loss 0.31 at step 12"]
    assert text(80, newest=NEWEST)[-1] == "runs  t7  val_loss 0.31 at step 12"
    assert len(text(80, newest=NEWEST, done=64)) == 6, "at the end there is no news"


def test_why_trials_failed_is_said_and_stays_at_the_end() -> None:
    reasons = (("ValueError: shapes (3,) and (4,)", 30), ("oom\nx", 2))
    lines = text(80, reasons=reasons, newest=NEWEST)
    assert lines[-2:] == ["failed  30 × ValueError: shapes (3,) and (4,)", "failed  2 × oom x"]
    ended = frame(replace(SNAPSHOT, reasons=reasons), Look(width=30, glyphs=ASCII), ended=True)
    assert [line.plain for line in ended][-1] == "failed  2 x oom x"
    assert all(cell_len(line.plain) <= 30 and line.plain.isascii() for line in ended)
