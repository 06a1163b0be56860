"""A sweep of Weights & Biases, described in YAML: `caviar run sweep.yaml`.

What has no counterpart here is refused by its name, rather than left out without a word.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from caviar.errors import NotFoundError, SpecError, did_you_mean, to_install
from caviar.search.stopping import Hyperband
from caviar.space import Choice, Constant, Float, Int, Parameter

if TYPE_CHECKING:
    from caviar.sweep import Sweep

ENDINGS = (".yaml", ".yml")
MOST_BYTES = 2**20
MOST_VALUES = 100_000
"""Values in the file, each counted where it is used: an alias may name a list of aliases."""
SAMPLING: dict[str, dict[str, Any]] = {
    "random": {"sampler": "random"},
    "grid": {"sampler": "grid"},
    "bayes": {"searcher": "gp"},
}
LEFT_OUT = ("project", "entity", "description", "$schema")
"""Keys that say where W&B is to show the sweep."""
KEYS = ("program", "command", "method", "metric", "parameters", "early_terminate", "run_cap", "name", *LEFT_OUT)
MACROS = {
    "${env}": "/usr/bin/env",
    "${interpreter}": "python",
    "${args}": "{args}",
    "${args_no_hyphens}": "{overrides}",
    "${args_json_file}": "{config}",
}
COMMAND = ("${env}", "${interpreter}", "${program}", "${args}")
"""What W&B's agent starts where the file does not say."""


def wandb_sweep(path: Path, metric: str | None = None) -> Sweep:
    """The sweep that a YAML file describes.

    Args:
        path: The file.
        metric: The metric that decides, where the file names none.

    Raises:
        NotFoundError: There is no such file.
        SpecError: It is no sweep, or says what has no counterpart.
    """
    from caviar.sweep import Sweep
    from caviar_workers.command import Command, uses_wandb

    said = _keys(_document(path), KEYS, "the sweep")
    goal = _keys(said.get("metric", {}), ("name", "goal"), "metric")
    settings: dict[str, Any] = {"name": str(said.get("name") or path.stem)}
    settings |= _among(said, "method", SAMPLING, "random")
    settings |= {"stopping": _stopping(said["early_terminate"])} if "early_terminate" in said else {}
    settings |= {"trials": said["run_cap"]} if "run_cap" in said else {}
    decides = metric or goal.get("name")
    if not isinstance(decides, str):
        raise SpecError(f"{path.name} names no metric: add metric: {{name: val_loss}}, or --metric val_loss")
    mode = _among(goal, "goal", {"minimize": "min", "maximize": "max"}, "minimize")
    space = parameters(said.get("parameters", {}))
    words = command(said)
    train = Command(words, read="wandb" if uses_wandb(words, None) else "auto")
    return Sweep(train, space, decides, mode, **settings)


def command(said: Mapping[str, Any]) -> list[str]:
    """The words of the command, in our braces for W&B's macros."""
    program = said.get("program")
    given = said.get("command", list(COMMAND))
    if not (isinstance(given, list) and all(isinstance(word, (str, int, float)) for word in given)):
        raise SpecError(f"command is a list of words, such as [python, train.py, '${{args}}'], got {given!r:.60}")
    if program is None and "${program}" in given:
        raise SpecError("the sweep names no program: add program: train.py, or a command")
    known = {**MACROS, "${program}": str(program)}
    return [_word(str(word), known) for word in given]


def _word(word: str, known: Mapping[str, str]) -> str:
    if word in known:
        return known[word]
    if "${" in word:
        raise SpecError(f"{word} in the command has no counterpart{did_you_mean(word, known)}")
    return re.sub(r"\{([A-Za-z_][\w.]*)\}", r"{{\1}}", word)  # a text in braces, not a parameter


def parameters(said: object, within: str = "") -> dict[str, Parameter]:
    """The search space; parameters of parameters have dotted names."""
    if not isinstance(said, dict) or not (said or within):
        raise SpecError("parameters are names with what they may be: parameters: {lr: {min: 0.0001, max: 0.1}}")
    found: dict[str, Parameter] = {}
    for name, one in said.items():
        full = f"{within}{name}"
        if isinstance(one, dict) and isinstance(one.get("parameters"), dict) and len(one) == 1:
            found |= parameters(one["parameters"], f"{full}.")
            continue
        try:
            found[full] = parameter(one)
        except SpecError as error:
            raise SpecError(f"parameter {full}: {error}") from error
    return found


