"""Text that a user's program wrote, made safe for a terminal and for a spreadsheet.

Names, notes, tracebacks and captured output may hold escape sequences that would move the cursor, retitle the
window or hide text. JSON output needs none of this: there every control character is escaped.
"""

import re

# Escape sequences of ECMA-48: CSI … final byte; OSC, DCS, PM, APC, SOS … up to BEL or ST; two-byte escapes.
_ESCAPES = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"
    r"|(?:\x1b[\]PX^_]|[\x9d\x90\x98\x9e\x9f])[^\n]*?(?:\x07|\x1b\\|\x9c|$)"
    r"|\x1b[ -/]*[0-~]",
    re.MULTILINE,  # a sequence without an end hides no more than its line
)
# Control characters except tab and newline, lone surrogates, other line ends, marks of reading direction.
_CONTROLS = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]"
)
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def plain(text: str) -> str:
    """The text without escape sequences and control characters; lines stay lines, tabs become spaces.

    A carriage return (a progress bar that overwrites itself) ends a line.
    """
    lines = _ESCAPES.sub("", text).replace("\r\n", "\n").replace("\r", "\n")
    return _CONTROLS.sub("", lines).expandtabs(4)


def one_line(text: str, width: int = 0) -> str:
    """The text as one line; longer than `width` characters (0: no limit) it ends in `…`."""
    line = " ".join(plain(text).split())
    return f"{line[: width - 1]}…" if 0 < width < len(line) else line


def csv_cell(value: object) -> object:
    """The value for a CSV cell: text that a spreadsheet would run as a formula gets an apostrophe in front.

    Numbers are left alone: -0.5 is a number, the text "-0.5" is not. Source: OWASP, "CSV Injection".
    """
    if isinstance(value, str) and value.startswith(_FORMULA):
        return f"'{value}"
    return value
