import io
import json
import sys
import zipfile
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from caviar.errors import SpecError, StoreError
from caviar.spec import code_snapshot
from caviar.spec.code_archive import pack, unpack
from caviar.spec.code_snapshot import entry_of, program_of_file
from caviar.spec.code_source import load_file
from caviar_workers.load import load_function, load_module

EXPERIMENT = """
import helper
from package.inner import three

def train(config, trial):
    import late
    return helper.TWO + three() + late.ONE
"""


@pytest.fixture
def experiment(tmp_path: Path) -> Path:
    """An experiment with a module, a package, and a module imported late beside it, and a file that is not imported."""
    (tmp_path / "helper.py").write_text("TWO = 2\n")
    (tmp_path / "late.py").write_text("ONE = 1\n")
    (tmp_path / "other.py").write_text("raise RuntimeError('never imported')\n")
    (tmp_path / "package").mkdir()
    (tmp_path / "package" / "__init__.py").write_text("from . import deep\n")
    (tmp_path / "package" / "inner.py").write_text("from .deep import THREE\n\ndef three():\n    return THREE\n")
    (tmp_path / "package" / "deep.py").write_text("THREE = 3\n")
    path = tmp_path / "my experiment.py"
    path.write_text(EXPERIMENT)
    return path


def test_the_modules_beside_the_file_that_it_imports_are_part_of_it(experiment: Path) -> None:
    found = program_of_file(experiment)

    beside = {"helper", "late", "package", "package.inner", "package.deep"}
    assert set(found.files) == {"_experiment_my_experiment"} | beside
    assert found.packages == {"package"}


def test_the_digest_follows_the_sources_not_the_place(experiment: Path, tmp_path: Path) -> None:
    before = program_of_file(experiment).digest
    (tmp_path / "other.py").write_text("# not imported\n")
    same = program_of_file(experiment).digest
    (tmp_path / "package" / "deep.py").write_text("THREE = 4\n")

    assert same == before
    assert program_of_file(experiment).digest != before


def test_editing_a_file_after_the_snapshot_changes_nothing(experiment: Path, tmp_path: Path) -> None:
    program = program_of_file(experiment, train="train")
    for file in tmp_path.rglob("*.py"):
        file.write_text("raise RuntimeError('edited')\n")

    assert load_function(program, "train")({}, None) == 6


def test_a_second_snapshot_takes_the_place_of_the_first(experiment: Path, tmp_path: Path) -> None:
    first = program_of_file(experiment, train="train")
    assert load_function(first, "train")({}, None) == 6
    (tmp_path / "helper.py").write_text("TWO = 20\n")
    second = program_of_file(experiment, train="train")

    assert load_function(second, "train")({}, None) == 24
    assert load_function(first, "train")({}, None) == 6


def test_data_beside_the_file_is_found_and_tracebacks_show_the_snapshot_s_lines(tmp_path: Path) -> None:
    (tmp_path / "data.txt").write_text("42")
    path = tmp_path / "reads.py"
    path.write_text("from pathlib import Path\nVALUE = int((Path(__file__).parent / 'data.txt').read_text())\n")

    assert load_module(program_of_file(path)).VALUE == 42


def test_a_file_called_as_an_installed_module_does_not_take_its_place(tmp_path: Path) -> None:
    import random

    path = tmp_path / "random.py"
    path.write_text("def train(config, trial): ...\n")
    load_file(path)

    assert sys.modules["random"] is random


@pytest.mark.parametrize("then", ["", "raise ValueError"])
def test_a_file_that_goes_elsewhere_as_it_is_imported_moves_nobody_else(tmp_path: Path, then: str) -> None:
    before, path = Path.cwd(), tmp_path / "wanderer.py"
    path.write_text(f"import os\nos.chdir('..')\n{then}\n")
    with suppress(SpecError):
        load_file(path)

    assert Path.cwd() == before


def test_packing_keeps_the_program_and_gives_the_same_bytes_for_the_same_code(experiment: Path) -> None:
    program = program_of_file(experiment, train="train", final="train")

    assert unpack(pack(program)) == program
    assert pack(program) == pack(program_of_file(experiment, train="train", final="train"))


def test_a_damaged_archive_is_refused() -> None:
    with pytest.raises(StoreError, match=r"code\.zip is damaged"):
        unpack(b"PK nothing")


INDEX = {**dict.fromkeys(("digest", "train", "final", "constraint", "data", "module"), ""), "paths": {}, "packages": []}
ODD_ARCHIVES = {
    "no index": {},
    "a list": {"program.json": b"[]"},
    "a deep list": {"program.json": b"[" * 100_000},
    "no UTF-8": {"program.json": b"\xff"},
    "other types": {"program.json": json.dumps(INDEX | {"train": 3}).encode()},
    "no paths": {"program.json": json.dumps(INDEX | {"paths": ["x"]}).encode()},
    "a path of a number": {"program.json": json.dumps(INDEX | {"paths": {"x": 1}}).encode(), "x.py": b""},
    "no packages": {"program.json": json.dumps(INDEX | {"packages": [[]]}).encode()},
    "no file": {"program.json": json.dumps(INDEX | {"paths": {"x": "x.py"}}).encode()},
    "a bomb": {"program.json": b" " * (80 * 2**20)},
}