def parameter(said: object) -> Parameter:
    """A parameter as W&B describes it, on its scale.

    `inv_log_uniform` is a logarithmic scale too: 1/x is spread evenly by factors just when x is.
    """
    kind = _kind(said)
    if kind not in _DISTRIBUTIONS:
        known = ", ".join(_DISTRIBUTIONS)
        raise SpecError(f"the distribution {kind} has no counterpart: give it bounds, as one of {known}")
    keys, make = _DISTRIBUTIONS[kind]
    given = _keys(said, (*keys, "distribution"), kind)
    if lacks := [key for key in keys if key not in given and key not in ("q", "probabilities")]:
        raise SpecError(f"{kind} needs {' and '.join(lacks)}: add {'it' if len(lacks) == 1 else 'them'}")
    return make({key: _number(key, value) for key, value in given.items()})


def _kind(said: object) -> str:
    """The distribution, where it is not named as W&B finds it."""
    if not isinstance(said, dict):
        raise SpecError(f"it is value: …, values: […], or min: and max:, got {said!r:.60}")
    if "distribution" in said:
        return str(said["distribution"])
    for key, kind in {"value": "constant", "values": "categorical"}.items():
        if key in said:
            return kind
    whole = all(type(said.get(bound)) is int for bound in ("min", "max"))
    return "int_uniform" if whole else "uniform"


def _number(key: str, value: Any) -> Any:
    """A value; YAML takes 1e-4 for a text, and W&B's users do not."""
    if key in ("min", "max", "q", "eta", "max_iter", "s"):
        try:
            found = value if type(value) in (int, float) else float(value)
            if math.isfinite(found):
                return found
        except (TypeError, ValueError):
            raise SpecError(f"{key} is a number, got {value!r:.60}") from None
        except OverflowError:
            raise SpecError(f"{key} is a number, got an integer of more than 300 digits") from None
        raise SpecError(f"{key} is a finite number, got {value!r:.60}")
    return [_unread(one) for one in value] if key == "values" and isinstance(value, list) else _unread(value)


def _unread(value: Any) -> Any:
    return float(value) if isinstance(value, str) and re.fullmatch(r"[-+]?\d+[eE][-+]?\d+", value) else value


def _categorical(given: Mapping[str, Any]) -> Parameter:
    if not isinstance(given["values"], list):
        raise SpecError(f"values is a list, got {given['values']!r:.60}")
    shares = given.get("probabilities")
    if shares is not None and (not isinstance(shares, list) or len(set(map(str, shares))) > 1):
        raise SpecError("probabilities that differ have no counterpart: leave them out, or list a value several times")
    return Choice(given["values"])


def _linear(given: Mapping[str, Any]) -> Parameter:
    return Float(given["min"], given["max"])


def _stepped(scale: Any) -> Callable[[Mapping[str, Any]], Parameter]:
    """Multiples of q, as W&B rounds to them."""

    def make(given: Mapping[str, Any]) -> Parameter:
        step = given.get("q", 1)
        if step <= 0:
            raise SpecError(f"q is above 0, got {step!r}")
        try:
            first, last = round(given["min"] / step), round(given["max"] / step)
        except OverflowError:
            raise SpecError(f"there are more steps of q than can be counted, got {step!r}") from None
        if scale == "log":
            first = max(first, 1)
        if float(step).is_integer():
            return Int(first * int(step), last * int(step), scale, step=int(step))
        return Float(first * step, first * step + (last - first) * step, scale, step=step)

    return make


def _factors(given: Mapping[str, Any]) -> Parameter:
    return Float(given["min"], given["max"], "log")


def _exponents(sign: int, make: Callable[[Mapping[str, Any]], Parameter]) -> Callable[[Mapping[str, Any]], Parameter]:
    def made(given: Mapping[str, Any]) -> Parameter:
        try:
            low, high = sorted(math.exp(sign * given[bound]) for bound in ("min", "max"))
        except OverflowError:
            raise SpecError(
                "min and max are natural logarithms here: for the values, write log_uniform_values"
            ) from None
        return make({**given, "min": low, "max": high})

    return made


