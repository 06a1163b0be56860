"""The experiment's code finds what it finds when Python alone runs its file: modules, packages, files beside them."""

import pickle
import subprocess
import sys
from pathlib import Path

import pytest

from caviar.spec.code_snapshot import program_of_file
from caviar_workers.load import load_function

FILES = {
    "aide.py": "import late_aide\nVALUE = late_aide.VALUE",
    "late_aide.py": "VALUE = 1",
    "plugin_a.py": "VALUE = 2",
    "models/__init__.py": "import importlib\ndef make(name): return importlib.import_module('models.' + name).VALUE",
    "models/small.py": "from .deep.er import VALUE",
    "models/deep/__init__.py": "",
    "models/deep/er.py": "VALUE = 3",
    "models/conf.yaml": "v: 3",
    "models/template.py": "this is {no} Python",
    "bare/inside.py": "VALUE = 4",
    "bare/data.txt": "text",
    "joblib/hash.py": "raise RuntimeError('a folder hides an installed package')",
    "json/decoder.py": "raise RuntimeError('a folder hides the standard library')",
    "table.csv": "1,2",
}
WAYS = {
    "import": "import aide; return aide.VALUE",
    "import_module": "import importlib; return importlib.import_module('late_aide').VALUE",
    "import_module of a made up name": "import importlib; return importlib.import_module('plugin_' + 'a').VALUE",
    "__import__": "return __import__('plugin_' + chr(97)).VALUE",
    "registry": "import models; return models.make('small')",
    "relative": "import importlib, models; return importlib.import_module('.small', 'models').VALUE",
    "bare folder": "import bare.inside; return bare.inside.VALUE",
    "made up in a bare folder": "import importlib as i, bare.inside; return i.import_module('bare.' + 'inside').VALUE",
    "resources": "import importlib.resources as r; return r.files('models').joinpath('conf.yaml').read_text()",
    "read_text": "import importlib.resources as r, models; return r.files(models).joinpath('conf.yaml').read_bytes()",
    "open": "import importlib.resources as r\n    with (r.files('models') / 'conf.yaml').open() as f: return f.read()",
    "pkgutil": "import pkgutil; return pkgutil.get_data('models', 'conf.yaml')",
    "pkgutil beside a module": "import pkgutil; return pkgutil.get_data('aide', 'table.csv')",
    "walk": "import pkgutil, models; return sorted(m.name for m in pkgutil.iter_modules(models.__path__))",
    "__file__": "from pathlib import Path; return (Path(__file__).parent / 'table.csv').read_text()",
    "installed": "from joblib import hash; return hash(1)",
    "standard library": "import json; return json.dumps(1)",
    "find_spec": "import importlib.util; return importlib.util.find_spec('models.small') is not None",
    "source": "import inspect, aide; return inspect.getsource(aide)",
    "nowhere": "try: import not_there\n    except ModuleNotFoundError as error: return str(error)",
}


def write(folder: Path) -> Path:
    for name, text in FILES.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    functions = [f"def way_{number}():\n    {body}\n" for number, body in enumerate(WAYS.values())]
    calls = ", ".join(f"way_{number}()" for number in range(len(WAYS)))
    path = folder / "experiment.py"
    path.write_text("".join(functions) + f"if __name__ == '__main__':\n    print([{calls}])\n")
    return path


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[object]]:
    """The experiment, and what it finds when Python runs it."""
    path = write(tmp_path_factory.mktemp("home"))
    done = subprocess.run([sys.executable, str(path)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return path, eval(done.stdout)


@pytest.mark.parametrize("way", WAYS)
def test_a_worker_finds_what_is_found_at_home(home: tuple[Path, list[object]], way: str) -> None:
    path, found = home
    number = list(WAYS).index(way)

    assert load_function(program_of_file(path), f"way_{number}")() == found[number]


@pytest.mark.parametrize("way", ["import", "import_module", "registry", "relative", "bare folder"])
def test_what_is_found_by_reading_stays_as_it_was_when_it_was_described(tmp_path: Path, way: str) -> None:
    path = write(tmp_path)
    program = program_of_file(path)
    for file in tmp_path.rglob("*.py"):
        file.write_text("raise RuntimeError('edited')")

    assert load_function(program, f"way_{list(WAYS).index(way)}")() in (1, 3, 4)


def test_the_folder_is_looked_into_last_and_left_with_the_snapshot(tmp_path: Path) -> None:
    from caviar_workers.load import import_apart

    path = write(tmp_path)
    before = list(sys.meta_path)
    import_apart(program_of_file(path))

    assert sys.meta_path == before


@pytest.mark.parametrize(
    "beside", ["caviar.py", "caviar/__init__.py", "caviar_workers.py", "caviar_workers/__init__.py"]
)
def test_a_file_called_like_our_own_packages_hides_none_of_them(tmp_path: Path, beside: str) -> None:
    text = (
        "from caviar import Float, Sweep\nimport caviar.space, caviar_workers.load\ndef train(): return Float(0, 1)\n"
    )
    (tmp_path / beside).parent.mkdir(exist_ok=True)
    (tmp_path / beside).write_text("")
    path = tmp_path / ("caviar.py" if beside == "caviar.py" else "exp.py")
    path.write_text(text)

    program = program_of_file(path, train="train")

    assert list(program.files) == [f"_experiment_{path.stem}"]
    code = "import pickle, sys; from caviar_workers.load import load_function; p = pickle.load(sys.stdin.buffer)\n"
    code += "print(load_function(p, 'train')())"  # where nothing of caviar has been imported, as in a worker
    done = subprocess.run([sys.executable, "-c", code], input=pickle.dumps(program), capture_output=True, check=False)
    assert done.stdout.split() == [b"Float(0.0,", b"1.0)"], done.stderr
