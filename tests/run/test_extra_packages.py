"""Packages that travel with a sweep: fetched where the driver runs, by a real pip from an index in a folder."""

import os
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from caviar import Result
from caviar.errors import SpecError
from caviar.run.extra_packages import TOLD, add_packages
from caviar.spec.project_archive import packages_in
from caviar.store import Store

from ..wheels import wheel
from .conftest import Caviar

NAMES = ("extra_cub", "extra_roe")
EXPERIMENT = """
import os
from caviar import Float, Sweep
from importlib.metadata import version
import extra_cub

def train(config, trial):
    if "BROKEN" in os.environ:
        raise ValueError("broken")
    return extra_cub.GRAMS + len(extra_cub.SECRET) + 0 * config["lr"] + (version("extra-roe") == "2.0")

sweep = Sweep(train, {"lr": Float(0, 1)}, metric="value", trials=2)
"""


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    (folder := tmp_path / "index").mkdir()
    cub = {
        "extra_cub/__init__.py": "from pathlib import Path\nimport extra_roe\nGRAMS = extra_roe.GRAMS\n"
        "SECRET = (Path(__file__).parent / 'cacert.pem').read_text()\n",
        "extra_cub/cacert.pem": "12345",  # of the user's own, none of that name travels
    }
    wheel(folder, "extra_cub", "1.0", cub, "Requires-Dist: extra-roe>=2\nRequires-Dist: numpy\n")
    wheel(folder, "extra_roe", "2.0", {"extra_roe.py": "GRAMS = 30\n"})
    wheel(folder, "extra_old", "1.0", {"extra_old.py": ""}, "Requires-Dist: numpy<1.2\n")
    wheel(folder, "extra_new", "1.0", {"extra_new.py": ""}, "Requires-Python: >=3.99\n")
    with tarfile.open(folder / "extra_built-1.0.tar.gz", "w:gz") as sources:
        sources.add(__file__, "extra_built-1.0/setup.py")
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    before = list(sys.path)
    yield folder
    sys.path[:] = before
    for name in NAMES:
        sys.modules.pop(name, None)


def asked(tmp_path: Path, *lines: str) -> Path:
    (file := tmp_path / "extras.txt").write_text("\n".join(lines))
    return file


@pytest.mark.nightly  # each starts pip, for seconds
def test_what_is_missing_is_fetched_and_what_is_there_stays(index: Path, tmp_path: Path) -> None:
    found = add_packages(asked(tmp_path, "extra-cub", "numpy", "pytest>=8"))

    assert found.told.startswith(f"{TOLD} extras.txt: extra-cub 1.0, extra-roe 2.0, ")
    assert " s; " in found.told
    import extra_cub  # type: ignore[import-not-found]

    assert extra_cub.GRAMS == 30
    assert add_packages(asked(tmp_path, "extra-cub", "numpy", "pytest>=8")).archive == found.archive, "the same bytes"


@pytest.mark.nightly  # each starts pip, for seconds
def test_nothing_travels_where_all_is_there(index: Path, tmp_path: Path) -> None:
    found = add_packages(asked(tmp_path, "numpy"))
    assert found.archive == b""
    assert "none, tried on" in found.told


@pytest.mark.nightly  # each starts pip, for seconds
@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("numpy<1.2", r"asks for numpy<1\.2, and numpy \S+ is installed here"),
        ("extra-old", r"extra-old 1\.0 needs numpy<1\.2, but numpy \S+ is installed there, and stays"),
        ("extra-new", r"extra-new is for Python >=3\.99, and there is Python 3\."),
        ("extra-built", r"there are sources, but no wheel for Python .*image"),
        ("extra-none==3", r"the index knows no extra-none==3 for Python"),
    ],
)
def test_what_cannot_be_had_is_said_with_the_reason(index: Path, tmp_path: Path, line: str, why: str) -> None:
    with pytest.raises(SpecError, match=why):
        add_packages(asked(tmp_path, line))


@pytest.mark.nightly  # each starts pip, for seconds
def test_more_than_travels_is_refused_with_the_largest(
    index: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("caviar.run.extra_packages.MOST", 10)
    with pytest.raises(SpecError, match=r"extra_cub 0 MB.*image"):
        add_packages(asked(tmp_path, "extra-cub"))


def test_trials_find_them_and_so_do_those_who_go_on(
    caviar: Caviar, index: Path, tmp_path: Path, inline: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    (home := tmp_path / "home").mkdir()
    (home / "exp.py").write_text(EXPERIMENT)
    (home / ".gitignore").write_text("*.zip\n")
    monkeypatch.chdir(home)
    store = tmp_path / "store"

    monkeypatch.setenv("BROKEN", "1")
    said = caviar("run", "exp.py", "--requirements", asked(tmp_path, "extra-cub"), "-q", at=store)
    assert f"{TOLD} extras.txt: extra-cub 1.0, extra-roe 2.0, " in said.err
    monkeypatch.delenv("BROKEN")
    (sweep,) = Store.open(store).sweeps()
    assert packages_in(sweep.project())

    sys.path[:] = [one for one in sys.path if "caviar-code-" not in one]
    for name in NAMES:
        sys.modules.pop(name, None)
    said = caviar("resume", sweep.id, "--retry-failed", "--force", at=store)
    assert said.code == 0, said.err
    rows = Result(store).sql("SELECT last_value FROM trials ORDER BY trial").fetchall()
    assert rows == [(36.0,)] * 2
    assert packages_in(sweep.project())


@pytest.mark.nightly  # each starts pip, for seconds
def test_a_program_finds_them(caviar: Caviar, index: Path, tmp_path: Path, inline: None) -> None:
    (tmp_path / "train.py").write_text("import extra_cub\nprint(f'step=0 loss={extra_cub.GRAMS}')\n")
    asked(tmp_path, "extra-cub")
    words = ["--metric", "loss", "--space", "lr=0..1", "--trials", "1", "--requirements", tmp_path / "extras.txt"]
    words += ["--store", tmp_path / "store", "-q", "--", sys.executable, tmp_path / "train.py", "{args}"]
    said = caviar("run", *words)
    assert said.code == 0, said.err
    assert Result(tmp_path / "store").sql("SELECT last_loss FROM trials").fetchall() == [(30.0,)]
