"""Values of every type that a global may have are taken apart, so that two of them can be compared."""

# ruff: noqa: F401 — names that the texts of PAIRS use
import enum
import functools
import io
import logging
import math
import operator
import queue
import random
import re
import sqlite3
import threading
import types
from array import array
from collections import Counter, OrderedDict, defaultdict, deque, namedtuple
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from types import MappingProxyType
from typing import Any
from uuid import UUID

import numpy as np
import pandas as pd
import pytest
from scipy.interpolate import interp1d
from scipy.sparse import csr_matrix
from scipy.stats import norm

from caviar.spec.same_function import Comparison


class Slots:
    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value


class Mapped(dict[str, Any]):
    def __init__(self, value: Any) -> None:
        super().__init__()
        self.value = value


def queue_of(value: Any) -> Any:
    made: Any = queue.Queue()
    made.put(value)
    return made


Point = namedtuple("Point", "x")


def wrapped(value: Any) -> Any:
    function = functools.lru_cache(lambda: value)
    function.__dict__["value"] = value
    return function


class Deque(deque[int]):
    pass


class Kind(enum.Flag):
    A, B = 1, 2


class Shown:
    value = property(math.sin)
    other = property(math.cos)


@dataclass
class Data:
    value: Any

    def marked(self) -> "Data":
        self.extra = 9
        return self


def first(value: Any) -> Any:
    return value


def second(value: Any) -> Any:
    return value, PAIRS


PAIRS = [  # of every type that a global may have: two values
    ("range(3)", "range(4)"),
    ("slice(3)", "slice(4)"),
    ("np.tanh", "np.exp"),
    ("math.sin", "math.cos"),
    ("'a'.join", "'b'.join"),
    ("[].append", "[1].append"),
    ("(1).__add__", "(2).__add__"),
    ("operator.itemgetter('a')", "operator.itemgetter('b')"),
    ("operator.methodcaller('upper')", "operator.methodcaller('lower')"),
    ("functools.partial(math.pow, 2)", "functools.partial(math.fmod, 2)"),
    ("np.vectorize(math.sin)", "np.vectorize(math.cos)"),
    ("np.poly1d([1, 2])", "np.poly1d([1, 3])"),
    ("property(math.sin)", "property(math.cos)"),
    ("wrapped(1)", "wrapped(2)"),
    ("Decimal('0.1')", "Decimal('0.10')"),
    ("Fraction(1, 2)", "Fraction(1, 3)"),
    ("date(2026, 1, 1)", "date(2027, 1, 1)"),
    ("datetime(2026, 1, 1, tzinfo=timezone.utc)", "datetime(2026, 1, 1)"),
    ("timedelta(1)", "timedelta(2)"),
    ("UUID(int=1)", "UUID(int=2)"),
    ("deque([1])", "deque([1], maxlen=3)"),
    ("Counter('a')", "Counter('b')"),
    ("bytearray(b'a')", "bytearray(b'b')"),
    ("memoryview(b'a')", "memoryview(b'b')"),
    ("array('d', [1])", "array('d', [2])"),
    ("{'a': 1}.keys()", "{'b': 1}.keys()"),
    ("MappingProxyType({'a': 1})", "MappingProxyType({'a': 2})"),
    ("re.compile('a')", "re.compile('a', re.I)"),
    ("pd.DataFrame({'a': [1]})", "pd.DataFrame({'a': [2]})"),
    ("pd.Series([1], name='a')", "pd.Series([1], name='b')"),
    ("np.array([1, None])", "np.array([2, None])"),
    ("np.ma.array([1, 2], mask=[0, 1])", "np.ma.array([1, 2], mask=[1, 0])"),
    ("np.zeros(2, [('a', 'f4'), ('b', 'f4')])", "np.zeros(2, [('a', 'f4'), ('c', 'f4')])"),
    ("np.dtype('f4')", "np.dtype('f8')"),
    ("np.float32(1)", "np.float64(1)"),
    ("np.random.default_rng(1)", "np.random.default_rng(2)"),
    ("np.random.RandomState(1)", "np.random.RandomState(2)"),
    ("random.Random(1)", "random.Random(2)"),
    ("csr_matrix([[1, 0]])", "csr_matrix([[2, 0]])"),
    ("interp1d([0, 1], [0, 1])", "interp1d([0, 1], [0, 2])"),
    ("norm(0, 1)", "norm(1, 1)"),
    ("Slots(1)", "Slots(2)"),
    ("Mapped(1)", "Mapped(2)"),
    ("Point(1)", "Point(2)"),
    ("{(1, 2)}", "{(1, 3)}"),
    ("{1}", "{True}"),
    ("{1: 2, 3: 4}", "{3: 4, 1: 2}"),
    ("{1: 2}", "{1.0: 2}"),
    ("frozenset({-1, -2})", "frozenset({-1, -3})"),
    ("0.0", "-0.0"),
    ("complex('nan')", "0j"),
    ("[float('nan')]", "[1.0]"),
    ("1", "True"),
    ("'a'", "b'a'"),
    ("defaultdict(int)", "defaultdict(list)"),
    ("OrderedDict(a=1)", "OrderedDict(a=2)"),
    ("ValueError('a')", "ValueError('b')"),
    ("io.StringIO('a')", "io.StringIO('b')"),
    ("list[int]", "list[str]"),
    ("Path('a')", "Path('b')"),
    ("logging.getLogger('a')", "logging.getLogger('b')"),
    ("threading.Lock()", "threading.RLock()"),
    ("threading.Event()", "None"),
    ("object()", "Slots(1)"),
    ("types.SimpleNamespace(a=Slots(1))", "types.SimpleNamespace(a=Slots(2))"),
    ("iter([1, 2])", "iter([1, 3])"),
    ("[list(range(2000))]", "[list(range(1999)) + [0]]"),
    ("np.vectorize(first)", "np.vectorize(second)"),
    ("{Kind.A, first}", "{Kind.B, first}"),
    ("Kind.A | Kind.B", "Kind.A"),
    ("Deque([1])", "Deque([2])"),
    ("Shown.value", "Shown.other"),
    ("Slots(math.sin)", "Slots(math.cos)"),
    ("Data(1)", "Data(1).marked()"),
    ("[[Deque([1]), Data({1: Slots(1)})]]", "[[Deque([1]), Data({1: Slots(2)})]]"),
    ("[threading.Lock(), Data(1)]", "[threading.Lock(), Data(2)]"),
    ("queue_of(1)", "queue_of(2)"),
    ("set(range(2000))", "set(range(1, 2001))"),
]


def differs(one: Any, other: Any) -> str | None:
    def none(name: str) -> Any:
        raise AssertionError(name)

    comparison = Comparison("__main__", "_experiment_x", (), fresh=none)
    comparison.look(one, other, "VALUE")
    return comparison.changed


@pytest.mark.parametrize(("first", "second"), PAIRS)
def test_values_of_every_type_are_compared(first: str, second: str) -> None:
    one, again, other = (eval(text, globals()) for text in (first, first, second))

    assert differs(one, again) is None
    assert differs([Slots(one)], [Slots(again)]) is None
    assert differs(one, other) is not None
    assert differs(other, one) is not None
    assert differs({"a": Slots(one)}, {"a": Slots(other)}) == "VALUE['a'].value" + differs(one, other).removeprefix(
        "VALUE"
    )  # type: ignore[union-attr]


@pytest.mark.parametrize("value", ["sqlite3.connect(':memory:')", "(n for n in [1])", "threading.Thread()"])
def test_what_nobody_can_compare_counts_as_different(value: str) -> None:
    assert differs(eval(value, globals()), eval(value, globals())) is not None
