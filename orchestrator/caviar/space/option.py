"""One option of a Choice: which objects may be one, and their JSON form.

An option is a str, int, finite float, bool or None, or a list, tuple or dict (with text keys) of these. JSON
has no tuples, so a tuple travels as {"__tuple__": [...]}: a sweep that is resumed hands out what the user
wrote.
"""

import json
import math

import numpy as np

from caviar.errors import SpecError

_TUPLE = "__tuple__"
_DEEPEST = 20
_MOST_BITS = 4096
"""Beyond, Python writes no whole number down; who names the parameter has a smaller limit: see
`caviar.store.storable`.
"""


def plain_option(option: object, depth: int = 0) -> object:
    """Return a copy of `option` with numpy scalars made Python ones; SpecError when it may not be one."""
    if isinstance(option, np.generic):
        option = option.item()
    if depth > _DEEPEST:
        raise SpecError(f"An option of a Choice must survive JSON, got one nested more than {_DEEPEST} deep")
    if type(option) in (list, tuple):
        assert isinstance(option, (list, tuple))
        return type(option)(plain_option(one, depth + 1) for one in option)
    if type(option) is dict:
        return {_key(key): plain_option(one, depth + 1) for key, one in option.items()}
    return _scalar(option)


def _scalar(option: object) -> object:
    if type(option) is float and not math.isfinite(option):
        raise SpecError(f"An option of a Choice must survive JSON, got {option!r}; leave it out or write it as text")
    if type(option) is str:
        return _text(option)
    if type(option) is int and option.bit_length() > _MOST_BITS:
        raise SpecError(f"An option of a Choice must be at most 2^64, got one of {option.bit_length():,} bits")
    if option is None or type(option) in (bool, int, float):
        return option
    raise SpecError(
        f"An option of a Choice must survive JSON, got {_shown(option)} ({type(option).__name__}); "
        f"name it by a text and look it up in the train function"
    )


def _key(key: object) -> str:
    if type(key) is not str or key == _TUPLE:
        raise SpecError(
            f"An option of a Choice must survive JSON, got a dict with the key {_shown(key)}; use text keys"
        )
    return _text(key)


def _text(text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise SpecError(f"An option of a Choice must be valid Unicode, got {_shown(text)}") from None
    return text


def option_to_json(option: object) -> object:
    """Return a plain option as JSON values, tuples tagged."""
    if isinstance(option, tuple):
        return {_TUPLE: [option_to_json(one) for one in option]}
    if isinstance(option, list):
        return [option_to_json(one) for one in option]
    if isinstance(option, dict):
        return {key: option_to_json(one) for key, one in option.items()}
    return option


def option_from_json(option: object) -> object:
    """Undo `option_to_json`."""
    if isinstance(option, list):
        return [option_from_json(one) for one in option]
    if not isinstance(option, dict):
        return option
    if option.keys() == {_TUPLE} and isinstance(option[_TUPLE], list):
        return tuple(option_from_json(one) for one in option[_TUPLE])
    return {key: option_from_json(one) for key, one in option.items()}


def option_text(option: object) -> str:
    """Return the JSON text under which the store keeps an option that has no column type of its own."""
    return json.dumps(option, ensure_ascii=False, allow_nan=False)


def option_identity(option: object) -> str:
    """Return a text that is equal for options that a store cannot tell apart: 1 and 1.0, [1] and (1,)."""
    return json.dumps(_integral(option), sort_keys=True)


def _integral(option: object) -> object:
    if isinstance(option, float) and option.is_integer():
        return int(option)
    if isinstance(option, (list, tuple)):
        return [_integral(one) for one in option]
    if isinstance(option, dict):
        return {key: _integral(one) for key, one in option.items()}
    return option


def _shown(value: object) -> str:
    text = ascii(value)
    return text if len(text) <= 60 else text[:57] + "..."
