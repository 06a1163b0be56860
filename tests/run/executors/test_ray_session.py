"""What a Ray session changes in the environment, and gives back; and who shares one."""

import os
import subprocess
import sys
import textwrap
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

from caviar.errors import ClusterError
from caviar.run.executors.inherited import Inherited
from caviar.run.executors.ray_session import RaySession, _start, _started, _Wish, connected
from caviar.run.executors.ray_surroundings import seldom_looking_at_logs

INTERVAL, MANY = "LOG_NAME_UPDATE_INTERVAL_S", "RAY_LOG_MONITOR_MANY_FILES_THRESHOLD"


def test_the_log_monitor_is_told_to_look_seldom_unless_the_user_says_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(INTERVAL, raising=False)
    monkeypatch.setenv(MANY, "7")
    with seldom_looking_at_logs():
        assert (os.environ[INTERVAL], os.environ[MANY]) == ("60", "7")

    assert INTERVAL not in os.environ
    assert os.environ[MANY] == "7"


THREADS = """
    import threading
    import ray
    from caviar.errors import ClusterError
    from caviar.run.executors.ray_session import RaySession, shutdown

    inside, told = threading.Barrier(3), []

    def sweep(number):
        with RaySession():
            inside.wait(60)  # all three are in
            done[number].wait(60)
            told.append(ray.get(ray.remote(num_cpus=0)(lambda: number).remote()))

    done = [threading.Event() for _ in range(2)]
    threads = [threading.Thread(target=sweep, args=[number]) for number in range(2)]
    for thread in threads:
        thread.start()
    inside.wait(60)
    for wish in ({"address": "127.0.0.1:1"}, {"cpus": 977}):
        try:
            RaySession(**wish).__enter__()
        except ClusterError as error:
            told.append("process of its own" in str(error))
    for number, thread in enumerate(threads):
        done[number].set()
        thread.join(60)
    print(told, ray.is_initialized())
    shutdown()
    print(ray.is_initialized())
"""


@pytest.mark.ray
def test_sessions_in_threads_share_one_ray_which_stays() -> None:
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(THREADS)], capture_output=True, text=True, timeout=120, check=False
    )

    assert done.stdout == "[True, True, 0, 1] True\nFalse\n", done.stderr


@pytest.mark.ray
def test_a_session_leaves_a_ray_that_was_there_before_and_takes_no_other(ray: RaySession) -> None:
    import ray as library

    with RaySession() as one, RaySession(address=library.get_runtime_context().gcs_address) as two:
        assert one.resources() == two.resources()
    assert library.is_initialized()
    with pytest.raises(ClusterError, match=r"connected to the Ray at .* already, and a process has one"):
        RaySession(address="192.0.2.2:6401").__enter__()
    assert library.is_initialized()


@pytest.mark.ray
def test_a_ray_that_cannot_start_is_one_sentence_that_names_what_it_said() -> None:
    script = "import ray; from caviar.run.executors.ray_session import RaySession as S\ntry: S().__enter__()\n"
    script += "except Exception as e: print(type(e).__name__, e)"
    command = [sys.executable, "-c", script]
    impatient = {"RAY_gcs_server_port_wait_time_s": "0"}  # no server is there at once
    done = subprocess.run(command, env=os.environ | impatient, capture_output=True, text=True, check=True)

    assert done.stderr == ""
    assert done.stdout.startswith("ClusterError cannot start Ray here, twice: ")
    assert done.stdout.count("\n") == 1


def test_a_start_that_fails_once_is_tried_again(capfd: pytest.CaptureFixture[str]) -> None:
    tried: list[str] = []

    def init(**_: object) -> None:
        os.write(2, b"[C++] E a raylet gave up\n")
        tried.append("init")
        if len(tried) == 1:
            raise RuntimeError("the raylet gave up")

    nodes = SimpleNamespace(ENABLE_RAY_CLUSTER=True)
    private = SimpleNamespace(ray_constants=nodes)
    ray = SimpleNamespace(__version__="0.0", init=init, shutdown=lambda: tried.append("shutdown"), _private=private)
    _start(ray, _Wish(None, 1, None), Inherited.now())
    _started.clear()

    assert tried == ["init", "shutdown", "init"]
    assert "raylet" not in capfd.readouterr().err
    hopeless = SimpleNamespace(**vars(ray) | {"init": lambda **_: (tried.clear(), init())})
    with pytest.raises(ClusterError, match=r"the raylet gave up; all that it said is in (\S+); see") as caught:
        _start(hopeless, _Wish(None, 1, None), Inherited.now())
    log = Path(str(caught.value).partition("is in ")[2].partition(";")[0])
    assert log.read_text().count("a raylet gave up") == 2
    log.unlink()


@pytest.mark.ray
@pytest.mark.nightly
@pytest.mark.timeout(200)
def test_a_package_that_imports_for_long_in_every_process_does_not_keep_ray_from_starting(tmp_path: Path) -> None:
    (tmp_path / "rfc3987_syntax.py").write_text("import time; time.sleep(20)\n")  # jsonschema imports it, if it can
    script = "from caviar.run.executors.ray_session import RaySession as S\nwith S(): print('started')"
    command = [sys.executable, "-c", script]
    done = subprocess.run(
        command, env=os.environ | {"PYTHONPATH": str(tmp_path)}, capture_output=True, text=True, check=True
    )

    assert (done.stdout, done.stderr) == ("started\n", "")


def test_a_ray_that_another_thread_is_importing_is_none_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", ModuleType("ray"))

    assert not connected()
