"""How soon `caviar submit` returns when the project is uploaded, beside `ray job submit --no-wait` of the same folder.

    python benchmarks/submitting.py [--rounds 5] [--megabytes 20] [--json FILE]

On a Ray with a job server and a token that this script starts; both programs in turns, each as a process of its own,
with a project that nobody has uploaded before. The end of the upload is noted in Ray's own client, which both use. It
needs ray[default], the extra `cluster`. Budget: ≤ 1.5 s after the upload.
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from socket import socket

from pairs import Others, machine, spread, write_json

BUDGET_S = 1.5
TOKEN = "0123456789abcdef" * 4
EXPERIMENT = """
from caviar import Float, Sweep


def train(config, trial):
    return config["lr"]


sweep = Sweep(train, {"lr": Float(0.1, 1.0)}, metric="value", trials=1)
"""
NOTED = """
import sys, time
from ray.dashboard.modules.dashboard_sdk import SubmissionClient as Client

note, upload = sys.argv.pop(1), Client._upload_package

def noted(self, *args, **named):
    began = time.monotonic()
    said = upload(self, *args, **named)
    with open(note, "w") as file:
        file.write(f"{began} {time.monotonic()}")
    return said

Client._upload_package = noted
"""
OURS = f"{NOTED}\nfrom caviar.cli.entry import main\nmain()"
RAYS = f"{NOTED}\nfrom ray.scripts.scripts import main\nmain()"


def free_port() -> int:
    """One that nobody listens on."""
    with socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@contextmanager
def job_server(variables: dict[str, str]) -> Iterator[str]:
    """A Ray of one node with a job server; its address."""
    port, programs = free_port(), Path(sys.executable).parent
    address = f"http://127.0.0.1:{port}"
    words = ["--node-ip-address", "127.0.0.1", "--num-cpus", "1", "--port", str(free_port()), "--disable-usage-stats"]
    words += ["--dashboard-host", "127.0.0.1", "--dashboard-port", str(port), "--ray-client-server-port"]
    with tempfile.TemporaryDirectory(prefix="ray-", dir="/tmp") as folder:  # sockets have short paths
        command = [programs / "ray", "start", "--head", "--block", *words, str(free_port()), "--temp-dir", folder]
        # Ray gives its servers 30 s to start; on a busy machine that may be too little.
        again = ["sh", "-c", 'until "$@"; do sleep 1; done', "head", *command]
        with (Path(folder) / "said").open("wb") as said:
            head = subprocess.Popen(again, env=variables, stdout=said, stderr=said, start_new_session=True)
        try:
            until = time.monotonic() + 240
            while b"runtime started" not in (Path(folder) / "said").read_bytes():
                if time.monotonic() > until:
                    raise SystemExit("Ray did not start")
                time.sleep(0.5)
            yield address
        finally:
            os.killpg(head.pid, signal.SIGTERM)
            head.wait()


def _answered(url: str) -> bytes:
    request = urllib.request.Request(url, headers={"Authorization": f"Bearer {TOKEN}"})
    try:
        with urllib.request.urlopen(request, timeout=10) as reply:
            return bytes(reply.read())
    except OSError:
        return b""


def busy(address: str) -> bool:
    """Whether a job has not ended."""
    return any(job["status"] in ("PENDING", "RUNNING") for job in json.loads(_answered(f"{address}/api/jobs/") or "[]"))


def returned(program: str, words: list[str], folder: Path, variables: dict[str, str]) -> tuple[float, float, float]:
    """Seconds before, of and after the upload."""
    note = folder.parent / "noted"
    (folder / "data.bin").write_bytes(os.urandom(os.stat(folder / "data.bin").st_size))
    began = time.monotonic()
    command = [sys.executable, "-c", program, str(note), *words]
    done = subprocess.run(command, cwd=folder, env=variables, capture_output=True, text=True, check=False)
    ended = time.monotonic()
    if done.returncode or not note.exists():
        raise SystemExit(f"it was not submitted: {done.stderr}")
    first, last = map(float, note.read_text().split())
    note.unlink()
    return first - began, last - first, ended - last


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--megabytes", type=float, default=20.0, help="of the project")
    parser.add_argument("--json", metavar="FILE", help="write the figures to a file")
    asked = parser.parse_args()
    if find_spec("aiohttp") is None:
        raise SystemExit("it needs Ray's job server: install ray[default], the extra cluster, and type this again")
    others = Others()
    variables = os.environ | {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": TOKEN, "PYTHONWARNINGS": "ignore"}
    variables |= {"RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0"}  # what binds Ray's servers to 127.0.0.1
    variables["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    found: dict[str, list[tuple[float, float, float]]] = {"caviar submit": [], "ray job submit": []}
    with tempfile.TemporaryDirectory(prefix="caviar-bench-") as place, job_server(variables) as address:
        (folder := Path(place) / "project").mkdir()
        (folder / "exp.py").write_text(EXPERIMENT)
        (folder / "data.bin").write_bytes(bytes(int(asked.megabytes * 1e6)))
        ours = ["submit", "exp.py", "--address", address, "--store", f"{place}/store", "--json"]
        rays = ["job", "submit", "--no-wait", "--address", address, "--working-dir", ".", "--", "true"]
        sides = [("caviar submit", OURS, ours), ("ray job submit", RAYS, rays)]
        for number in range(asked.rounds + 1):
            for name, program, words in sides if number % 2 else reversed(sides):
                took = returned(program, words, folder, variables)
                if number:  # the first of each compiles what it imports
                    found[name].append(took)
                while any(
                    job["status"] in ("PENDING", "RUNNING") for job in json.loads(_answered(f"{address}/api/jobs/"))
                ):
                    time.sleep(0.5)
    print(f"{machine()}; others kept {others.cores():.2f} cores busy; a project of {asked.megabytes:g} MB")
    for name, took in found.items():
        before, during, after = (list(column) for column in zip(*took, strict=True))
        middle = sorted(after)[len(after) // 2]
        within = "" if name.startswith("ray") else f"   {'within' if middle <= BUDGET_S else 'MISSES'} ≤ {BUDGET_S:g} s"
        print(f"{name}: {spread(after, 2)} s after the upload{within}")
        print(f"  {spread(before, 2)} s before it, {spread(during, 2)} s of it")
    write_json(asked.json, found)


if __name__ == "__main__":
    main()
