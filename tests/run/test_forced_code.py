"""`caviar resume --force`: the experiment's file as it is now, with all the functions that the sweep has."""

import dataclasses
from pathlib import Path

import pytest

from caviar.errors import SpecError
from caviar.run.resumed_code import _present
from caviar.spec.code_snapshot import ROLES, program_of_file
from caviar_workers.load import load_function

from .conftest import Caviar, Write

SOURCE = "def f_{role}(*_, **__): return '{role}'\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A file with a function for every role."""
    path = tmp_path / "forced.py"
    path.write_text("".join(SOURCE.format(role=role) for role in ROLES))
    return path


def test_every_function_of_the_sweep_is_taken_from_the_new_file(file: Path) -> None:
    stored = dataclasses.replace(program_of_file(file), **{role: f"f_{role}" for role in ROLES})
    file.write_text(file.read_text() + "# changed\n")

    found = _present(stored, file, force=True)

    assert found is not None
    assert found.digest != stored.digest
    for role in ROLES:
        assert load_function(found, getattr(found, role))() == role


@pytest.mark.parametrize("gone", ROLES)
def test_a_function_that_the_new_file_lacks_is_missed_before_anything_runs(file: Path, gone: str) -> None:
    stored = dataclasses.replace(program_of_file(file), **{role: f"f_{role}" for role in ROLES})
    file.write_text(file.read_text().replace(f"f_{gone}", "another"))

    with pytest.raises(SpecError, match=rf"cannot be run: .*f_{gone}"):
        _present(stored, file, force=True)


CONSTRAINED = """
    from caviar import Float, Int, Sweep

    def ok(config): return config["a"] < 0.5

    def train(config, trial): trial.report(0, loss=config["a"])

    sweep = Sweep(train, {"a": Float(0, 1), "n": Int(1, 100)}, metric="loss", trials=8, constraint=ok)
"""


@pytest.mark.usefixtures("inline")
@pytest.mark.parametrize(
    ("words", "other"),
    [
        ((), "> 2"),
        (("--add", 4), "> 0.3"),
        *(
            pytest.param(words, other, marks=pytest.mark.nightly)
            for words, other in [
                ((), "> 0.3"),
                (("--add", 4), "> 2"),
                (("--add", 4, "--retry-failed"), "> 0.3"),
                (("--add", 4, "--retry-failed"), "> 2"),
            ]
        ),
    ],
    ids=str,
)
def test_what_is_refused_leaves_the_sweep_as_it_was(
    write: Write, caviar: Caviar, store: Path, words: tuple[object, ...], other: str
) -> None:
    path = write(CONSTRAINED)
    assert caviar("run", path).code == 0
    before = caviar("status").out
    path.write_text(path.read_text().replace("< 0.5", other))

    refused = caviar("resume", "--force", *words)
    path.write_text(path.read_text().replace(other, "< 0.5"))

    if words:
        assert refused.code == SpecError.exit_code, refused.err
    assert caviar("status").out == before
    again = caviar("resume", "--add", 1)
    assert again.code == 0, again.err
    assert "has changed since" not in again.err
    assert "9/9 done" in again.err
