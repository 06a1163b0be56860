"""Functions that are sent as they are take along the cached functions that they call."""

import functools
import pickle
import subprocess
import sys
import threading
from typing import Any

import pytest
from ray import cloudpickle

from caviar.run.executors.pickled_functions import at_fault, caches_by_value

SCRIPT = """
import functools, json, sys
from ray import cloudpickle
from caviar.run.executors.pickled_functions import caches_by_value

@functools.cache
def data(): return VALUE

@functools.lru_cache(maxsize=2, typed=True)
def fib(n): return n if n < 2 else fib(n - 1) + fib(n - 2)

def make():
    @functools.cache
    def inner(): return [VALUE]
    return inner

inner = make()
VALUE = 5
def train(config): return data(), fib(10), fib.cache_parameters(), inner(), json.dumps(inner() is inner())

with caches_by_value({"__main__"}):
    sys.stdout.buffer.write(cloudpickle.dumps(train))
"""
LOAD = "import pickle, sys; print(pickle.load(sys.stdin.buffer)({}))"


def test_cached_functions_travel_with_those_that_call_them() -> None:
    sent = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, check=True).stdout
    done = subprocess.run([sys.executable, "-c", LOAD], input=sent, capture_output=True, check=False)

    assert done.stdout.decode().strip() == str((5, 55, {"maxsize": 2, "typed": True}, [5], "true")), done.stderr


WEAK = """
import functools, sys, weakref
from ray import cloudpickle
from caviar.run.executors.pickled_functions import caches_by_value

class Node: pass

@functools.singledispatch
def size(x): return 1

@size.register
def _(x: float): return 2 * K

K, kept, gone = 1, Node(), Node()
KEYS, VALUES = weakref.WeakKeyDictionary({kept: 5}), weakref.WeakValueDictionary({"a": kept})
SET = weakref.WeakSet([kept])
ALIVE, DEAD = weakref.ref(kept), weakref.ref(gone)
K = 3 * size(1.0)  # fills its cache
del gone
def train(config):
    same = ALIVE() is kept and VALUES["a"] is kept and set(SET) == {kept} and KEYS[kept] == 5
    return size(1.0), size("x"), same, DEAD()

with caches_by_value({"__main__"}):
    sys.stdout.buffer.write(cloudpickle.dumps(train))
"""


def test_weak_references_travel_with_what_they_refer_to() -> None:
    sent = subprocess.run([sys.executable, "-c", WEAK], capture_output=True, check=True).stdout
    done = subprocess.run([sys.executable, "-c", LOAD], input=sent, capture_output=True, check=False)

    assert done.stdout.decode().strip() == str((12, 1, True, None)), done.stderr


LOCK, TABLE = threading.Lock(), {"a": [1, {"lock": threading.Lock()}]}


class Model:
    def __init__(self) -> None:
        self.stream = threading.Lock()


MODEL = Model()


@pytest.mark.parametrize(
    ("part", "named"),
    [
        ("LOCK", "train:LOCK"),
        ("TABLE", "train:TABLE['a'][1]['lock']"),
        ("MODEL", "train:MODEL.stream"),
        ("helper()", "train:helper:LOCK"),
        ("len(TRUE)", ""),
    ],
)
def test_what_cannot_be_sent_is_named(part: str, named: str) -> None:
    space: dict[str, Any] = {"__name__": "own", "LOCK": LOCK, "TABLE": TABLE, "MODEL": MODEL, "TRUE": [1]}
    exec(f"def helper(): return LOCK\ndef train(config, trial): return {part}", space)
    assert at_fault(space["train"], "train", {"own", __name__}, cloudpickle.dumps) == named


@functools.cache
def known() -> int:
    return 1


def test_others_are_known_by_their_names_as_before() -> None:
    with caches_by_value({"__main__"}):
        assert pickle.loads(pickle.dumps(known)) is known
    assert pickle.loads(pickle.dumps(known)) is known

    def by_value() -> Any:
        with caches_by_value({__name__}):
            return pickle.dumps(known)

    with pytest.raises(pickle.PicklingError):  # what it wraps is not what its name says: only cloudpickle takes it
        by_value()
