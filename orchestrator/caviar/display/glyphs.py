"""The characters that a stream can show: braille, blocks, or plain ASCII."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TextIO

Spark = Literal["braille", "blocks", "ascii"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Glyphs:
    """One set of characters: how curves, bars and separators are plotted."""

    spark: Spark
    full: str
    empty: str
    dot: str
    ellipsis: str


BRAILLE = Glyphs(spark="braille", full="█", empty="─", dot="·", ellipsis="…")
BLOCKS = Glyphs(spark="blocks", full="█", empty="─", dot="·", ellipsis="…")
ASCII = Glyphs(spark="ascii", full="#", empty="-", dot="|", ellipsis="~")


def glyphs_for(stream: TextIO, env: Mapping[str, str] | None = None) -> Glyphs:
    """The richest set that the stream's encoding can carry.

    The Linux console gets ASCII: its font has neither braille nor blocks.
    """
    term = (os.environ if env is None else env).get("TERM", "")
    if term == "linux":
        return ASCII
    encoding = getattr(stream, "encoding", None) or "utf-8"
    for glyphs, sample in ((BRAILLE, "⠉⣀█─·…"), (BLOCKS, "▁▂▃▄▅▆▇█─·…")):
        try:
            sample.encode(encoding)
        except (UnicodeEncodeError, LookupError):
            continue
        return glyphs
    return ASCII
