"""On a real GPU: what warm and fresh processes cost a trial, whether memory is given back, and who sees which device.

    python benchmarks/gpu.py [--trials 12] [--gpus 1] [--json FILE]

Needs torch with CUDA, and a GPU; says so and ends well where there is none. A trial makes a CUDA context if its process
has none, multiplies two matrices for a moment, and reports what it saw.
"""

import argparse
import importlib.util
import subprocess
import tempfile
import time
from typing import Any

from caviar import Float, Sweep
from caviar.execute.ray_session import RaySession
from caviar.result import Result
from caviar.show.silent import SilentProgress
from pairs import machine, write_json


def train(config: dict[str, Any], trial: Any) -> None:
    """Use the GPU a little; report its number of devices, and the memory that was taken before."""
    import os

    import torch

    visible = os.environ["CUDA_VISIBLE_DEVICES"].split(",")
    reserved = torch.cuda.memory_reserved() / 1e9
    x = torch.randn(4096, 4096, device="cuda")
    for _ in range(10):
        x = torch.nn.functional.normalize(x @ x)
    trial.report(0, loss=float(x.sum()), devices=torch.cuda.device_count(), visible=len(visible), before_gb=reserved)


def lack() -> str:
    """Why this cannot run here; empty: it can."""
    try:
        found = subprocess.run(["nvidia-smi", "-L"], capture_output=True, text=True, check=False).stdout
    except OSError:
        found = ""
    if "GPU" not in found:
        return "there is no NVIDIA GPU here"
    return "" if importlib.util.find_spec("torch") else "torch is not installed here"


def run(trials: int, gpus: float, process: str) -> tuple[float, Result]:
    """Seconds a trial, and the result."""
    sweep = Sweep(
        train, {"lr": Float(0.1, 1.0)}, metric="loss", trials=trials, gpus=gpus, process=process, sampler="random"
    )
    begun = time.perf_counter()
    result = sweep.run(tempfile.mkdtemp(prefix="caviar-bench-"), progress=SilentProgress())
    return (time.perf_counter() - begun) / trials, result


def main() -> None:
    """Measure, check and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trials", type=int, default=12)
    parser.add_argument("--gpus", type=float, default=1.0, help="of a trial")
    parser.add_argument("--json", metavar="FILE", help="write the figures to a file")
    asked = parser.parse_args()
    if why := lack():
        print(f"{why}: nothing was measured")
        return
    figures: dict[str, Any] = {}
    with RaySession():
        for process in ("warm", "fresh"):
            seconds, result = run(asked.trials, asked.gpus, process)
            row = result.sql(
                "SELECT count(DISTINCT pid), max(last_before_gb), bool_and(last_devices = last_visible), "
                "count(*) FILTER (state = 'COMPLETED'), string_agg(DISTINCT devices) FROM trials"
            ).fetchall()[0]
            figures[process] = {"trial_s": seconds, "processes": row[0], "before_gb": row[1]}
            if row[3] != asked.trials or not row[2]:
                raise SystemExit(f"{row[3]} trials completed; each saw its own devices only: {row[2]}")
            print(
                f"{process}: {seconds:.2f} s a trial, {row[0]} processes, devices {row[4]}, "
                f"at most {row[1]:.2f} GB held at a trial's beginning"
            )
    print(machine())
    write_json(asked.json, figures)


if __name__ == "__main__":
    main()
