"""Joining a cluster: which addresses can be, and one sentence for all that can be wrong, with what to type."""

import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import HTTPServer, SimpleHTTPRequestHandler
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest

from caviar.errors import ClusterError
from caviar.run.executors import cluster_probe
from caviar.run.executors.cluster_probe import check_address, knock
from caviar.run.executors.ray_session import RaySession

WRONG = [
    "",
    "localhost",
    "local",
    "10.0.0.1",
    "a b",
    "h:",
    ":6379",
    "h:0",
    "h:65536",
    "h:x",
    "::1",
    "[::1]",
    "h:1:2",
    "-1",
]


@pytest.mark.parametrize("address", ["auto", "127.0.0.1:6379", "head.example.org:1", "[::1]:6379", "my_host:65535"])
def test_an_address_is_auto_or_a_host_and_a_port(address: str) -> None:
    check_address(address)


@pytest.mark.parametrize("address", WRONG)
def test_any_other_form_is_refused_with_the_right_one(address: str) -> None:
    with pytest.raises(ClusterError, match=r"host:port, such as .*:6379, or auto, but got"):
        check_address(address)


@pytest.mark.parametrize("address", ["ray://h:10001", "http://127.0.0.1:8265", "https://h"])
def test_addresses_of_other_servers_are_known_as_such(address: str) -> None:
    with pytest.raises(ClusterError, match=r"give --address host:port"):
        check_address(address)


def test_of_several_clusters_ray_says_nothing_itself(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    import ray
    from ray._private import services

    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    monkeypatch.setattr(services, "find_gcs_addresses", lambda: {"127.0.0.1:1", "127.0.0.1:2"})
    monkeypatch.setattr(services, "find_bootstrap_address", lambda _: "127.0.0.1:2")
    logger, before = services.logger, services.logger.level
    logger.setLevel("WARNING")
    try:
        assert cluster_probe._found(ray).endswith(":2")
    finally:
        logger.setLevel(before)
    assert cluster_probe.clusters_here() == 2
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]", "no-such-host.invalid"])
def test_where_nothing_listens_it_says_so(host: str) -> None:
    raylet = SimpleNamespace()
    with pytest.raises(ClusterError, match=r"cannot reach the Ray cluster at .*nothing listens there"):
        knock(SimpleNamespace(_raylet=raylet), f"{host}:1")


DRIVER = """
import sys
import threading
from caviar.errors import ClusterError
from caviar.run.executors.ray_session import RaySession
try:
    with RaySession(address=sys.argv[1]) as session:
        import ray
        print(ray.get(ray.remote(num_cpus=0)(lambda: "joined").remote(), timeout=120))
except ClusterError as error:
    print(error)
"""


def joined(address: str, home: Path, **env: str) -> str:
    """What a process says that joins; nothing may be written to stderr."""
    mine = {name: value for name, value in os.environ.items() if not name.startswith("RAY_AUTH")}
    command = [sys.executable, "-c", DRIVER, address]
    done = subprocess.run(
        command, env={**mine, "HOME": str(home), **env}, capture_output=True, text=True, timeout=150, check=False
    )
    assert done.stderr == ""
    return done.stdout


@pytest.mark.parametrize("given", [True, False])
def test_what_auto_has_found_is_said_to_be_so(monkeypatch: pytest.MonkeyPatch, given: bool) -> None:
    import ray

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    if given:
        monkeypatch.setenv("RAY_ADDRESS", address)
    else:
        monkeypatch.delenv("RAY_ADDRESS", raising=False)
        services = "ray._private.services.canonicalize_bootstrap_address"
        monkeypatch.setattr(services, lambda *_, **__: address)  # as the file of a Ray that is gone says
    where = "RAY_ADDRESS" if given else "the file in which Ray left it"
    with pytest.raises(ClusterError) as told:
        knock(ray, "auto")
    assert str(told.value) == (
        f"auto means the Ray cluster at {address}, by {where}, but nothing listens there: give --address host:port, as "
        "ray start --head printed it"
    )


@pytest.mark.ray
def test_a_cluster_that_asks_for_a_token_says_what_to_type(ray: RaySession, tmp_path: Path) -> None:
    from ray import get_runtime_context

    said = joined(get_runtime_context().gcs_address, tmp_path)
    assert "asks for a token: type export RAY_AUTH_MODE=token, and export RAY_AUTH_TOKEN=TOKEN" in said


LOOK = """
import sys
import threading
import ray
from caviar.errors import ClusterError
from caviar.run.executors import cluster_probe as joining
try:
    joining._has_token(ray)
except ClusterError as error:
    print(error)
"""


@pytest.mark.parametrize("content", [None, "", " \n"])
def test_a_token_s_file_that_holds_none_is_named(tmp_path: Path, content: str | None) -> None:
    """In a process of its own: where Ray runs already, its threads would end the process for want of a token."""
    path = tmp_path / "token"
    if content is not None:
        path.write_text(content)
    mine = {name: value for name, value in os.environ.items() if not name.startswith("RAY_AUTH")}
    env = mine | {"RAY_AUTH_TOKEN_PATH": str(path)}
    said = subprocess.run([sys.executable, "-c", LOOK], env=env, capture_output=True, text=True, check=True).stdout
    assert f"names '{path}', which cannot be read or is empty: name a file" in said


