"""The user's modules, wherever Python finds them and by whichever way they are reached, are part of the experiment."""

import importlib
import runpy
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from caviar.cli.experiment_file import load
from caviar.errors import SpecError
from caviar.spec.code_snapshot import program_of_file
from caviar.spec.code_today import unchanged
from caviar.spec.user_modules import folder_elsewhere
from caviar.sweep import Sweep
from caviar_workers import load as loading
from caviar_workers.load import load_function
from caviar_workers.messages import Program

PLAIN = "import lib.inner.conf"
WAYS = {  # at the top of the file, and what train does
    "attributes": (PLAIN, "return lib.inner.conf.RATE"),
    "as": ("import lib.inner.conf as c", "return c.RATE"),
    "from": ("from lib.inner import conf", "return conf.RATE"),
    "a package that is handed on": (f"{PLAIN}\ndef pick(m): return m.inner.conf.RATE", "return pick(lib)"),
    "a package in a variable": (PLAIN, "inner = lib.inner; return inner.conf.RATE"),
    "a package in a container": (f"{PLAIN}\nALL = [lib]", "return ALL[0].inner.conf.RATE"),
    "getattr": (PLAIN, "return getattr(getattr(lib, 'inner'), 'conf').RATE"),
    "by a function of the package": ("import lib", "return lib.rate()"),
    "by a registry": ("import lib", "return lib.find('conf').RATE"),
    "late": ("", "import lib.inner.conf\n    return lib.inner.conf.RATE"),
    "late, another part": ("import lib.inner.conf", "import lib.other\n    return lib.inner.conf.RATE"),
    "late as": ("", "import lib.inner.conf as c\n    return c.RATE"),
    "late from": ("", "from lib.inner import conf\n    return conf.RATE"),
    "late from the module": ("", "from lib.inner.conf import RATE\n    return RATE"),
    "late, within": ("", "import lib.inner.conf\n    return (lambda: lib.inner.conf.RATE)()"),
    "import_module": ("", "import importlib; return importlib.import_module('lib.inner.conf').RATE"),
    "import_module, made up": ("", "import importlib; return importlib.import_module('lib.inner.' + str('conf')).RATE"),
    "import_module by itself": (
        "",
        "from importlib import import_module as im; return im('lib.inner.' + str('conf')).RATE",
    ),
    "import_module at the top": ("find = importlib.import_module", "return find('lib.inner.' + str('conf')).RATE"),
    "__import__": ("", "return __import__('lib.inner.' + str('conf'), fromlist=['RATE']).RATE"),
    "resolve_name": ("import pkgutil", "return pkgutil.resolve_name('lib.inner.conf:RATE')"),
    "__import__ of a text": ("", "return __import__('lib.inner.conf').inner.conf.RATE"),
    "sys.modules": ("", "return sys.modules['lib.inner.' + str('conf')].RATE"),
    "sys.modules, late": ("", "import sys as s; return s.modules['lib.inner.' + str('conf')].RATE"),
    "modules": ("from sys import modules as them", "return them['lib.inner.' + str('conf')].RATE"),
    "round a library's function": (
        f"{PLAIN}, functools, statistics\ndef deco(f):\n    @functools.wraps(f)\n"
        "    def inner(*a): return lib.inner.conf.RATE\n    return inner\nmean = deco(statistics.mean)",
        "return mean([1])",
    ),
}
FILES = {
    "lib/__init__.py": """
        import importlib
        def rate():
            from .inner import conf
            return conf.RATE
        def find(name): return importlib.import_module("lib.inner." + name)
    """,
    "lib/inner/__init__.py": "",
    "lib/inner/conf.py": "RATE = 1",
    "lib/other.py": "SEEN = 1",
}
HEAD = "import importlib, sys\nfrom caviar import Sweep\n"
SWEEP = "sweep = Sweep(train, space={'x': [1, 2]}, metric='m')\n"


def write(folder: Path, top: str, body: str) -> Path:
    for name, text in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(textwrap.dedent(text))
    path = folder.parent / "code" / "exp.py" if folder.name != "code" else folder / "exp.py"
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"{HEAD}{top}\ndef train(config, trial):\n    {body}\n{SWEEP}")
    return path


def forget() -> None:
    if loading._installed is not None:
        loading._installed.forget()
        loading._installed = None
    for name in [name for name in sys.modules if name.partition(".")[0] == "lib"]:
        del sys.modules[name]
    importlib.invalidate_caches()


@pytest.fixture(params=["code", "src"])
def script(request: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Program]]:
    """Runs a script as Python does, whose package lies beside it or elsewhere; returns its program."""
    monkeypatch.syspath_prepend(str(tmp_path / "code"))
    if request.param == "src":
        monkeypatch.syspath_prepend(str(tmp_path / "src"))

    def run(top: str, body: str, main: str) -> Program:
        path = write(tmp_path / request.param, top, body)
        main = f"import lib.inner.conf, lib.other; {main}; check(sweep)"
        path.write_text(f"{path.read_text()}if __name__ == '__main__': {main}\n")
        found: list[Program] = []

        def check(sweep: Sweep) -> None:
            found.append(sweep.program)

        forget()
        runpy.run_path(str(path), init_globals={"check": check}, run_name="__main__")
        return found[0]

    yield run
    forget()


