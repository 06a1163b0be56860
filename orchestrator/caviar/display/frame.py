"""What the live displays show: one line of state and the best trials, fitted to a width. Pure functions."""

from dataclasses import dataclass

from rich.cells import cell_len, set_cell_size
from rich.text import Text

from caviar.display.console import BAD, CURVE, FAINT, GOOD, NOTICE, STRONG
from caviar.display.glyphs import BRAILLE, Glyphs
from caviar.display.numbers import config_text, duration, number
from caviar.display.progress import BestRow, SweepStatus
from caviar.display.sanitize import one_line
from caviar.display.sparkline import sparklines

BEST_ROWS = 5
SPARK_WIDTH = 10
BAR_WIDTH = (8, 30)

Piece = tuple[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """The place to show it: `width` in cells, and the characters that can be shown there."""

    width: int = 80
    glyphs: Glyphs = BRAILLE


def frame(status: SweepStatus, look: Look, *, ended: bool = False) -> list[Text]:
    """The state line, up to five best rows, what is news, why trials failed; no line is wider than the look allows."""
    lines = [status_line(status, look, ended=ended), *lack_lines(status, look), *best_lines(status, look)]
    if not ended and status.done < status.planned:
        lines.extend(newest_lines(status, look))
    return lines + reason_lines(status, look)


def start_line(text: str, elapsed_s: float, look: Look) -> Text:
    """`starting Ray… 8.1s`, while there is nothing else to show."""
    return _fit(Text.assemble(_shown(text, look), (f" {duration(elapsed_s)}", FAINT)), look)


def status_line(status: SweepStatus, look: Look, *, ended: bool = False) -> Text:
    """`digits  41/64 ████████────  52s left · 1 failed · 2 running · 97% busy`, as much as fits."""
    counts = f"{status.done}/{status.planned}"
    name = _shown(one_line(status.name, 24), look)
    pieces = _pieces(status, ended)
    dot = f" {look.glyphs.dot} "
    used = cell_len(name) + 2 + len(counts) + 1
    tail = _joined(pieces, dot)
    # Narrow terminals lose the bar's length first, then the least important pieces from the end.
    while len(pieces) > 1 and used + BAR_WIDTH[0] + 2 + cell_len(tail.plain) > look.width:
        pieces.pop()
        tail = _joined(pieces, dot)
    room = look.width - used - 2 - cell_len(tail.plain)
    line = Text.assemble((name, STRONG), "  ", counts, " ")
    if room >= BAR_WIDTH[0]:
        line.append_text(bar(status, min(room, BAR_WIDTH[1]), look.glyphs)).append("  ")
    return _fit(line.append_text(tail), look)


def _pieces(status: SweepStatus, ended: bool) -> list[Piece]:
    if status.done >= status.planned:
        pieces: list[Piece] = [(f"done in {duration(status.elapsed_s)}", GOOD)]
    elif ended:
        pieces = [(f"stopped after {duration(status.elapsed_s)}", NOTICE)]
    else:
        left = "" if status.eta_s is None else f"{duration(status.eta_s)} left"
        runs = "waiting for room" if status.no_room else f"{status.running} running"
        pieces = [(left or duration(status.elapsed_s), ""), (runs, "")]
    if status.stopped:
        pieces.insert(1, (f"{status.stopped} stopped", ""))
    if status.failed:
        pieces.insert(1, (f"{status.failed} failed", BAD))
    if status.busy is not None:
        pieces.append((f"{status.busy:.0%} busy", FAINT))
    return pieces


def _joined(pieces: list[Piece], dot: str) -> Text:
    return Text(dot, style=FAINT).join(Text(text, style=style) for text, style in pieces)


def bar(status: SweepStatus, width: int, glyphs: Glyphs) -> Text:
    """A bar of `width` cells: what is done, the failed share of it at its end in red, then what is left."""
    planned = max(status.planned, 1)
    done = min(width * status.done // planned, width)
    failed = min(-(-width * status.failed // planned), done)
    return Text.assemble(
        (glyphs.full * (done - failed), CURVE),
        (glyphs.full * failed, BAD),
        (glyphs.empty * (width - done), FAINT),
    )


def newest_lines(status: SweepStatus, look: Look) -> list[Text]:
    """`runs  t23  val_loss 0.31 at step 8`: the newest report of each trial that runs, or of one; while there is none,
    that.
    """
    reports = status.last_reports or (() if status.newest is None else (status.newest,))
    if not reports:
        waits = not status.best and not status.done and status.running
        return [_fit(Text(_shown("no trial has reported yet", look), style=FAINT), look)] if waits else []
    metric = _shown(one_line(status.metric, 24), look)
    names, values = [f"t{one.trial}" for one in reports], [number(one.value) for one in reports]
    return [
        _fit(
            Text.assemble(
                ("runs  " if place == 0 else "      ", STRONG),
                f"{name:<{max(map(len, names))}}  ",
                (f"{metric if place == 0 else ' ' * cell_len(metric)} ", FAINT),
                f"{value:<{max(map(len, values))}}",
                (f" at step {one.step}", FAINT),
            ),
            look,
        )
        for place, (one, name, value) in enumerate(zip(reports, names, values, strict=True))
    ]


def lack_lines(status: SweepStatus, look: Look) -> list[Text]:
    """`waits  a trial needs 8 CPU, but this cluster has 2 CPU`, while there is no room."""
    if not status.no_room or not status.lack:
        return []
    return [_fit(Text.assemble(("waits  ", NOTICE), _shown(status.lack, look)), look)]


def reason_lines(status: SweepStatus, look: Look) -> list[Text]:
    """`failed  3 × ValueError: no`, one line a reason."""
    times = "x" if look.glyphs.spark == "ascii" else "×"
    return [
        _fit(Text.assemble(("failed  ", BAD), f"{count} {times} {_shown(one_line(why), look)}"), look)
        for why, count in status.reasons
    ]


def best_lines(status: SweepStatus, look: Look) -> list[Text]:
    """`best  t19  val_loss 0.0712  ⠉⠒⠤⣀  lr=0.031 beta=0.987`, one line for each of the best trials."""
    rows = status.best[:BEST_ROWS]
    if not rows:
        return []
    values = [number(row.value) for row in rows]
    names = [f"t{row.trial}" for row in rows]
    curves = [row.curve or () for row in rows]
    sparks = sparklines(curves, width=SPARK_WIDTH, spark=look.glyphs.spark)
    has_curve = any(row.curve for row in rows)
    metric = _shown(one_line(status.metric, 24), look)
    lines = []
    for place, (row, name, value, spark) in enumerate(zip(rows, names, values, sparks, strict=True)):
        line = Text.assemble(
            ("best  " if place == 0 else "      ", f"{STRONG} {GOOD}"),
            (f"{name:<{max(map(len, names))}}  ", STRONG if place == 0 else ""),
            (f"{metric if place == 0 else ' ' * cell_len(metric)} ", FAINT),
            (f"{value:<{max(map(len, values))}}  ", STRONG if place == 0 else ""),
        )
        if has_curve:
            line.append(f"{spark}  ", style=CURVE)
        lines.append(_fit(line.append(_config(row, look), style=FAINT), look))
    return lines


def _config(row: BestRow, look: Look) -> str:
    return _shown(config_text(dict(row.config)), look)


def _shown(text: str, look: Look) -> str:
    """The text with typographic characters replaced where the stream knows ASCII only."""
    if look.glyphs.spark != "ascii":
        return text
    return text.replace("…", "...").encode("ascii", "replace").decode("ascii")


def _fit(line: Text, look: Look) -> Text:
    """Cut to the width, in cells, with an ellipsis."""
    if cell_len(line.plain) <= look.width:
        return line
    kept = set_cell_size(line.plain, look.width - cell_len(look.glyphs.ellipsis)).rstrip()
    line.right_crop(len(line.plain) - len(kept))
    return line.append(look.glyphs.ellipsis, style=FAINT)
