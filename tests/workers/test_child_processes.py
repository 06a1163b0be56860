"""Processes that train starts afresh import the experiment's modules, as they do when Python runs its file."""

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from caviar_workers.child_processes import show_to_children
from caviar_workers.messages import Program

EXPERIMENT = """
    import multiprocessing as mp
    import beside, package.inner

    if __name__ == "__main__":
        raise RuntimeError("this file is no script here")

    class Thing:
        def __init__(self, x): self.x = x
        def __call__(self, y): return Thing(self.x + y)

    def square(x): return x * x

    def work(pool_map):
        made = pool_map(Thing(1), [1, 2])
        found = [*pool_map(square, [1, 2, 3]), *pool_map(beside.twice, [5]), *pool_map(package.inner.thrice, [5])]
        return found + [type(one) is Thing and one.x for one in made]

    def train(config, trial):
        if config["how"] == "loky":
            from joblib import Parallel, delayed
            print(work(lambda f, items: Parallel(n_jobs=2)(delayed(f)(one) for one in items)))
        else:
            with mp.get_context(config["how"]).Pool(1) as pool:
                print(work(pool.map))
        trial.report(0, loss=1.0)
"""
DRIVER = """
    import sys
    from pathlib import Path
    import pyarrow as pa
    from caviar.spec.code_snapshot import program_of_file
    from caviar_workers.lease import run_lease
    from caviar_workers.messages import Lease

    def main(path, how):
        program = program_of_file(Path(path), train="train")
        for file in Path(path).parent.rglob("*.py"):
            file.write_text("raise RuntimeError('edited')")
        lease = Lease(id=0, sweep="s", metric="loss", trials=(0,), attempts=(0,), seeds=(0,), configs={"how": (how,)})
        batches = list(run_lease(program, lease))
        for part, column in (("logs", "text"), ("attempts", "error")):
            for data in filter(None, (getattr(batch, part) for batch in batches)):
                print(*filter(None, pa.ipc.open_stream(data).read_all()[column].to_pylist()), end="")

    if __name__ == "__main__":
        main(*sys.argv[1:])
"""


@pytest.mark.parametrize("how", ["spawn", "loky", pytest.param("forkserver", marks=pytest.mark.nightly)])
def test_pools_of_every_kind_find_the_experiment_s_functions_as_they_were(tmp_path: Path, how: str) -> None:
    (tmp_path / "code" / "package").mkdir(parents=True)
    path = tmp_path / "code" / "experiment.py"
    path.write_text(textwrap.dedent(EXPERIMENT))
    (tmp_path / "code" / "beside.py").write_text("def twice(x): return 2 * x")
    (tmp_path / "code" / "package" / "__init__.py").write_text("")
    (tmp_path / "code" / "package" / "inner.py").write_text("def thrice(x): return 3 * x")
    driver = tmp_path / "driver.py"
    driver.write_text(textwrap.dedent(DRIVER))

    done = subprocess.run(
        [sys.executable, str(driver), str(path), how], capture_output=True, text=True, timeout=120, check=False
    )

    assert done.stdout == "[1, 4, 9, 10, 15, 2, 3]\n", done.stderr


def test_functions_that_were_sent_let_children_find_what_was_beside_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr("sys.path", [*sys.path])
    files = {"beside": (str(tmp_path / "beside.py"), "def twice(x): return 2 * x")}
    show_to_children(Program(digest="d", train="train", functions={"train": print}, files=files))
    code = "import sys; sys.path.insert(0, sys.argv[1]); import beside; print(beside.twice(4))"

    done = subprocess.run([sys.executable, "-c", code, sys.path[0]], capture_output=True, text=True, check=False)
    show_to_children(Program(digest="none", train=""))

    assert done.stdout == "8\n", done.stderr
