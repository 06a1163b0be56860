"""By night: the tests beside this file with the frameworks that the environment of the gate has not."""

from pathlib import Path

import pytest

from ..real_packages import run_with

HERE = Path(__file__).parent


@pytest.mark.nightly
@pytest.mark.timeout(3600)
def test_with_the_frameworks_themselves(tmp_path: Path) -> None:
    run_with(HERE / "frameworks.txt", tmp_path, HERE)
