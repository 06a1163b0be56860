"""`caviar resume --force`: the experiment's file as it is now, with all the functions that the sweep has."""

import dataclasses
from pathlib import Path

import pytest

from caviar.drive.resume import _present
from caviar.errors import SpecError
from caviar.program import ROLES, program_of_file
from caviar_workers.load import load_function

SOURCE = "def f_{role}(*_, **__): return '{role}'\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A file with a function for every role."""
    path = tmp_path / "forced.py"
    path.write_text("".join(SOURCE.format(role=role) for role in ROLES))
    return path


def test_every_function_of_the_sweep_is_taken_from_the_new_file(file: Path) -> None:
    stored = dataclasses.replace(program_of_file(file), **{role: f"f_{role}" for role in ROLES})  # type: ignore[arg-type]
    file.write_text(file.read_text() + "# changed\n")

    found = _present(stored, file, force=True)

    assert found is not None
    assert found.digest != stored.digest
    for role in ROLES:
        assert load_function(found, getattr(found, role))() == role


@pytest.mark.parametrize("gone", ROLES)
def test_a_function_that_the_new_file_lacks_is_missed_before_anything_runs(file: Path, gone: str) -> None:
    stored = dataclasses.replace(program_of_file(file), **{role: f"f_{role}" for role in ROLES})  # type: ignore[arg-type]
    file.write_text(file.read_text().replace(f"f_{gone}", "another"))

    with pytest.raises(SpecError, match=rf"cannot be run: .*f_{gone}"):
        _present(stored, file, force=True)
