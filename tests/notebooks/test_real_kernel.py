"""By night: the tests beside this file with Jupyter's kernel, which the environment of the gate has not."""

from pathlib import Path

import pytest

from ..real_packages import run_with

HERE = Path(__file__).parent


@pytest.mark.nightly
@pytest.mark.timeout(1800)
def test_with_a_kernel(tmp_path: Path) -> None:
    run_with(HERE / "notebooks.txt", tmp_path, HERE)
