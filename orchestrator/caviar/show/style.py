"""The styles of text on a terminal: legible on a dark background as on a light one.

Cyan, yellow and the bright colours fade on white, blue on black: none of them is used. rich leaves colours out where
NO_COLOR is set.
"""

STRONG = "bold"
FAINT = "dim"
GOOD = "green"
BAD = "red"
CURVE = "magenta"
NOTICE = "magenta"
