"""The Ray that a process started stays until its end, for all who want the same; and one that starts early."""

import os
import subprocess
import sys
import tempfile
import textwrap
import time
from pathlib import Path

import psutil
import pytest

pytestmark = pytest.mark.ray

SESSIONS = """
    import os, sys, threading
    from caviar import ClusterError, shutdown
    from caviar.run.executors.ray_session import RaySession, _at_exit, folders, connected

    def node(**wish):
        import ray
        with RaySession(**wish):
            pids.append(ray.get(ray.remote(num_cpus=1)(lambda: os.getpid()).remote()))
            return ray.get_runtime_context().get_node_id()

    pids = []
    first = node(cpus=1)
    same = [node(cpus=1)]
    thread = threading.Thread(target=lambda: same.append(node(cpus=1)))
    thread.start()
    thread.join()
    print("same", {*same} == {first}, len({*pids}))
    if not (child := os.fork()):
        _at_exit()  # it leaves the parent's Ray alone
        os._exit(0)  # Ray's own exit function would wait for ever
    os.waitpid(child, 0)
    print("forked", node(cpus=1) == first)
    nodes = [first, node(cpus=2)]
    os.environ["ASKED_FOR"] = "another"
    nodes.append(node(cpus=2))
    os.chdir("/")
    nodes.append(node(cpus=2))
    sys.path.append("/nowhere")
    nodes.append(node(cpus=2))
    print("others", len({*nodes}) == len(nodes))
    with RaySession(cpus=2):
        try:
            shutdown()
        except ClusterError as error:
            print("in use", error)
    shutdown()
    shutdown()
    print("stopped", not connected())
    try:
        with RaySession(cpus=1):
            raise KeyError
    except KeyError:
        print("after an error", connected())
    with RaySession(cpus=1, keep=False):
        pass
    print("not kept", connected())
    node(cpus=1)
    print(folders[0])
"""


def script(source: str, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", textwrap.dedent(source), *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=100, check=False, start_new_session=True)


def left_of(folder: str) -> list[str]:
    """Processes that have a folder in their command line."""
    found = []
    for process in psutil.process_iter():
        try:
            found += [process.name()] if any(folder in word for word in process.cmdline()) else []
        except psutil.Error:
            continue
    return found


def test_it_is_shared_while_nothing_differs_and_ends_with_the_process() -> None:
    done = script(SESSIONS)
    *told, folder = done.stdout.splitlines() or [""]

    assert told == [
        "same True 1",
        "forked True",
        "others True",
        "in use a sweep of this process runs on the Ray that is to be stopped: wait for its end",
        "stopped True",
        "after an error False",
        "not kept False",
    ], done.stderr
    assert (done.returncode, done.stderr) == (0, "")
    assert not Path(folder).exists()
    assert left_of(folder) == []


KILLED = """
    import os, signal
    from caviar.run.executors.ray_session import RaySession, folders
    with RaySession(cpus=1):
        pass
    print(folders[0], flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_one_that_nobody_uses_ends_with_a_process_that_is_killed() -> None:
    folder = script(KILLED).stdout.strip()
    until = time.monotonic() + 120
    while left_of(folder):
        assert time.monotonic() < until
        time.sleep(0.1)


FAULTY = """
    import time
    {pause}
    raise ValueError("as planned")
"""


@pytest.mark.parametrize("pause", ["", "time.sleep(2)"], ids=["at once", "when Ray runs"])
def test_of_a_file_at_fault_only_its_own_error_is_told_and_nothing_stays(tmp_path: Path, pause: str) -> None:
    file = tmp_path / "faulty.py"
    file.write_text(textwrap.dedent(FAULTY.format(pause=pause)))
    place = tempfile.mkdtemp(prefix="k", dir="/tmp")  # short: there will be sockets in it
    command = [sys.executable, "-c", "from caviar.cli.main import main; main()", "run", str(file)]
    done = subprocess.run(
        [*command, "--store", str(tmp_path / "s")],
        env=os.environ | {"TMPDIR": place},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert done.returncode == 2
    told = [line for line in done.stderr.splitlines() if not line.startswith("[caviar] importing")]
    assert told == [f"caviar: {file} raised ValueError at import (line 4): as planned"]
    assert left_of(place) == []
    os.rmdir(place)


def test_a_run_that_is_terminated_while_its_file_is_imported_leaves_nothing(tmp_path: Path) -> None:
    file = tmp_path / "slow.py"
    file.write_text("import pathlib, time\npathlib.Path(__file__).with_name('begun').touch()\ntime.sleep(60)\n")
    place = tempfile.mkdtemp(prefix="k", dir="/tmp")
    command = [sys.executable, "-c", "from caviar.cli.main import main; main()", "run", str(file)]
    driver = subprocess.Popen(
        [*command, "--store", str(tmp_path / "s"), "-q"],
        env=os.environ | {"TMPDIR": place},
        stderr=subprocess.PIPE,
        text=True,
    )
    until = time.monotonic() + 120
    while not file.with_name("begun").exists():
        assert time.monotonic() < until
        time.sleep(0.05)
    driver.terminate()
    _, told = driver.communicate(timeout=120)

    assert (driver.returncode, told) == (143, "caviar: terminated: nothing was begun\n")
    assert left_of(place) == []
    os.rmdir(place)


EXPERIMENT = """
    # {word}
    import pathlib, time
    from caviar import Sweep
    from caviar.run.executors.ray_session import _started
    seen = pathlib.Path(__file__).with_name("seen")
    if not seen.exists():  # the driver comes first
        until = time.monotonic() + {patience}
        while not _started and time.monotonic() < until:
            time.sleep(0.05)
        seen.write_text(str(len(_started)))
    def train(config, trial):
        return 1.0
    sweep = Sweep(train, space={{"x": [1]}}, metric="loss", trials=1)
"""


@pytest.mark.parametrize(("word", "patience", "started"), [("a comment", 30, "1"), ("it starts its own ray", 1, "0")])
def test_ray_starts_while_a_file_is_imported_that_does_not_speak_of_it(
    tmp_path: Path, word: str, patience: int, started: str
) -> None:
    file = tmp_path / "experiment.py"
    file.write_text(textwrap.dedent(EXPERIMENT.format(word=word, patience=patience)))
    done = script(
        "from caviar.cli.main import main; main()", "run", str(file), "--store", str(tmp_path / "s"), "--json"
    )

    assert done.returncode == 0, done.stderr
    assert file.with_name("seen").read_text() == started
