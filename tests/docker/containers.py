"""The image and its containers without an engine: built by buildah, with a network of their own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
import uuid
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..network import Network, why_no_network

ROOT = Path(__file__).resolve().parents[2]
IMAGE = "localhost/caviar:test"
_CERTIFICATES = Path("/etc/ssl/certs")
_BASE = """
rm -f /usr/lib/python3*/EXTERNALLY-MANAGED
ln -sf /usr/bin/python3 /usr/local/bin/python
"""


def why_not() -> str:
    """What is missing for images to be built and run here; empty: nothing."""
    if os.geteuid():
        return "an image is built and run without an engine by root only"
    if lacking := [tool for tool in ("buildah", "mmdebstrap", "ip", "nsenter") if shutil.which(tool) is None]:
        return f"{', '.join(lacking)} is not there: apt install buildah mmdebstrap iproute2 util-linux"
    return why_no_network()


def composed(*options: str, env: Mapping[str, str] | None = None) -> dict[str, Any]:
    """docker/compose.yaml as Docker Compose understands it."""
    compose = Path(sys.executable).with_name("docker-compose")
    return json.loads(
        subprocess.run(
            [compose, "-f", ROOT / "docker" / "compose.yaml", *options, "config", "--format", "json"],
            check=True,
            capture_output=True,
            text=True,
            env={"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/"), **(env or {})},
        ).stdout
    )


@dataclass
class Engine:
    """Builds the image, and runs containers, with everything in one folder.

    Args:
        folder: For images and containers; some 4 GB.
    """

    folder: Path
    _containers: list[str] = field(default_factory=list)

    def buildah(self, *args: str | Path, **how: Any) -> subprocess.CompletedProcess[str]:
        """Run buildah."""
        return subprocess.run([*self._buildah(), *args], check=True, capture_output=True, text=True, **how)

    def _buildah(self) -> list[str | Path]:
        return ["buildah", "--root", self.folder / "images", "--runroot", self.folder / "run"]

    def base(self) -> None:
        """Make what stands for python:3.11-slim: Debian's own Python, with pip."""
        tree = self.folder / "base.tar"
        packages = "python3,python3-pip,python3-venv,ca-certificates"
        subprocess.run(
            ["mmdebstrap", "--quiet", "--variant=minbase", f"--include={packages}", "bookworm", tree],
            check=True,
            capture_output=True,
        )
        container = self.buildah("from", "scratch").stdout.strip()
        self.buildah("add", "--quiet", container, tree, "/")
        self.buildah("run", "--isolation", "chroot", container, "--", "sh", "-c", _BASE)
        for name in ("SSL_CERT_FILE", "PIP_CERT"):  # where this machine's network has a certificate of its own
            if name in os.environ:
                self.buildah("config", "--env", f"{name}={os.environ[name]}", container)
        self.buildah("commit", "--quiet", container, "docker.io/library/python:3.11-slim")
        self.buildah("rm", container)
        tree.unlink()

    def build(self, *options: str) -> None:
        """Build docker/Dockerfile, with more options."""
        given = ["--isolation", "chroot", "--pull-never", "--volume", f"{_CERTIFICATES}:{_CERTIFICATES}:ro", *options]
        self.buildah("bud", *given, "-f", ROOT / "docker" / "Dockerfile", "-t", IMAGE, ROOT)

    def container(self, name: str, *options: str) -> str:
        """Make a container of the image, with more options of `buildah from`."""
        self._containers.append(self.buildah("from", "--pull-never", *options, "--name", name, IMAGE).stdout.strip())
        return self._containers[-1]

    def command(self, container: str, command: Sequence[str], *options: str) -> list[str | Path]:
        """What runs a command in a container."""
        return [*self._buildah(), "run", "--isolation", "chroot", *options, container, "--", *command]

    def remove(self) -> None:
        """Remove all containers, and the images."""
        for container in self._containers:
            self.buildah("rm", container)
        self.buildah("rmi", "--all", "--force")


class Cluster:
    """The services of docker/compose.yaml as containers on a network; for a `with` block.

    Args:
        engine: With the image.
        folder: For the store, the token and what the containers say.
        services: Host → its service in the file.
        idle: Those on which it is not started.
    """

    def __init__(self, engine: Engine, folder: Path, services: Mapping[str, str], idle: Sequence[str] = ()) -> None:
        self._engine, self.folder, self._services = engine, folder, services
        self.store = folder / "store"
        self.network = Network(list(services))
        self._idle = idle
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._containers: dict[str, str] = {}
        self._described = composed()["services"]

    def __enter__(self) -> Cluster:
        self.store.mkdir()
        (self.folder / "sweep").mkdir()  # as a ConfigMap is mounted
        (self.folder / "ray_token").write_text(uuid.uuid4().hex + uuid.uuid4().hex)
        for path in (self.store, self.folder / "ray_token"):
            os.chown(path, 1000, 1000)
            path.chmod(0o700)
        (self.folder / "hosts").write_text(self.network.names())
        with ExitStack() as stack:
            stack.enter_context(self.network)
            for host, service in self._services.items():
                self._containers[host] = self._engine.container(
                    host, "--dns", "127.0.0.1"
                )  # where nobody answers, at once
                if host in self._idle:
                    continue
                self._start(host, self._described[service]["command"])
                self._wait(host, self._described[service]["healthcheck"]["test"][1:])
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()
        for process in self._running.values():
            process.wait()

    def end(self, host: str) -> None:
        """End a host, as a power cut does."""
        self.network.end(host)
        self._running.pop(host).wait()

    def run(self, host: str, *command: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run a command in a container, as docker compose exec does."""
        line = self._line(host, command)
        done = subprocess.run(line, capture_output=True, text=True, check=False, timeout=300)
        assert not check or done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
        return done

    def _start(self, host: str, command: Sequence[str]) -> None:
        with (self.folder / f"{host}.log").open("wb") as log:
            self._running[host] = subprocess.Popen(
                self._line(host, [*command, "--object-store-memory=150000000"]), stdout=log, stderr=log
            )

    def _line(self, host: str, command: Sequence[str]) -> list[str | Path]:
        # Docker's networks have a name server, which gRPC asks rather than /etc/hosts; this one has none.
        environment = self._described[self._services[host]]["environment"] | {"GRPC_DNS_RESOLVER": "native"}
        given = [word for name, value in environment.items() for word in ("--env", f"{name}={value}")]
        given += ["--hostname", host, "--volume", f"{self.store}:/store"]
        given += ["--volume", f"{self.folder / 'ray_token'}:/run/secrets/ray_token:ro"]
        given += ["--volume", f"{self.folder / 'sweep'}:/sweep:ro"]
        given += ["--no-hosts", "--volume", f"{self.folder / 'hosts'}:/etc/hosts:ro"]
        return [*self.network.at(host), *self._engine.command(self._containers[host], command, *given)]

    def _wait(self, host: str, check: Sequence[str]) -> None:
        until = time.monotonic() + 120
        while self.run(host, *check, check=False).returncode:
            said = (self.folder / f"{host}.log").read_text()
            assert self._running[host].poll() is None, f"{host} has ended: {said}"
            assert time.monotonic() < until, f"{host} is not healthy: {said}"
            time.sleep(0.5)
