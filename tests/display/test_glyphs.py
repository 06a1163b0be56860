import io

import pytest

from caviar.display.glyphs import glyphs_for


@pytest.mark.parametrize(
    ("encoding", "spark"),
    [
        ("utf-8", "braille"),
        ("gb18030", "braille"),
        ("gbk", "blocks"),
        ("latin-1", "ascii"),
        ("ascii", "ascii"),
    ],
)
def test_the_encoding_decides(encoding: str, spark: str) -> None:
    stream = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    assert spark == glyphs_for(stream, {"TERM": "xterm"}).spark


def test_the_linux_console_has_no_braille() -> None:
    assert glyphs_for(io.StringIO(), {"TERM": "linux"}).spark == "ascii"


def test_a_stream_without_an_encoding_is_taken_for_utf8() -> None:
    assert glyphs_for(io.StringIO(), {}).spark == "braille"
