"""What the Ray that we start does with GPUs: it finds them, and each trial gets its own, a share of one, or none.

    python benchmarks/gpu_start.py [--pretend N] [--json FILE]

One line of JSON a part, with what was seen and whether it is right; the exit code is 1 where a part is not. A minute or
two on a machine with GPUs, where trials also compute on them if torch is installed; elsewhere it says so and ends well.
`--pretend N` tries all but that on any machine, with N GPUs that are not there.

start: seconds until Ray runs, with two servers and with all of them, its GPUs, its servers. whole, half, fresh, none:
sweeps by `gpus=1`, `0.5`, `1` in a process for each trial, and `0`; they count devices and processes, and how many
trials computed at a time on one GPU. again: a further sweep in the same Ray.
"""

import argparse
import importlib.util
import json
import os
import tempfile
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import psutil

import caviar
from caviar import Float, Result, Sweep
from caviar.display.plain import SilentProgress
from caviar.run.executors.ray_session import RaySession
from gpu import lack
from pairs import write_json

HOLD_S = 1.0
"""Long enough for all that may run at a time to do so."""
SERVERS = ("gcs_server", "raylet", "dashboard.py", "monitor.py", "DashboardAgent", "RuntimeEnvAgent")


def look(config: dict[str, Any], trial: Any, compute: bool = False) -> None:
    """Report how many devices the trial is given, and how many torch sees if it is to compute on them."""
    told = os.environ.get("CUDA_VISIBLE_DEVICES")
    seen = -1
    if compute:
        import torch

        seen = torch.cuda.device_count()
        if seen:
            x = torch.randn(1024, 1024, device="cuda")
            assert float((x @ x).abs().sum()) > 0
    time.sleep(HOLD_S)
    trial.report(0, loss=config["lr"], given=-1 if told is None else len(told.split(",")) if told else 0, seen=seen)


def start(gpus: int | None) -> dict[str, Any]:
    """How long Ray takes to start, and what then runs; the Ray with two servers is left running."""
    found: dict[str, Any] = {}
    for kind in ("full", ""):
        os.environ["CAVIAR_RAY"] = kind
        caviar.shutdown()
        begun = time.perf_counter()
        with RaySession(gpus=gpus) as session:
            found["all_servers_s" if kind else "start_s"] = round(time.perf_counter() - begun, 2)
            found["gpus"] = session.resources().get("GPU", 0)
    commands = [" ".join(child.cmdline()) for child in psutil.Process().children(recursive=True)]
    found["servers"] = [name for name in SERVERS if any(name in command for command in commands)]
    return found | {"ok": found["gpus"] >= 1 and found["servers"] == ["gcs_server", "raylet"]}


def sweep(trials: int, compute: bool, session: RaySession, **settings: Any) -> dict[str, Any]:
    """A sweep of trials that look; what each was given, by which process, and how many shared a device at a time."""
    with tempfile.TemporaryDirectory(prefix="caviar-bench-") as store:
        begun = time.perf_counter()
        described = Sweep(
            look, {"lr": Float(0.1, 1.0)}, metric="loss", trials=trials, train_args={"compute": compute}, **settings
        )
        described.run(store, progress=SilentProgress())
        seconds = time.perf_counter() - begun
        result = Result(store)
        given, seen, devices, pids, completed = result.sql(
            "SELECT list(DISTINCT last_given::INT), list(DISTINCT last_seen::INT), list(DISTINCT devices), "
            "count(DISTINCT pid), count(*) FILTER (state = 'COMPLETED') FROM trials"
        ).fetchall()[0]
        together = result.sql(
            "SELECT max(n) FROM (SELECT count(*) AS n FROM trials a JOIN trials b ON a.devices = b.devices "
            "AND a.started >= b.started AND a.started < b.ended GROUP BY a.trial)"
        ).fetchall()[0][0]
    found = {"seconds": round(seconds, 2), "given": given, "seen": seen, "devices": sorted(devices)}
    found |= {"processes": pids, "at_once_on_one": together, "completed": completed}
    gpus = settings["gpus"]
    right = completed == trials and given == [1 if gpus else 0] and together <= (1 / gpus if gpus else trials)
    right = right and (not compute or seen == given)
    right = right and (gpus != 0.5 or together == 2) and (settings.get("process") != "fresh" or pids == trials)
    if gpus == 1 and settings.get("process") != "fresh":
        right = right and len(devices) == min(trials, session.resources()["GPU"])
    return found | {"ok": right}


def main() -> None:
    """Try all parts; print a line of each."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pretend", type=int, metavar="N", help="GPUs that are not there")
    parser.add_argument("--json", metavar="FILE", help="write all of it to a file")
    asked = parser.parse_args()
    if asked.pretend is None and (why := lack()) and "torch" not in why:
        print(f"{why}: nothing was tried")
        return
    compute = asked.pretend is None and importlib.util.find_spec("torch") is not None
    found = {"start": start(asked.pretend)}
    print(json.dumps({"part": "start", **found["start"]}), flush=True)
    with RaySession(gpus=asked.pretend) as session:
        slots = int(min(found["start"]["gpus"], session.resources()["CPU"]))
        looking = partial(sweep, compute=compute, session=session)
        parts: dict[str, Callable[[], dict[str, Any]]] = {
            "whole": lambda: looking(2 * slots, gpus=1),
            "half": lambda: looking(2 * slots + 2, gpus=0.5, cpus=0.5),
            "fresh": lambda: looking(3, gpus=1, process="fresh"),
            "none": lambda: looking(2, gpus=0),
            "again": lambda: looking(2 * slots, gpus=1),
        }
        for name, part in parts.items():
            try:
                found[name] = part()
            except Exception as error:  # the other parts are tried all the same
                found[name] = {"ok": False, "error": f"{type(error).__name__}: {error}"}
            print(json.dumps({"part": name, **found[name]}), flush=True)
    write_json(asked.json, found)
    raise SystemExit(0 if all(one["ok"] for one in found.values()) else 1)


if __name__ == "__main__":
    main()
