"""What is read from a store is somebody's bytes: here, and nowhere else, they become values that may be believed.

`read` makes sure of the file (regular, not too large) and of the JSON in it (an object, not too deep, no half
characters, no NaN unless it may be); `record` makes a dataclass of it, each field of its type and each whole number
from 0 to 2^63 − 1; `described` knows a sweep's description. All of them raise Unreadable, whose text is the reason.
"""

from __future__ import annotations

import dataclasses
import json
import types
import typing
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar

from caviar.errors import SpecError
from caviar.store.storable import NotKept, check_kept
from caviar_workers.tables import check_metric_name

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import PurePath

    from caviar.store.disk import Disk

T = TypeVar("T")

MOST_BYTES = 2**20
"""Of a small file: an owner, a request, an amendment, what a final test found."""
LARGEST = 2**63
MOST_TRIALS = 2**30


class Unreadable(ValueError):  # noqa: N818 - it says what the file is
    """A file of the store is not what it should be."""


def read(disk: Disk, path: PurePath, *, most: int = MOST_BYTES, finite: bool = True) -> dict[str, Any]:
    """The JSON object in a file.

    Args:
        disk: Where it is.
        path: The file.
        most: Bytes that it has at most.
        finite: Whether NaN and infinities are refused.

    Raises:
        Unreadable: It is something else.
        OSError: It cannot be read.
    """
    return parsed(disk.read(path, most=most), finite=finite)


def parsed(data: bytes | str, *, finite: bool = True) -> dict[str, Any]:
    """The JSON object that some bytes are; Unreadable when they are none."""
    try:
        found = json.loads(data)
    except RecursionError:
        raise Unreadable("it is nested too deep") from None
    except ValueError as error:
        what = f"it is no JSON: {error}" if data.strip() else "it is empty"
        raise Unreadable(what) from None
    if not isinstance(found, dict):
        raise Unreadable(f"it holds {_kind(found)}, where an object belongs")
    try:
        check_kept(found, finite=finite)
    except NotKept as error:
        raise Unreadable(str(error)) from None
    return found


_PLACE = {"attempt": int, "step": int}
_OF_ACTS: Mapping[str, Any] = {
    **dict.fromkeys(("edit", "at_step", "over", "parent", "child", "seed", "branch"), int),
    **dict.fromkeys(("now", "skip_data", "stale"), bool),
    **dict.fromkeys(("text", "who", "why", "program"), str),
    **dict.fromkeys(("set", "old", "scales", "config", "before"), dict),
    **dict.fromkeys(("names", "children", "forgets"), list),
    "to": _PLACE,
}
"""What acts keep in the numbers of their decisions, and of which type; a name means one thing in all of them."""


def numbers_of(text: str | None) -> dict[str, Any]:
    """Return the numbers that a decision rests on, out of its row; none, if that cannot be understood.

    What acts keep there is of its type, or left out: who reads it need not ask again.
    """
    try:
        found = parsed(text or "{}", finite=False)
    except Unreadable:
        return {}
    return {name: value for name, value in found.items() if name not in _OF_ACTS or _is(value, _OF_ACTS[name])}


def _is(value: object, kind: Any) -> bool:
    if isinstance(kind, dict):  # an object that has at least these
        return isinstance(value, dict) and all(_is(value.get(name), inner) for name, inner in kind.items())
    return type(value) is kind and (kind is not int or -LARGEST <= value < LARGEST)  # type: ignore[operator]


def record(cls: type[T], data: Mapping[str, Any], *, later: bool = False) -> T:
    """A flat dataclass out of a JSON object.

    Args:
        cls: Its fields are of int, float, bool, str, or one of them or None.
        data: Field → value; those with a default may lack.
        later: Leave out what a later version may have added, which is refused otherwise.

    Raises:
        Unreadable: A field lacks, is of another type, or is not known.
    """
    kinds = _kinds(cls)  # type: ignore[arg-type]  # a class is hashable
    unknown = [key for key in data if key not in kinds]
    if unknown and not later:
        raise Unreadable(f"{unknown[0]!a} is not known to this version")
    needed = [item.name for item in dataclasses.fields(cls) if _needed(item)]  # type: ignore[arg-type]  # a dataclass
    for key in needed:
        if key not in data:
            raise Unreadable(f"{key} is missing")
    return cls(**{key: _typed(key, data[key], kinds[key]) for key in kinds if key in data})


def described(data: Mapping[str, Any], sweep_id: str) -> dict[str, Any]:
    """A sweep's description, as readers take it to be; its id is that of its folder.

    Raises:
        Unreadable: Something that they rest on lacks, or is of another kind.
    """
    plan = _part(data, "plan")
    for key in ("metric", "trials"):
        if key not in plan:
            raise Unreadable(f"plan.{key} is missing")
    for key, (rule, words) in _PLAN.items():
        if key in plan and not rule(plan[key]):
            raise Unreadable(f"plan.{key} is {words}, but is {_short(plan[key])}")
    _check_metric(plan["metric"])
    origin = _part(data, "provenance", optional=True)
    for whose, facts in (("provenance", origin), ("submitted", _part(origin, "submitted", optional=True))):
        for key in ("host", "user", "git_commit", "source"):
            if not isinstance(facts.get(key), (str, types.NoneType)):
                raise Unreadable(f"{whose}.{key} is text, but is {_short(facts[key])}")
    if not isinstance(data.get("key", ""), str):
        raise Unreadable(f"key is text, but is {_short(data['key'])}")
    program = _part(data, "program", optional=True)
    if not all(isinstance(one, str) for one in program.values()):
        raise Unreadable("program is of texts, but is not")
    return {**data, "id": sweep_id, "created": _moment(data.get("created")), "plan": dict(plan), "provenance": origin}


