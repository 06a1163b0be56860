"""`./caviar` looks whether each file of its environment is whole: those of killed installations are not."""

import re
import subprocess
import sys

import pytest


@pytest.fixture(scope="module")
def look(root, tmp_path_factory):
    """Whether an environment with one package passes, whose file says it has 5 bytes."""
    inventory = re.search(r"(?ms)^inventory='(.*?)'$", (root / "caviar").read_text("utf-8"))[1]
    home = tmp_path_factory.mktemp("home") / ".venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(home)], check=True)
    (site,) = (home / "lib").glob("python*/site-packages")
    (site / "one-1.0.dist-info").mkdir()
    (site / "one-1.0.dist-info/RECORD").write_text("one.py,sha256=abc,5\none-1.0.dist-info/RECORD,,\n")

    def passes(content):
        path = site / "one.py"
        path.unlink(missing_ok=True)
        if content is not None:
            path.write_text(content)
        done = subprocess.run([str(home / "bin/python"), "-I", "-c", inventory], capture_output=True, check=False)
        return done.returncode == 0

    return passes


@pytest.mark.parametrize(("content", "whole"), [("12345", True), ("123", False), ("", False), (None, False)])
def test_a_file_that_is_short_or_not_there_is_damage(look, content, whole):
    assert look(content) == whole


def test_a_file_to_which_somebody_appended_is_none(look):
    """A proxy's certificate, say, to certifi's: the environment was made twice for it, and said to be damaged."""
    assert look("12345 and more")
