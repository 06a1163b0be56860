"""Changing what an experiment's file declares: `train.epochs=5`, `space.lr.high=0.1`, `space.lr=0.01`, `trials=8`."""

from __future__ import annotations

import ast
import inspect
import json
import math
import os
import re
from collections.abc import Callable, Container, Iterable, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from difflib import get_close_matches
from functools import partial
from pathlib import PurePath
from typing import Any

from caviar.errors import SpecError
from caviar.space import FIELDS as PARTS
from caviar.space import Choice, Constant, Float, Int, Parameter, Space, held_at, parameter_from_json
from caviar.spec.code_snapshot import ROLES
from caviar.spec.config_class import field_default
from caviar.spec.secrets import refuse_secrets
from caviar.spec.settings import SETTABLE
from caviar_workers.config_form import NOTHING, kept_name


class Typed(str):
    """A value as somebody typed it: it takes the type of what it is put in place of."""

    __slots__ = ()


def overridden(
    changes: Mapping[str, Any], *, train: Callable[..., Any], space: Space, train_args: Mapping[str, Any]
) -> dict[str, Any]:
    """The fields of a sweep that change, with their new values.

    Args:
        changes: Dotted name → value.
        train: The sweep's train function; it says which arguments there are.
        space: The sweep's space.
        train_args: The arguments that the sweep gives to train.

    Raises:
        SpecError: There is no such setting; the sentence suggests one.
    """
    fields: dict[str, Any] = {}
    arguments = dict(train_args)
    keywords = dict.fromkeys(arguments) | _keywords(train)
    held: dict[str, Any] = {}
    parameters = {name: parameter.to_json() for name, parameter in space.items()}
    for key, value in changes.items():
        room, _, rest = key.partition(".")
        rest = _kept(rest, parameters) if room == "space" else rest
        if room == "train" and rest:
            usual = keywords[_known(rest, keywords, "train takes no argument")]
            arguments[rest] = _whole_where_annotated(train, rest, read(value, arguments.get(rest, usual), key), key)
        elif room == "space" and rest in parameters:
            _refuse_both(rest, changes)
            held[rest] = _held(space[rest], value, key)
        elif room == "space" and (usual := field_default(train, rest)) is not NOTHING:
            held[rest] = Constant(read(value, usual, key))
        elif room == "space" and "." in rest:
            name, _, part = rest.rpartition(".")
            parameter = parameters[_known(name, parameters, "the space has no parameter")]
            parts = PARTS[str(parameter["type"])]
            parameter[_known(part, parts, f"{name} has no")] = read(value, _usual_part(parameter, part), key)
        elif key in SETTABLE:
            fields[key] = read(value, SETTABLE[key].kind.typed, key)
        else:
            _refuse(key, keywords, space)
    if arguments != dict(train_args):
        fields["train_args"] = arguments
    if any(key.startswith("space.") for key in changes):
        changed = {name: parameter_from_json(_without_kind(data)) for name, data in parameters.items()}
        fields["space"] = Space(changed | held)
    return fields


def _kept(rest: str, parameters: Container[str]) -> str:
    """What follows `space.`, with the name by which the store keeps a parameter that is called so: `seed.low`, too."""
    name, dot, part = rest.rpartition(".")
    kept = f"{kept_name(name)}.{part}" if dot and kept_name(name) in parameters else kept_name(rest)
    return rest if rest in parameters else kept


def _refuse_both(name: str, changes: Mapping[str, Any]) -> None:
    """See that a parameter that is held at a value is not described anew as well; SpecError if it is."""
    for key in changes:
        if key.rpartition(".")[0] == f"space.{name}":
            raise SpecError(
                f"space.{name}=… takes the place of the whole parameter, so {key}=… means nothing: leave one out"
            )


def _whole_where_annotated(train: Callable[..., Any], name: str, value: Any, key: str) -> Any:
    """The value, unless it is a fraction and train says `int`; where it says nothing, 3 may stand for any number."""
    if isinstance(value, float) and not value.is_integer():
        declared = next((one.annotation for one in _parameters(train) if one.name == name), None)
        if declared in (int, "int"):
            raise SpecError(f"{key} is a whole number, as train declares it, but got {value!r}")
    return value


