"""Ray clusters of hosts in namespaces of their own, with a bucket, and a laptop that is no node."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import psutil

from ..network import Machine, Network

TOKEN = "0123456789abcdef" * 4
S3 = Path(__file__).parents[1] / "s3" / "s3_server.py"
HOSTS = ("bucket", "laptop", "head", "one", "two", "new-head", "new-one", "new-two")
STORE = "s3://bucket/sweeps"


def end(process: subprocess.Popen[str]) -> None:
    """Kill a command that runs on a host: what was started here, and its child there."""
    if process.poll() is None:
        for one in [*psutil.Process(process.pid).children(recursive=True), process]:
            one.kill()
    if process.stdout is not None and not process.stdout.closed:
        process.communicate()


def wait_until(holds: Callable[[], bool], seconds: float = 120.0) -> None:
    """Wait for something."""
    until = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < until, "it took too long"
        time.sleep(0.3)


class Hosts:
    """The hosts that run; for a `with` block.

    Args:
        programs: The folder of Ray's and Caviar's programs.
        folder: For what the hosts say.
        variables: Of all processes, beside those that all tests set.
    """

    def __init__(self, programs: Path, folder: Path, **variables: str) -> None:
        self.network = Network(HOSTS)
        self._programs, self._folder = programs, folder
        self.machines: dict[str, Machine] = {}
        self._variables = {
            "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
            "RAY_AUTH_MODE": "token",
            "RAY_AUTH_TOKEN": TOKEN,
            "RAY_USAGE_STATS_ENABLED": "0",
            "RAY_health_check_period_ms": "500",  # a dead node is to be noticed within seconds
            "RAY_health_check_initial_delay_ms": "5000",
            "RAY_health_check_timeout_ms": "3000",
            "RAY_health_check_failure_threshold": "4",
            "AWS_ACCESS_KEY_ID": "somebody",
            "AWS_SECRET_ACCESS_KEY": "open-sesame-4f1c9d2e7b60",
            "AWS_REGION": "us-east-1",
            "AWS_ENDPOINT_URL": f"http://{self.network.hosts['bucket']}:5000",
            "AWS_ALLOW_HTTP": "true",
            "AWS_EC2_METADATA_DISABLED": "true",
            "OPENBLAS_NUM_THREADS": "1",
            **variables,
        }

    def __enter__(self) -> Hosts:
        with ExitStack() as stack:
            stack.enter_context(self.network)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()
        for machine in self.machines.values():
            machine.off()

    def bucket(self) -> None:
        """Start the host with the bucket, and the laptop."""
        self.start("bucket", sys.executable, S3, "0.0.0.0", "5000")
        self.start("laptop", "sleep", "infinity")
        put = "import http.client as h; c = h.HTTPConnection('bucket', 5000); c.request('PUT', '/bucket')"
        wait_until(lambda: self.run("laptop", "python", "-c", f"{put}; c.getresponse()").returncode == 0)

    def start(self, host: str, *command: str | Path) -> Machine:
        """Switch a host on."""
        log = self._folder / f"{host}.log"
        self.machines[host] = Machine(self.network, host, command, self._variables, log)
        return self.machines[host]

    def cluster(self, head: str, *workers: str, cpus: int = 2, job_server: bool = True) -> None:
        """Start a Ray cluster: a head that trains nothing, and workers, and wait until all are there.

        Args:
            head: Its host.
            workers: Theirs.
            cpus: Of each of these.
            job_server: Whether the head has one.
        """
        ip = self.network.hosts
        same = ["--object-store-memory=100000000", "--temp-dir=/mnt/ray", "--disable-usage-stats", "--block"]
        words = ["--head", "--num-cpus=0", f"--node-ip-address={ip[head]}", "--dashboard-host=0.0.0.0"]
        words += [] if job_server else ["--include-dashboard=false"]
        # Ray gives its servers 30 s to start; on a busy machine that may be too little.
        again = 'until ray start "$@"; do sleep 1; done'
        self.start(head, "sh", "-c", again, "head", *words, *same)
        for host in workers:
            join = [f"--address={ip[head]}:6379", f"--node-ip-address={ip[host]}", f"--num-cpus={cpus}"]
            self.start(host, "sh", "-c", again, "join", *join, *same[:1], *same[3:])
        asked = "import ray, sys; ray.init('auto', log_to_driver=False); sys.exit(len(ray.nodes()) <= int(sys.argv[1]))"
        wait_until(lambda: self.run(head, "python", "-c", asked, str(len(workers))).returncode == 0, 300)

    def popen(self, host: str, *command: str | Path) -> subprocess.Popen[str]:
        """Start a command on a host that is on."""
        machine = self.machines[host]
        return subprocess.Popen(
            [*machine.inside(), *command],
            env=machine.variables,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, host: str, *command: str | Path) -> subprocess.CompletedProcess[str]:
        """Run a command on a host that is on."""
        process = self.popen(host, *command)
        try:
            out, err = process.communicate(timeout=200)
        except subprocess.TimeoutExpired:
            end(process)
            raise
        return subprocess.CompletedProcess(command, process.returncode, out, err)

    def drivers(self, host: str, word: str) -> list[psutil.Process]:
        """The processes of `caviar run` on a host that have a word in their command line."""
        found = []
        for pid in self.network.pids(host):
            try:
                words = psutil.Process(pid).cmdline()
            except psutil.Error:
                continue
            if "run" in words and word in words and any(one.endswith("/caviar") for one in words[:2]):
                found.append(psutil.Process(pid))
        return found
