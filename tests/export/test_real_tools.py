"""By night: the tests beside this file with the tools that the environment of the gate has not."""

from pathlib import Path

import pytest

from ..real_packages import run_with

HERE = Path(__file__).parent


@pytest.mark.nightly
@pytest.mark.timeout(1800)
def test_with_the_tools_themselves(tmp_path: Path) -> None:
    run_with(HERE / "tools.txt", tmp_path, HERE)
