"""The JSON form of a document: its fields by name, in their order. Programs read it: it changes by additions only."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import date, time
from decimal import Decimal
from typing import Any

IN_ITS_PLACE = {"in_its_place": True}
"""Metadata of a field that is a dataclass: the fields of that one stand in the place of the field itself."""


def as_json(value: object) -> Any:
    """A document, or any value in it, as strict JSON has it: NaN and infinities are null, times ISO 8601, else text."""
    if is_dataclass(value):
        form: dict[str, Any] = {}
        for field in fields(value):
            inner = as_json(getattr(value, field.name))
            form |= inner if field.metadata == IN_ITS_PLACE else {field.name: inner}
        return form
    if isinstance(value, Mapping):
        return {str(name): as_json(inner) for name, inner in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [as_json(inner) for inner in value]
    if isinstance(value, (float, Decimal)):
        return float(value) if math.isfinite(value) else None
    if value is None or isinstance(value, (bool, int, str)):
        return value
    return value.isoformat() if isinstance(value, (date, time)) else str(value)