_BOUNDS = ("min", "max")
_DISTRIBUTIONS: dict[str, tuple[tuple[str, ...], Callable[[Mapping[str, Any]], Parameter]]] = {
    "constant": (("value",), lambda given: Constant(given["value"])),
    "categorical": (("values", "probabilities"), _categorical),
    "categorical_w_probabilities": (("values", "probabilities"), _categorical),
    "int_uniform": (_BOUNDS, lambda given: Int(given["min"], given["max"])),
    "uniform": (_BOUNDS, _linear),
    "q_uniform": ((*_BOUNDS, "q"), _stepped("linear")),
    "log_uniform": (_BOUNDS, _exponents(1, _factors)),
    "log_uniform_values": (_BOUNDS, _factors),
    "inv_log_uniform": (_BOUNDS, _exponents(-1, _factors)),
    "inv_log_uniform_values": (_BOUNDS, _factors),
    "q_log_uniform": ((*_BOUNDS, "q"), _exponents(1, _stepped("log"))),
    "q_log_uniform_values": ((*_BOUNDS, "q"), _stepped("log")),
}


def _stopping(said: object) -> Hyperband:
    """W&B's hyperband has one ladder of rungs for all runs: from min_iter up, or from max_iter down s times."""
    given = _keys(said, ("type", "min_iter", "max_iter", "s", "eta"), "early_terminate")
    if given.get("type", "hyperband") != "hyperband":
        raise SpecError(f"early_terminate of type {given['type']!r} has no counterpart: hyperband has")
    eta = _number("eta", given.get("eta", 3))
    if "min_iter" in given:
        return Hyperband(eta=eta, first=given["min_iter"], brackets=1)
    if "max_iter" not in given or "s" not in given:
        raise SpecError("early_terminate needs min_iter, or max_iter and s: add what is missing")
    last, rungs = _number("max_iter", given["max_iter"]), _number("s", given["s"])
    if eta <= 1 or rungs < 0:
        raise SpecError(f"early_terminate has an eta above 1 and an s from 0, got {eta!r:.60} and {rungs!r:.60}")
    return Hyperband(eta=eta, first=max(1, round(last * float(eta) ** -rungs)), brackets=1)


def _among(said: Mapping[str, Any], key: str, known: Mapping[str, Any], default: str) -> Any:
    word = said.get(key, default)
    if not isinstance(word, str) or word not in known:
        raise SpecError(f"{key}: {word!r:.60} has no counterpart{did_you_mean(word, known)}")
    return known[word]


def _keys(said: object, known: tuple[str, ...], what: str) -> dict[str, Any]:
    if not isinstance(said, dict):
        raise SpecError(f"{what} is an object of YAML, got {said!r:.60}")
    for key in said:
        if key not in known:
            raise SpecError(f"{key} of {what} has no counterpart: take it out{did_you_mean(key, known)}")
    return said


def _document(path: Path) -> Any:
    try:
        import yaml
    except ImportError as error:
        raise SpecError(f"YAML is read by PyYAML, which is not installed: type {to_install('pyyaml')}") from error
    if not path.is_file():
        raise NotFoundError(f"there is no file {path}: give the sweep's name")
    if path.stat().st_size > MOST_BYTES:
        raise SpecError(f"{path.name} is larger than a megabyte, which no sweep is: give the sweep's file")
    try:
        found = yaml.safe_load(path.read_bytes())
    except (yaml.YAMLError, UnicodeError, RecursionError, ValueError) as error:
        words = " ".join(str(error).split())
        raise SpecError(f"{path.name} is no YAML: {words:.200}; mend it there") from error
    _check_size(path, found)
    return found


def _check_size(path: Path, top: object) -> None:
    """See that what aliases repeat stays small."""
    level, seen = [top], 0
    while level:
        seen += len(level)
        if seen > MOST_VALUES:
            raise SpecError(f"{path.name} holds more than {MOST_VALUES:,} values, aliases counted: it is no sweep")
        below: list[object] = []
        for value in level:
            inner = [*value, *value.values()] if isinstance(value, dict) else value if isinstance(value, list) else ()
            below += inner
            if len(below) > MOST_VALUES:
                break
        level = below
