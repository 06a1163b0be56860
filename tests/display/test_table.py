import io

import pytest

from caviar.display.console import data_console
from caviar.display.table import Column, fit, print_table

COLUMNS = [
    Column(name="trial", keep=True),
    Column(name="note", shrink=True),
    Column(name="lr", align="right"),
    Column(name="beta", align="right"),
]


def test_what_fits_is_shown_whole() -> None:
    chosen = fit(COLUMNS, [5, 20, 6, 6], 80)
    assert chosen.shown == (0, 1, 2, 3)
    assert chosen.widths == (5, 20, 6, 6)


def test_texts_are_cut_before_columns_go() -> None:
    chosen = fit(COLUMNS, [5, 20, 6, 6], 35)
    assert chosen.shown == (0, 1, 2, 3)
    assert chosen.widths == (5, 12, 6, 6)


def test_columns_go_from_the_right_and_the_kept_stay() -> None:
    assert fit(COLUMNS, [5, 20, 6, 6], 25).left_out == (3,)
    assert fit(COLUMNS, [5, 20, 6, 6], 4).shown == (0,)


def printed(width: str | None, rows: list[list[str]], monkeypatch: object) -> tuple[list[str], list[str]]:
    monkeypatch.delenv("COLUMNS", raising=False)
    if width:
        monkeypatch.setenv("COLUMNS", width)
    stream = io.StringIO()
    left_out = print_table(COLUMNS, rows, stream)
    return [line.rstrip() for line in stream.getvalue().splitlines()], left_out


ROWS = [["t0", "日本語 [red]x[/red] \x1b[31m", "0.1", "0.9"], ["t12", "long " * 60, "1e-4", "0.99"]]


def test_a_pipe_gets_everything_on_one_line_a_row(monkeypatch: object) -> None:
    lines, left_out = printed(None, ROWS, monkeypatch)
    assert left_out == []
    assert len(lines) == 4
    assert lines[2].startswith("t0     日本語 [red]x[/red]")
    assert lines[3].endswith("1e-4  0.99")


@pytest.mark.parametrize("width", ["0", "00", "-5", "abc", ""])
def test_a_width_that_is_none_says_nothing(monkeypatch: object, width: str) -> None:
    monkeypatch.setenv("COLUMNS", width)
    stream = io.StringIO()
    assert print_table(COLUMNS, ROWS, stream) == []
    assert stream.getvalue().splitlines()[3].rstrip().endswith("1e-4  0.99")


@pytest.mark.parametrize("width", range(1, 30))
def test_what_is_kept_is_whole_however_narrow_it_is(monkeypatch: object, width: int) -> None:
    columns = [Column(name="sweep", keep=True), *COLUMNS[1:]]
    monkeypatch.setenv("COLUMNS", str(width))
    stream = io.StringIO()
    print_table(columns, [["20261129-184541-03ff", "x", "0.1", "0.9"]], stream)
    assert stream.getvalue().splitlines()[2].startswith("20261129-184541-03ff")


@pytest.mark.parametrize("name", ["FORCE_COLOR", "TTY_COMPATIBLE"])
def test_a_pipe_is_no_terminal_for_having_colours(monkeypatch: object, name: str) -> None:
    monkeypatch.setenv(name, "1")
    lines, left_out = printed(None, ROWS, monkeypatch)
    assert (len(lines), left_out) == (4, [])
    assert "…" not in lines[3]


def test_a_narrow_terminal_gets_one_line_a_row_too(monkeypatch: object) -> None:
    lines, left_out = printed("30", ROWS, monkeypatch)
    assert len(lines) == 4
    assert all(len(line) <= 30 for line in lines)
    assert "…" in lines[3]
    assert left_out == []


def test_no_colour_when_asked(monkeypatch: object) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("NO_COLOR", "1")
    stream = io.StringIO()
    print_table([Column(name="a", style="red")], [["1"]], stream)
    assert "\x1b[31m" not in stream.getvalue()


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("kind", [io.StringIO, Terminal])
@pytest.mark.parametrize("value", [None, "", "0", "false", "False", "1", "3", "true"])
def test_colours_are_forced_on_or_off_as_ci_systems_say(
    monkeypatch: object, kind: type[io.StringIO], value: str
) -> None:
    for name in ("NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE"):
        monkeypatch.delenv(name, raising=False)
    if value is not None:
        monkeypatch.setenv("FORCE_COLOR", value)
    monkeypatch.setenv("TERM", "xterm-256color")
    stream = kind()
    print_table([Column(name="a", style="red")], [["1"]], stream)
    wanted = kind is Terminal if not value else value in {"1", "3", "true"}
    assert ("\x1b[31m" in stream.getvalue()) == wanted
    assert kind is Terminal or wanted or "\x1b" not in stream.getvalue()


def test_an_ascii_stream_gets_ascii_lines() -> None:
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="ascii", errors="strict")
    print_table([Column(name="a")], [["1"]], stream)
    stream.flush()
    assert raw.getvalue().decode().splitlines()[1].strip() == "-"


def test_markup_in_a_users_text_stays_text() -> None:
    stream = io.StringIO()
    data_console(stream).print("[red]:smile:")
    assert stream.getvalue() == "[red]:smile:\n"