@pytest.mark.parametrize("odd", ODD_ARCHIVES)
def test_an_odd_archive_is_refused_in_a_sentence(odd: str) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, content in ODD_ARCHIVES[odd].items():
            archive.writestr(name, content)

    with pytest.raises(StoreError, match=r"code\.zip is damaged"):
        unpack(buffer.getvalue())


ENCODINGS = ["utf-8", "utf-8-sig", "latin-1", "cp1252", "iso-8859-15", "cp1251", "koi8-r", "shift_jis", "rot13"]


@pytest.mark.parametrize("declared", [None, *ENCODINGS, "no-such"])
@pytest.mark.parametrize("written", ["utf-8", "utf-8-sig", "latin-1", "cp1251"])
def test_a_file_is_read_in_the_encoding_that_python_reads_it_in(
    tmp_path: Path, declared: str | None, written: str
) -> None:
    text = "café" if written == "latin-1" else "ёж"
    cookie = "" if declared is None else f"# -*- coding: {declared} -*-\n"
    data = f"{cookie}def train(): return {text!r}\r\n".encode(written, "replace")
    (tmp_path / "exp.py").write_bytes(data)
    namespace: dict[str, Any] = {}
    try:
        exec(compile(data, "exp.py", "exec"), namespace)
    except (SyntaxError, LookupError, ValueError):
        with pytest.raises(SpecError, match=r"exp\.py is not valid Python"):
            program_of_file(tmp_path / "exp.py")
        return

    program = unpack(pack(program_of_file(tmp_path / "exp.py", train="train")))
    assert load_function(program, "train")() == namespace["train"]()


@pytest.mark.parametrize(
    ("source", "sentence"),
    [
        ("def train(:\n", r"is not valid Python \(line 1\)"),
        ("import nowhere_to_be_found\n", r"raised ModuleNotFoundError at import \(line 1\): No module named"),
        ("\n\nraise ValueError('no\\ndata')\n", r"raised ValueError at import \(line 3\): no data"),
        ("raise SystemExit(1)\n", "raised SystemExit at import"),
    ],
)
def test_a_file_that_cannot_be_imported_is_refused_in_one_sentence(tmp_path: Path, source: str, sentence: str) -> None:
    path = tmp_path / "broken.py"
    path.write_text(source)

    with pytest.raises(SpecError, match=sentence) as caught:
        load_file(path)

    assert "\n" not in str(caught.value)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="there is no experiment"):
        load_file(tmp_path / "none.py")


def module_level() -> None:
    """Has a name of its own."""


def test_functions_are_found_by_name_by_variable_and_through_what_holds_them() -> None:
    nameless = lambda config, trial: None  # noqa: E731

    assert entry_of({"module_level": module_level}, module_level) == "module_level"
    assert entry_of({"other": module_level}, module_level) == "other"
    assert entry_of({"f": nameless}, nameless) == "f"
    assert entry_of({"f": 1}, nameless) is None


PLACES = """
try:
    import a1
except ValueError:
    import a2
else:
    import a3
finally:
    import a4
match 3:
    case 3:
        import a5
with open("x") as f:
    for i in f:
        import a6
    else:
        import a7
class C:
    async def f(self):
        async with g():
            while True:
                import a8
                if 3:
                    from a9 import b
"""


def test_imports_are_found_in_every_kind_of_block() -> None:
    assert set(code_snapshot._imports(PLACES, "")) == {*(f"a{n}" for n in range(1, 10)), "a9.b"}
    assert "late" in code_snapshot._imports("x = [import_module('late') for _ in y]", "")
    for file in Path(code_snapshot.__file__).parents[2].rglob("*.py"):  # as a walk of the whole tree finds them
        source = file.read_text()
        whole = code_snapshot._imports(source + "\nimport_module\n", "")
        assert sorted(code_snapshot._imports(source, "")) == sorted(whole), file


def test_what_is_taken_of_several_folders_is_bounded_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(code_snapshot, "MOST_SOURCE", 1500)
    names = {}
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / f"{folder}s.py").write_text("#" * 1000)
        names[tmp_path / folder] = [f"{folder}s"]
        if folder == "one":
            assert set(code_snapshot.program_of_modules(names).files) == {"ones"}
    with pytest.raises(SpecError, match="at most 16 MiB"):
        code_snapshot.program_of_modules(names)
