"""A network of hosts on this machine, each in namespaces of its own: what cannot be told from several machines."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
import uuid
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import pytest


def why_no_network() -> str:
    """What is missing for a network of hosts here; empty: nothing."""
    if os.geteuid():
        return "hosts in namespaces are made by root only"
    if lacking := [tool for tool in ("ip", "nsenter", "unshare") if shutil.which(tool) is None]:
        return f"{', '.join(lacking)} is not there: apt install iproute2 util-linux"
    made = subprocess.run(
        ["unshare", "--net", "--mount", "--uts", "--pid", "--fork", "true"], capture_output=True, check=False
    )
    return "" if made.returncode == 0 else "this machine allows no namespaces"


_WHY_NOT = why_no_network()
ON_A_NETWORK = pytest.mark.skipif(bool(_WHY_NOT), reason=f"a network of hosts cannot be made here: {_WHY_NOT}")
"""Mark of tests that need one: only root on Linux may make hosts, and some machines forbid it to root too."""


class Network:
    """A switch, and hosts at 10.77.0.2 and on, none of which sees the machine's own network; for a `with` block.

    Args:
        hosts: Their names.
    """

    def __init__(self, hosts: Sequence[str]) -> None:
        self._name = f"caviar-{uuid.uuid4().hex[:6]}"
        self.hosts = {host: f"10.77.0.{number}" for number, host in enumerate(hosts, 2)}

    def __enter__(self) -> Network:
        switch = f"{self._name}-switch"
        _ip("netns", "add", switch)
        _ip("-n", switch, "link", "add", "switch", "type", "bridge")
        _ip("-n", switch, "link", "set", "switch", "up")
        for host, address in self.hosts.items():
            there, cable = self._space(host), f"to-{address.rpartition('.')[2]}"
            _ip("netns", "add", there)
            _ip("-n", switch, "link", "add", cable, "type", "veth", "peer", "name", "eth0", "netns", there)
            _ip("-n", switch, "link", "set", cable, "master", "switch", "up")
            _ip("-n", there, "address", "add", f"{address}/24", "dev", "eth0")
            for link in ("eth0", "lo"):
                _ip("-n", there, "link", "set", link, "up")
            _ip("-n", there, "route", "add", "default", "via", "10.77.0.1")  # to nobody; Ray asks which way is out
        return self

    def __exit__(self, *_: object) -> None:
        for host in self.hosts:
            self.end(host)
        for name in (*map(self._space, self.hosts), f"{self._name}-switch"):
            subprocess.run(["ip", "netns", "delete", name], check=False, capture_output=True)

    def end(self, host: str) -> None:
        """Kill all processes of a host at once, as a power cut does."""
        while pids := self.pids(host):
            for pid in pids:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            time.sleep(0.1)

    def pids(self, host: str) -> list[int]:
        """The processes of a host, by the numbers that they have here."""
        listed = ["ip", "netns", "pids", self._space(host)]
        return [int(pid) for pid in subprocess.run(listed, capture_output=True, text=True, check=False).stdout.split()]

    def at(self, host: str) -> list[str]:
        """What a command begins with, to run on this host."""
        return ["nsenter", f"--net=/run/netns/{self._space(host)}"]  # ip would hide from it where images are mounted

    def names(self) -> str:
        """The hosts as lines of /etc/hosts."""
        return "127.0.0.1 localhost\n" + "".join(f"{address} {host}\n" for host, address in self.hosts.items())

    def _space(self, host: str) -> str:
        return f"{self._name}-{host}"


def _ip(*args: str) -> None:
    subprocess.run(["ip", *args], check=True, capture_output=True)


_BOOT = """
hostname "$HOST_NAME" && mount --make-rprivate / &&
mount -t tmpfs tmpfs /mnt && mount -t tmpfs -o size=512m tmpfs /dev/shm &&
mkdir /mnt/home && cd /mnt/home && echo "$HOSTS" >/mnt/hosts && mount --bind /mnt/hosts /etc/hosts && exec "$@"
"""


class Machine:
    """A host that runs: its processes see its own network, name, process numbers and temporary files.

    Args:
        network: Whose host it is.
        host: Its name.
        command: Its first process; when that ends, so do all others.
        variables: Of its processes, beside what a shell of its own would set.
        log: What it says goes there.
    """

    def __init__(
        self, network: Network, host: str, command: Sequence[str | Path], variables: Mapping[str, str], log: Path
    ) -> None:
        self._network, self.host, self._log = network, host, log
        self.variables = {
            **variables,
            "HOST_NAME": host,
            "HOSTS": network.names(),
            "TMPDIR": "/mnt",
            "HOME": "/mnt/home",
        }
        unshare = ["unshare", "--mount", "--uts", "--pid", "--fork", "--kill-child", "--mount-proc"]
        with log.open("ab") as said:
            self._process = subprocess.Popen(
                [*network.at(host), *unshare, "sh", "-c", _BOOT, "boot", *command],
                env=self.variables,
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
                start_new_session=True,
            )
        self._first = self._booted()

    def lives(self) -> bool:
        """Whether its first process does."""
        return self._process.poll() is None

    def inside(self) -> list[str]:
        """What a command begins with, to run on it as one of its processes."""
        return ["nsenter", "--all", f"--target={self._first}", "--wdns=/mnt/home"]

    def _booted(self) -> int:
        """Wait until it is on; returns its first process, by the number that it has here."""
        until = time.monotonic() + 120
        at = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children")
        while not (children := at.read_text().split()) or b"boot" in Path(f"/proc/{children[0]}/cmdline").read_bytes():
            assert self._process.poll() is None, self.said()
            assert time.monotonic() < until, f"{self.host} does not start: {self.said()}"
            time.sleep(0.05)
        return int(children[0])

    def said(self) -> str:
        """What its first process has said."""
        return self._log.read_text(errors="replace")

    def cut_power(self) -> None:
        """End all of its processes at once."""
        self._network.end(self.host)
        self.off()

    def off(self) -> None:
        """Wait until it is off."""
        self._process.wait(timeout=20)
