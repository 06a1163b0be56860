"""Changing what an experiment's file declares: `train.epochs=5`, `space.lr.high=0.1`, `trials=8`."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from difflib import get_close_matches
from typing import Any

from caviar.errors import SpecError
from caviar.secret import refuse_secrets
from caviar.space import FIELDS as PARTS
from caviar.space import Space, parameter_from_json

FIELDS = (
    "metric",
    "mode",
    "trials",
    "seed",
    "name",
    "sampler",
    "all_tiers",
    "rounds",
    "rule",
    "searcher",
    "stopping",
    "pausing",
    "stop_on_divergence",
    "cpus",
    "gpus",
    "process",
    "concurrency",
    "max_attempts",
    "trial_timeout",
    "time_limit",
    "keep_checkpoints",
    "max_failures",
    "tags",
    "note",
)


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
    keywords = _keywords(train)
    parameters = {name: parameter.to_json() for name, parameter in space.items()}
    for key, value in changes.items():
        room, _, rest = key.partition(".")
        if room == "train" and rest:
            arguments[_known(rest, keywords, "train takes no argument")] = value
        elif room == "space" and "." in rest:
            name, _, part = rest.rpartition(".")
            parameter = parameters[_known(name, parameters, "the space has no parameter")]
            parameter[_known(part, PARTS[str(parameter["type"])], f"{name} has no")] = value
        elif key in FIELDS:
            fields[key] = value
        else:
            choices = [
                *FIELDS,
                *(f"train.{name}" for name in keywords),
                *(f"space.{name}.low" for name in parameters),
            ]
            _known(key, choices, "there is no setting")
    if arguments != dict(train_args):
        fields["train_args"] = arguments
    if any(key.startswith("space.") for key in changes):
        fields["space"] = Space({name: parameter_from_json(_without_kind(data)) for name, data in parameters.items()})
    return fields


def _without_kind(data: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in data.items() if key != "kind"}  # follows from the rest


def _keywords(train: Callable[..., Any]) -> list[str]:
    try:
        parameters = list(inspect.signature(train).parameters.values())[2:]
    except (TypeError, ValueError):
        return []
    return [p.name for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)]


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
        hint = f"; beside config and trial it takes {declared}" if declared else ""
        raise SpecError(f"train is called as train(config, trial, **train_args), but {error}{hint}") from error
    except ValueError:
        return  # a callable without a signature: it will say itself what it takes