Head = Callable[..., str]


@pytest.fixture
def head(tmp_path: Path) -> Iterator[Head]:
    """Starts `ray start --head` on 127.0.0.1, as a user does; ends what it started."""
    started: list[subprocess.Popen[bytes]] = []

    def start(**env: str) -> str:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        words = ["start", "--head", "--block", f"--port={port}", "--num-cpus=1", "--include-dashboard=false"]
        words += ["--disable-usage-stats", "--node-ip-address=127.0.0.1", "--min-worker-port=0", "--max-worker-port=0"]
        words += [f"--temp-dir=/tmp/caviar-{port}"]
        command = [str(Path(sys.executable).with_name("ray")), *words]
        mine = {"RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0", "HOME": str(tmp_path), **env}
        started.append(subprocess.Popen(command, env=os.environ | mine, stdout=subprocess.PIPE))
        out = started[-1].stdout
        assert out is not None
        assert any(b"--block" in line for line in out), "ray start ended"
        return f"127.0.0.1:{port}"

    yield start
    for process in started:
        below = psutil.Process(process.pid).children(recursive=True)
        process.terminate()
        process.communicate()
        for one in psutil.wait_procs(below, timeout=10)[1]:
            one.kill()


TOKEN, OTHER = "a" * 64, "b" * 64
WITH, WRONG_ONE = (
    {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": TOKEN},
    {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": OTHER},
)


@pytest.mark.ray
@pytest.mark.nightly
@pytest.mark.timeout(600)
def test_every_meeting_of_a_driver_and_a_cluster_with_and_without_a_token(head: Head, tmp_path: Path) -> None:
    plain, guarded = head(RAY_AUTH_MODE="disabled"), head(**WITH)

    def auto(address: str, **env: str) -> str:
        return joined("auto", tmp_path, RAY_ADDRESS=address, **env)

    assert joined(plain, tmp_path) == "joined\n"
    assert joined(plain, tmp_path, RAY_AUTH_TOKEN=TOKEN) == "joined\n"
    assert "has no token" in joined(plain, tmp_path, **WITH)
    assert auto(plain, RAY_AUTH_TOKEN=TOKEN) == "joined\n", "as it was found to have no token"
    assert joined(guarded, tmp_path, **WITH) == "joined\n"
    assert "does not take the token in RAY_AUTH_TOKEN" in joined(guarded, tmp_path, **WRONG_ONE)
    assert joined(guarded, tmp_path, RAY_AUTH_TOKEN=TOKEN).endswith("type export RAY_AUTH_MODE=token\n")
    assert "this machine has no token" in joined(guarded, tmp_path, RAY_AUTH_MODE="token")
    lost = str(tmp_path / "no-such-file")
    for mode in ({}, {"RAY_AUTH_MODE": "token"}):
        assert "RAY_AUTH_TOKEN_PATH names" in joined(guarded, tmp_path, RAY_AUTH_TOKEN_PATH=lost, **mode)
    assert auto(guarded, RAY_AUTH_TOKEN=TOKEN) == "joined\n", "as Ray itself does"
    assert "asks for a token" in auto(guarded)


@pytest.mark.ray
def test_who_listens_but_is_no_ray_is_known_as_such(monkeypatch: pytest.MonkeyPatch) -> None:
    import ray

    monkeypatch.setattr(cluster_probe, "_asked", lambda *_: TimeoutError())
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        pytest.raises(ClusterError, match="does not answer as a Ray"),
    ):
        knock(ray, f"127.0.0.1:{server.getsockname()[1]}")


@pytest.mark.ray
@pytest.mark.nightly
@pytest.mark.timeout(200)
def test_a_real_server_that_is_no_ray(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        said = joined(f"127.0.0.1:{server.getsockname()[1]}", tmp_path)
    assert "does not answer as a Ray cluster does" in said


@pytest.mark.ray
def test_a_web_server_is_known_as_such(monkeypatch: pytest.MonkeyPatch) -> None:
    """The dashboard's port in the place of the head's is what people give first."""
    import ray

    monkeypatch.setattr(cluster_probe, "_asked", lambda *_: TimeoutError())
    with HTTPServer(("127.0.0.1", 0), SimpleHTTPRequestHandler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        with pytest.raises(ClusterError, match=r"a web server listens at .*\(6379, unless --port said otherwise\)"):
            knock(ray, f"127.0.0.1:{server.server_port}")
        server.shutdown()
        thread.join()


@pytest.mark.ray
def test_a_machine_that_is_no_node_is_told_so(ray: RaySession, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a process of its own Ray's client would wait, and end it with a C++ trace."""
    import ray as library

    address = library.get_runtime_context().gcs_address
    cluster_probe._need_node(library, address)
    monkeypatch.setattr(cluster_probe, "is_here", lambda _: False)
    with pytest.raises(ClusterError, match=r"no node of the Ray cluster at .*: type the same on .*, or submit it"):
        cluster_probe._need_node(library, address)


@pytest.mark.parametrize(
    ("address", "here"), [("127.0.0.1", True), ("::1", socket.has_ipv6), ("192.0.2.1", False), ("no address", False)]
)
def test_a_computers_own_addresses_are_known(address: str, here: bool) -> None:
    assert cluster_probe.is_here(address) == here