def read(value: Any, usual: Any, name: str) -> Any:
    """Return what somebody typed, as the type of what is usual there; other values are what they are.

    JSON and Python's own spelling both hold: `false` and `False`, `null` and `None`, `.5`, `1_000`, `[1, 2]`, `(1, 2)`.

    Args:
        value: `Typed`, or anything else.
        usual: The default, or what it was before; None: it may be of any type.
        name: Of the setting, for the sentence.

    Raises:
        SpecError: It cannot be of that type.
    """
    if not isinstance(value, Typed):
        return value
    text = str(value)
    found = _literal(text)
    if found is None or (isinstance(found, str) and found != text):  # None, or text in quotes: said on purpose
        return found
    if isinstance(usual, str):
        return text
    if usual is None or text.startswith("env:"):  # a reference to a secret
        return found
    rule, result = _as_type(found, text, usual)
    if result is None:
        raise SpecError(
            f"{name} is {rule} ({usual!r:.40}), but got {text!r:.80}: write it in double quotes if text is meant"
        )
    return result


def _as_type(found: Any, text: str, usual: Any) -> tuple[str, Any]:
    """Return what a value of that type is called, and the one that was meant; None: it is none.

    Args:
        found: What the text says in JSON or Python; the text itself, if it is neither.
        text: What was typed.
        usual: A value of the type; of types that train_args do not keep, nothing can be typed but text in quotes.
    """
    if hasattr(usual, "dtype"):  # numpy's numbers
        rule, plain = _as_type(found, text, usual.item())
        return f"{rule}, {usual.dtype}", None if plain is None else _of_numpy(plain, usual)
    if isinstance(usual, bool):
        return "true or false", {"true": True, "false": False, "1": True, "0": False}.get(text.strip().lower())
    if isinstance(usual, (int, float)):
        return "a number", _number(found, type(usual) is float)
    kind = type(usual)
    if kind in (list, tuple, set, frozenset, dict):
        unordered = kind in (set, frozenset)
        fits = isinstance(found, dict if kind is dict else (list, tuple, set) if unordered else (list, tuple))
        return f"a {kind.__name__}", kind(found) if fits else None
    rule, make = _MAKERS.get(kind, (f"of the type {kind.__name__}", _unmade))
    if isinstance(usual, PurePath):
        rule, make = "a path", lambda found, text: kind(text)
    try:
        return rule, make(found, text)
    except (ValueError, ArithmeticError, TypeError):
        return rule, None


def _of_numpy(plain: Any, usual: Any) -> Any:
    """A number as numpy's type of another; None: it has no place there."""
    import numpy as np  # noqa: PLC0415 — it is here, or there were no number of its type

    if usual.dtype.kind in "iu" and not isinstance(plain, int):
        return None
    with suppress(OverflowError), np.errstate(over="ignore"):
        made = type(usual)(plain)
        too_large = usual.dtype.kind == "f" and np.isinf(made) and not math.isinf(plain)
        return None if too_large else made
    return None


def _unmade(found: Any, text: str) -> Any:
    raise TypeError


def _range(found: Any, text: str) -> range:
    try:
        called = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, MemoryError, RecursionError) as error:
        raise ValueError(text) from error
    if not isinstance(called, ast.Call) or not isinstance(called.func, ast.Name) or called.func.id != "range":
        raise ValueError(text)
    return range(*map(ast.literal_eval, called.args))


def _timedelta(found: Any, text: str) -> timedelta:
    match = re.fullmatch(r"(?:(-?\d+) days?, )?(\d+):(\d\d):(\d\d(?:\.\d+)?)", text.strip())
    if match is None:
        return timedelta(seconds=float(found))
    days, hours, minutes, seconds = match.groups("0")
    return timedelta(days=int(days), hours=int(hours), minutes=int(minutes), seconds=float(seconds))


