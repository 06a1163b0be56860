"""The order of the gate: quick tests, then the clone (while no Ray runs), then those that share one Ray."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent / "s3"))

from fixtures import cloud, s3_server

from caviar.execute.ray_session import RaySession

from .raylets import Raylets

__all__ = ["cloud", "s3_server"]


def pytest_configure(config: pytest.Config) -> None:
    """Where one process a core runs tests, more threads for linear algebra would only wait for each other."""
    if hasattr(config, "workerinput"):
        os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the tests that need Ray last, before them those that make a clone, and leave the rest in order."""
    items.sort(key=lambda item: [item.get_closest_marker(name) is not None for name in ("ray", "install")])


@pytest.fixture(scope="session")
def ray() -> Iterator[RaySession]:
    """The one Ray of the test run: two CPUs, and two GPUs that are only pretended."""
    with RaySession(cpus=2, gpus=2) as session:
        yield session


@pytest.fixture(scope="session")
def raylets() -> Iterator[Raylets]:
    """A cluster of four nodes with a CPU each, in a process of its own; who kills one puts another one in its place."""
    with Raylets(4) as cluster:
        yield cluster