@pytest.mark.parametrize("way", WAYS)
def test_what_was_changed_there_is_refused_and_what_was_not_travels(script: Any, tmp_path: Path, way: str) -> None:
    with pytest.raises(SpecError, match=r"is not what it is .* train_args"):
        script(*WAYS[way], "lib.inner.conf.RATE = 9")

    program = script(*WAYS[way], "pass")
    if not program.functions:  # who may read any module reads the names that this script has beside
        assert in_a_worker(program, tmp_path) == 1


def in_a_worker(program: Program, home: Path) -> Any:
    """What train gives after all files were edited."""
    forget()
    for file in home.rglob("lib/**/*.py"):
        file.write_text("raise RuntimeError('edited')")
    return load_function(program, program.train)({}, None)


@pytest.mark.parametrize("way", ["attributes", "as", "from", "late", "late as", "late from", "import_module"])
def test_what_train_does_not_read_may_differ(script: Any, way: str) -> None:
    assert not script(*WAYS[way], "lib.other.SEEN = 9; lib.inner.SEEN = 9").functions


def test_a_file_may_say_itself_where_else_its_modules_lie(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    forget()
    monkeypatch.setattr(sys, "path", list(sys.path))
    top = f"sys.path.insert(0, {str(tmp_path / 'src')!r})\n{PLAIN}"
    program = load(str(write(tmp_path / "src", top, "return lib.inner.conf.RATE"))).program

    assert {"lib", "lib.inner.conf"} <= set(program.files)
    assert in_a_worker(program, tmp_path) == 1


@pytest.mark.parametrize(
    ("files", "found"),
    [
        (["pkg/__init__.py"], True),
        (["pkg/sub/mod.py"], True),
        (["pkg.py"], True),
        ([], False),
        (["pkg/__init__.py", "pkg-1.0.dist-info/RECORD"], False),
        (["pkg/__init__.py", "pkg/fast.abi3.so"], False),
        (["pkg/__init__.py", "pkg/sub/__init__.py", "pkg/sub/fast.so"], False),
        (["pkg/__init__.py", "pkg/huge.py"], False),
        (["site-packages/pkg/__init__.py"], False),
    ],
)
def test_what_was_installed_or_cannot_be_imported_twice_is_not_the_user_s(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, files: list[str], found: bool
) -> None:
    for name in files:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("#" * 3_000_000 if "huge" in name else "")
    monkeypatch.syspath_prepend(str(tmp_path / "site-packages" if "site-" in str(files) else tmp_path))

    assert folder_elsewhere("pkg") == (tmp_path if found else None)


def test_no_installed_package_is_the_user_s() -> None:
    for name in ("json", "sys", "numpy", "caviar", "caviar_workers", "pytest", "no_such_module", "", "a-b"):
        assert folder_elsewhere(name) is None, name


@pytest.mark.parametrize("changed", [False, True])
@pytest.mark.parametrize(
    "body",
    [pytest.param("return lib.rate()", marks=pytest.mark.nightly), "import lib.inner.conf as c; return c.RATE"],
)
def test_those_that_a_notebook_uses_are_part_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, body: str, changed: bool
) -> None:
    forget()
    write(tmp_path / "src", "", "pass")
    (tmp_path / "src" / "idle.py").write_text("")
    monkeypatch.syspath_prepend(str(tmp_path / "src"))
    monkeypatch.syspath_prepend(str(tmp_path))
    cell: dict[str, Any] = {"__name__": "__main__"}
    exec(f"import idle, lib, lib.inner.conf\ndef train(config, trial):\n    {body}", cell)
    try:
        sweep = Sweep(cell["train"], space={"x": [1, 2]}, metric="m")
        if changed:
            cell["lib"].inner.conf.RATE = 9
            with pytest.raises(SpecError, match=r"lib\.inner\.conf\S* is not what it is"):
                _ = sweep.program
        else:
            assert {"lib", "lib.inner.conf"} <= set(sweep.program.files)
            assert "idle" not in sweep.program.files
    finally:
        sys.modules.pop("idle", None)
        forget()


@pytest.mark.parametrize("edited", [False, True])
def test_resume_looks_where_they_were(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, edited: bool) -> None:
    forget()
    path = write(tmp_path / "src", PLAIN, "return lib.inner.conf.RATE")
    with monkeypatch.context() as there:
        there.syspath_prepend(str(tmp_path / "src"))
        stored = load(str(path)).program
    forget()
    if edited:
        (tmp_path / "src/lib/inner/conf.py").write_text("RATE = 2")

    assert unchanged(stored, program_of_file(path)) is not edited
