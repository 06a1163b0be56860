"""A suggestion for a misspelt word, as the end of an error sentence."""

import difflib
from collections.abc import Iterable


def did_you_mean(word: object, known: Iterable[str]) -> str:
    """Return `"; did you mean 'log'?"` where a known word is close to `word`, else the list of known words.

    Case and the choice between `-`, `_` and blank do not count as differences. Up to 12 known words are
    listed.
    """
    words = list(known)
    if isinstance(word, str):
        folded = {_fold(one): one for one in reversed(words)}
        close = difflib.get_close_matches(_fold(word), folded, n=1, cutoff=0.6)
        if close:
            return f"; did you mean {folded[close[0]]!r}?"
    shown = ", ".join(repr(one) for one in words[:12])
    return f"; choose from {shown}" + (", …" if len(words) > 12 else "")


def _fold(word: str) -> str:
    return word.casefold().replace("-", "_").replace(" ", "_")
