"""The image, built once for all tests that run it."""

import pytest

from .containers import Engine


@pytest.fixture(scope="session")
def engine(tmp_path_factory):
    engine = Engine(tmp_path_factory.mktemp("engine"))
    engine.base()
    engine.build()
    yield engine
    engine.remove()
