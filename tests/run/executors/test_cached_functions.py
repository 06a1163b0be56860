"""Functions that are sent as they are take along the cached functions that they call."""

import functools
import pickle
import subprocess
import sys
from typing import Any

import pytest

from caviar.run.executors.cached_functions import caches_by_value

SCRIPT = """
import functools, json, sys
from ray import cloudpickle
from caviar.run.executors.cached_functions import caches_by_value

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