_MAKERS: Mapping[type, tuple[str, Callable[[Any, str], Any]]] = {
    date: ("a date such as 2026-05-31", lambda found, text: date.fromisoformat(text.strip())),
    datetime: ("a time such as 2026-05-31T14:30", lambda found, text: datetime.fromisoformat(text.strip())),
    timedelta: ("a number of seconds, or a duration such as 1:30:00", _timedelta),
    Decimal: ("a number", lambda found, text: Decimal(text.strip())),
    complex: ("a complex number", lambda found, text: complex(text.replace(" ", ""))),
    bytes: ("bytes", lambda found, text: found if isinstance(found, bytes) else text.encode()),
    range: ("a range such as range(5)", _range),
}
"""The other types that train_args keep: what one is called, and how it is made."""


def _number(found: Any, real: bool) -> int | float | None:
    if isinstance(found, str):
        try:
            found = float(found)  # inf and nan are no literals
        except ValueError:
            return None
    if isinstance(found, bool) or not isinstance(found, (int, float)):
        return None
    if isinstance(found, int) and found.bit_length() > 1000:  # beyond all floats
        return None
    if real:
        return float(found)
    if not math.isfinite(found):
        return None
    return int(found) if float(found).is_integer() else found


def _literal(text: str) -> Any:
    """Return what a text says in JSON, or else in Python; the text itself, if neither."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        pass
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError, TypeError):
        return text


def _held(parameter: Parameter, value: Any, name: str) -> Parameter:
    """The parameter at one value, existing when it did; of several values, a Choice; of another parameter, that one.

    Raises:
        SpecError: It is no value of the parameter.
    """
    if isinstance(value, (Float, Int, Choice, Constant)):
        return value
    if isinstance(parameter, Choice):
        return _chosen(parameter, value, name)
    if isinstance(parameter, Constant):
        usual = parameter.value
        several = _literal(str(value)) if isinstance(value, Typed) else value
        if isinstance(several, (list, tuple)) and not isinstance(usual, (list, tuple, type(None))):
            return Choice(several, when=parameter.when)
        return held_at(read(value, usual, name), parameter)
    if isinstance(value, (list, tuple)):
        return Choice(value, when=parameter.when)
    found = read(value, 0 if isinstance(parameter, Int) else 0.0, name)
    if _number(found, isinstance(parameter, Float)) is None or (isinstance(parameter, Int) and found != int(found)):
        kind = "a whole number" if isinstance(parameter, Int) else "a number"
        raise SpecError(f"{name} is {kind}, but got {str(value)!r}")
    try:
        return held_at(parameter.plain(found), parameter)
    except SpecError as error:
        raise SpecError(f"{name}: {error}; {name}.low=… and {name}.high=… move its bounds") from error


def _chosen(parameter: Choice, value: Any, name: str) -> Parameter:
    """A choice at one of its options; of several values, the same choice among these.

    Raises:
        SpecError: It is none of the options.
    """
    for one in _readings(value, parameter.options) if isinstance(value, Typed) else [value]:
        with suppress(SpecError):
            return held_at(parameter.plain(one), parameter)
    several = _literal(str(value)) if isinstance(value, Typed) else value
    if isinstance(several, (list, tuple)) and not isinstance(value, Typed):
        return replace(parameter, options=several)
    try:
        if isinstance(several, (list, tuple)):
            return replace(parameter, options=[parameter.plain(one) for one in several])
        parameter.plain(several)
    except SpecError as error:
        raise SpecError(f"{name}: {error}; {name}.options=[…] gives it others") from error
    return parameter


def _readings(value: Typed, options: Iterable[Any]) -> list[Any]:
    """Return what somebody who typed this may have meant, as the types of the options."""
    text = str(value)
    found = _literal(text)
    quoted = isinstance(found, str) and found != text
    made = (
        [] if quoted else [_as_type(found, text, one)[1] for one in options if not isinstance(one, (str, type(None)))]
    )
    texts = [text, found] if all(isinstance(one, str) for one in options) else [found, *([] if quoted else [text])]
    return [*texts, *(one for one in made if one is not None)]


def _usual_part(parameter: Mapping[str, Any], part: str) -> Any:
    if part in {"low", "high", "step"}:
        return 0.0 if parameter["type"] == "float" else 0
    return {"scale": "", "ordered": False, "live": False, "options": []}.get(part)


def _refuse(key: str, keywords: Iterable[str], space: Space) -> None:
    """Say that there is no such setting, and which one may have been meant."""
    if key in space:
        rest = f"space.{key}.options=[…] chooses others"
        if hasattr(space[key], "low"):
            rest = f"space.{key}.low=… and space.{key}.high=… move its bounds"
        raise SpecError(f"there is no setting {key!r}: space.{key}=… holds the parameter at one value, {rest}")
    if key in ROLES:
        also = f"; train.{next(iter(keywords), 'NAME')}=… sets an argument" if key == "train" else ""
        raise SpecError(f"there is no setting {key!r}: it is a function, and the file gives it{also}")
    if key == "space":
        names = list(space)
        raise SpecError(f"there is no setting 'space': space.{names[0]}=… holds one parameter of {', '.join(names)}")
    parts = [f"space.{name}.{part}" for name, one in space.items() for part in PARTS[str(one.to_json()["type"])]]
    choices = [*SETTABLE, *(f"train.{name}" for name in keywords), *(f"space.{name}" for name in space), *parts]
    _known(key, choices, "there is no setting")


def setting_called(option: str, train: Callable[..., Any], space: Iterable[str]) -> str:
    """The dotted name of what an option may mean: `--batch-size` is `train.batch_size`; empty: it means none."""
    name = option.lstrip("-").replace("-", "_")
    known = {**{one: f"space.{one}" for one in space}, **{one: f"train.{one}" for one in _keywords(train)}}
    return name if name in SETTABLE else known.get(name, "")


def _without_kind(data: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in data.items() if key != "kind"}  # follows from the rest


def _keywords(train: Callable[..., Any]) -> dict[str, Any]:
    """The arguments of train beside config and trial, with their defaults; None: it has none.

    Those that a `partial` gives are among them also where train takes them by `**`.
    """
    bound = dict(train.keywords) if isinstance(train, partial) else {}
    try:
        parameters = list(inspect.signature(train).parameters.values())[2:]
    except (TypeError, ValueError):
        return bound
    given = [p for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)]
    return bound | {p.name: None if p.default is p.empty else p.default for p in given}


def _known(name: str, names: Iterable[str], rule: str) -> str:
    choices = list(names)
    if name in choices:
        return name
    close = get_close_matches(name, choices, n=1, cutoff=0.5)
    hint = f"did you mean {close[0]!r}?" if close else f"there are {', '.join(choices) or 'none'}"
    raise SpecError(f"{rule} {name!r}: {hint}")


def check_arguments(train: Callable[..., Any], arguments: Mapping[str, Any]) -> None:
    """See that train can be called with these arguments, and that none of them is a secret; SpecError if not."""
    refuse_secrets(arguments)
    try:
        parameters = inspect.signature(train).parameters
        inspect.signature(train).bind({}, None, **arguments)
    except TypeError as error:
        declared = ", ".join(list(parameters)[2:]) if "parameters" in locals() else ""
        hint = f"; beside config and trial it takes {declared}" if declared else f"; it is {_where(train)}"
        misfit = str(error).replace("too many positional arguments", "it takes fewer than two")
        raise SpecError(f"train is called as train(config, trial, **train_args), but {misfit}{hint}") from error
    except ValueError:
        return  # a callable without a signature: it will say itself what it takes


def _where(train: Callable[..., Any]) -> str:
    """`def fit(config), in line 3 of fit.py`: what is called, and where it is written."""
    while isinstance(train, partial):
        train = train.func
    name = getattr(train, "__name__", type(train).__name__)
    taken = ", ".join(str(one.replace(default=one.empty, annotation=one.empty)) for one in _parameters(train))
    code = getattr(inspect.unwrap(train), "__code__", None)
    place = "" if code is None else f", in line {code.co_firstlineno} of {os.path.basename(code.co_filename)}"
    return f"{name}({taken}){place}"


def _parameters(train: Callable[..., Any]) -> list[inspect.Parameter]:
    try:
        return list(inspect.signature(train).parameters.values())
    except (TypeError, ValueError):
        return []