def _check_metric(name: str) -> None:
    try:
        check_metric_name(name)
    except ValueError as error:
        raise Unreadable(str(error)) from None


def _part(data: Mapping[str, Any], name: str, *, optional: bool = False) -> dict[str, Any]:
    found = data.get(name, {} if optional else None)
    if not isinstance(found, dict):
        raise Unreadable(f"it describes no sweep: {name} is {_short(found)}, where an object belongs")
    return found


def _moment(value: object) -> str:
    """A time as a database reads it."""
    try:
        return datetime.fromisoformat(value).isoformat() if isinstance(value, str) else _no_moment(value)
    except ValueError:
        return _no_moment(value)


def _no_moment(value: object) -> str:
    raise Unreadable(f"created is a time such as 2026-11-23T04:12:33+00:00, but is {_short(value)}")


def _text(value: object) -> bool:
    return isinstance(value, str)


def _flag(value: object) -> bool:
    return isinstance(value, bool)


def _whole(low: int, high: int) -> Callable[[object], bool]:
    return lambda value: isinstance(value, int) and not isinstance(value, bool) and low <= value <= high


def _texts(value: object) -> bool:
    return isinstance(value, list) and all(map(_text, value))


def _parameters(value: object) -> bool:
    parameters = value.get("parameters") if isinstance(value, dict) else None
    if not isinstance(parameters, dict) or not all(map(_parameter, parameters.values())):
        return False
    from caviar.store.storable import check_names  # noqa: PLC0415 - who reads no description does not pay for numpy

    try:
        check_names(parameters)
    except SpecError:
        return False
    return True


def _parameter(value: object) -> bool:
    return isinstance(value, dict) and value.get("kind", "text") in _KINDS and _text(value.get("type", ""))


def _held(value: object) -> bool:
    return isinstance(value, dict) and all(isinstance(one, dict) and _text(one.get("type")) for one in value.values())


def _retested(value: object) -> bool:
    if not isinstance(value, dict):
        return False
    origins, seeds, looks = (value.get(name) for name in ("origins", "seeds", "looks"))
    trials = _whole(0, MOST_TRIALS)
    if not isinstance(origins, list) or not all(isinstance(one, list) and len(one) == 2 for one in origins):
        return False
    if not origins or not all(_text(sweep) and trials(trial) for sweep, trial in origins):
        return False
    return all(isinstance(part, list) and part and all(map(_whole(0, 2**32 - 1), part)) for part in (seeds, looks))


def _sampler(value: object) -> bool:
    return _text(value) or (isinstance(value, dict) and _text(value.get("name")))


def _or_none(rule: Callable[[object], bool]) -> Callable[[object], bool]:
    return lambda value: value is None or rule(value)


_KINDS = ("float", "int", "bool", "text")
_PLAN: dict[str, tuple[Callable[[object], bool], str]] = {
    "name": (_or_none(_text), "text"),
    "metric": (_text, "text"),
    "mode": (lambda value: value in ("min", "max"), "'min' or 'max'"),
    "rule": (lambda value: value in ("last", "best", "smoothed"), "'last', 'best' or 'smoothed'"),
    "trials": (_whole(1, MOST_TRIALS), "a whole number from 1 to 2^30"),
    "seed": (_whole(0, LARGEST - 1), "a whole number from 0 to 2^63 − 1"),
    "space": (_parameters, "an object of parameters, each with a kind and a name that a parameter may have"),
    "held": (_held, "an object of parameters"),
    "sampler": (_sampler, "a name, or an object with one"),
    "parent": (_or_none(_text), "text"),
    "relation": (_or_none(_text), "text"),
    "rounds": (lambda value: isinstance(value, list) and all(map(_whole(1, MOST_TRIALS), value)), "whole numbers"),
    "round": (_whole(0, MOST_TRIALS), "a whole number"),
    "retest": (_or_none(_whole(1, MOST_TRIALS)), "a whole number"),
    "retested": (_or_none(_retested), "an object of origins, seeds and looks"),
    "searcher": (_text, "text"),
    "stopping": (_text, "text"),
    "pausing": (_flag, "true or false"),
    "concurrency": (_or_none(_whole(1, LARGEST - 1)), "a whole number"),
    "train_args": (lambda value: isinstance(value, dict), "an object"),
    "tags": (_texts, "a list of texts"),
    "note": (_or_none(_text), "text"),
}
"""What readers take from a plan, and of what kind it is. `Plan.from_json` knows all rules, for those who run it."""


@cache
def _kinds(cls: type) -> dict[str, tuple[type, ...]]:
    hints = typing.get_type_hints(cls)
    names = [item.name for item in dataclasses.fields(cls)]
    return {name: typing.get_args(hints[name]) or (hints[name],) for name in names}


def _needed(item: dataclasses.Field[Any]) -> bool:
    return item.default is dataclasses.MISSING and item.default_factory is dataclasses.MISSING


def _typed(key: str, value: Any, kinds: tuple[type, ...]) -> Any:
    if type(value) in kinds and not (type(value) is int and not 0 <= value < LARGEST):
        return value
    if type(value) is int and float in kinds:
        return float(value)
    wanted = " or ".join({int: "a whole number from 0", types.NoneType: "null"}.get(one, one.__name__) for one in kinds)
    raise Unreadable(f"{key} is {wanted}, but is {_short(value)}")


def _kind(value: object) -> str:
    return {list: "a list", str: "text", bool: "true or false", type(None): "null"}.get(type(value), "a number")


def _short(value: object) -> str:
    if isinstance(value, (dict, list)):
        return "an object" if isinstance(value, dict) else "a list"
    text = ascii(value)
    return text if len(text) <= 40 else f"{text[:39]}…"
