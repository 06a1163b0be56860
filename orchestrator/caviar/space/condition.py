"""When a parameter exists: only while others have certain values."""

from __future__ import annotations

import json
import reprlib
from collections.abc import Iterator, Mapping
from typing import Any

from caviar.errors import SpecError
from caviar.space.option import option_from_json, option_to_json, plain_option


class Condition(Mapping[str, tuple[object, ...]]):
    """An immutable mapping from parents' names to the values, one of which each parent must have.

    Args:
        when: name → a value, or a list or tuple of values. (An option that is a list itself is written in a list.)

    Raises:
        SpecError: it is not such a mapping, is empty, or a value would not survive JSON.
    """

    __slots__ = ("_parents", "_text")

    def __init__(self, when: Mapping[str, Any]) -> None:
        given: object = when
        if not isinstance(given, Mapping) or not given or not all(isinstance(name, str) for name in given):
            raise SpecError(
                f"when is a dict from a parameter's name to the value or values it must have, such as "
                f"{{'optimizer': 'sgd'}}, got {reprlib.repr(when)}"
            )
        self._parents = {name: _several(name, wanted) for name, wanted in when.items()}
        self._text = json.dumps(self.to_json(), sort_keys=True)

    def __getitem__(self, name: str) -> tuple[object, ...]:
        return self._parents[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._parents)

    def __len__(self) -> int:
        return len(self._parents)

    def __eq__(self, other: object) -> bool:
        return self._text == other._text if isinstance(other, Condition) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._text)

    def __repr__(self) -> str:
        short = {
            name: one[0] if len(one) == 1 and not isinstance(one[0], (list, tuple)) else list(one)
            for name, one in self.items()
        }
        return repr(short)

    def to_json(self) -> dict[str, object]:
        """Return {name: [value, …]}, which `condition_from_json` reads."""
        return {name: [option_to_json(one) for one in wanted] for name, wanted in self.items()}


def condition_from_json(data: Any) -> Condition:
    """Return the condition that `to_json` described; SpecError when it is malformed."""
    if not isinstance(data, Mapping) or not all(isinstance(wanted, list) for wanted in data.values()):
        raise SpecError(f"A condition in JSON is an object of lists of values, got {data!r}")
    return Condition({name: [option_from_json(one) for one in wanted] for name, wanted in data.items()})


def _several(name: str, wanted: Any) -> tuple[object, ...]:
    several = tuple(wanted) if isinstance(wanted, (list, tuple, range)) else (wanted,)
    if not several:
        raise SpecError(f"when needs at least one value for {name!r}, got an empty list")
    return tuple(plain_option(one) for one in several)
