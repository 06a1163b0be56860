"""From the lines that a program prints to the points of a learning curve: JSON objects, `name=value` and the like."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

STEPS = ("epoch", "step", "global_step", "iteration", "iter", "round", "update")
"""Names that count steps, without regard to case."""
CHECKPOINT = "checkpoint"
"""The name under which a program tells where a checkpoint of its lies."""
FORMS = ("auto", "json", "pairs", "wandb")

_NUMBER = r"[-+]?(?:(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?|nan|inf(?:inity)?)"
_PAIR = re.compile(rf"(?<![\w.])([A-Za-z_][\w./-]*?)\s?[=:]\s*({_NUMBER})(?![\w]|\.\d|:\d)", re.IGNORECASE)
_STEP = re.compile(rf"(?<![\w.])({'|'.join(STEPS)})s?\s*[=:#\[(]?\s*(\d{{1,18}})(?![\w.]|\s*:\d)", re.IGNORECASE)
_PATH = re.compile(rf"(?<![\w.]){CHECKPOINT}\s?=\s?(\S+)")
_ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|[^\n]\x08")
"""Colours and movements of a terminal, and what was struck out."""


@dataclass(frozen=True, slots=True)
class Said:
    """What a line says: metrics at a step, where a checkpoint lies, or both."""

    step: int
    metrics: Mapping[str, float]
    checkpoint: str | None = None


@dataclass(slots=True, kw_only=True)
class PrintedMetrics:
    """Reads the lines of one program, one after the other.

    A JSON object is a report if it has a number. Of other text, `loss=0.5`, `loss: 0.5` and `Epoch 3` are read; it is
    a report if it has the sweep's metric, or a step and another number. What has no step is of the step that was read
    last; if none was, reports are counted. A step that goes back is not taken: a program that counts batches within
    epochs is to say `step="epoch"`.

    Args:
        metric: The sweep's metric.
        form: One of `FORMS`; `wandb` is JSON, for a listener writes it.
        step: The name that counts steps; None: the first of `STEPS` that is read.
        parameters: Names of parameters: in text they are what the program was given, and no metrics.
        newest: The step before the first one that may come; −1: there is none.
    """

    metric: str
    form: str = "auto"
    step: str | None = None
    parameters: Collection[str] = ()
    newest: int = -1
    _counted: bool = field(default=True, init=False)
    """Whether steps are counted, for none was read yet."""

    def read(self, line: str) -> Said | None:
        """What a line says; None: nothing."""
        line = _ESCAPES.sub("", line.rpartition("\r")[2] or line).strip()
        if line.startswith("{") and self.form != "pairs":
            return self._object(line)
        return None if self.form in ("json", "wandb") else self._text(line)

    def _object(self, line: str) -> Said | None:
        try:
            found = json.loads(line)
        except (ValueError, RecursionError):
            return None
        if not isinstance(found, dict):
            return None
        values = {name: float(value) for name, value in found.items() if _is_number(value)}
        path = found.get(CHECKPOINT)
        return self._said(values, path if isinstance(path, str) else None)

    def _text(self, line: str) -> Said | None:
        values = {name: float(value) for name, value in _PAIR.findall(line)}
        steps = {name: float(value) for name, value in _STEP.findall(line)}
        values = {name: value for name, value in values.items() if name not in self.parameters}
        path = _PATH.search(line)
        found = self._said(steps | values, path[1] if path else None)
        if found is not None and found.metrics and self.metric not in found.metrics and not steps:
            return None
        return found

    def _said(self, values: Mapping[str, float], checkpoint: str | None) -> Said | None:
        name = self._step_name(values)
        metrics = {
            one: value for one, value in values.items() if one != name and one.casefold() not in ("step", CHECKPOINT)
        }
        step = self.newest
        if name is not None:
            self._counted = False
            step = max(step, int(values[name]))
        elif self._counted and metrics:
            step += 1
        self.newest = step
        return Said(max(step, 0), metrics, checkpoint) if metrics or checkpoint else None

    def _step_name(self, values: Mapping[str, float]) -> str | None:
        """The name among those read that counts steps; once one was read, it alone."""
        names = {name.casefold(): name for name, value in values.items() if value >= 0 and value.is_integer()}
        wanted = STEPS if self.step is None else (self.step.casefold(),)
        found = next((one for one in wanted if one in names), None)
        if found is None:
            return None
        self.step = self.step or found
        return names[found]


def _is_number(value: Any) -> bool:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    try:
        return math.isnan(value) or abs(float(value)) >= 0
    except OverflowError:  # a whole number beyond the largest float
        return False
