"""On a real GPU: what fresh processes cost, what sharing the GPU brings, and what a pool makes of the same work.

    python benchmarks/gpu.py [--trials 16] [--pairs 2] [--steps 1000] [--json FILE]

Needs torch with CUDA, and a GPU; says so and ends well where there is none. About two minutes.

Warm and fresh: trials that multiply two matrices for a moment, one at a time. Sharing: trials that train a small
network, which does not fill the card, one, four and eight at a time by gpus=1, 0.25 and 0.125; the pool trains the
same, in as many spawned processes, and stores nothing. Counted: Sweep.run() from call to return, durable storage
included, in a Ray that runs already; and Pool.imap(chunksize=1). Not counted: the start of processes, torch's import
and CUDA's contexts. One CPU thread a trial on both sides.
"""

import argparse
import importlib.util
import multiprocessing
import statistics
import subprocess
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from itertools import pairwise
from multiprocessing.pool import Pool
from typing import Any

from caviar import Float, Result, Sweep
from caviar.display.plain import SilentProgress
from caviar.errors import NoResultError
from caviar.run.executors.ray_session import RaySession
from digits import pool_tasks
from noop import ListTrial
from pairs import in_turns, machine, ratios, spread, write_json

AT_A_TIME = (1, 4, 8)

_barrier: Any = None
"""In a process of a pool: where it meets the others."""


def touch(config: dict[str, Any], trial: Any) -> None:
    """Use the GPU a little; report its number of devices, and the memory that was taken before."""
    import os

    import torch

    visible = os.environ["CUDA_VISIBLE_DEVICES"].split(",")
    reserved = torch.cuda.memory_reserved() / 1e9
    x = torch.randn(4096, 4096, device="cuda")
    for _ in range(10):
        x = torch.nn.functional.normalize(x @ x)
    trial.report(0, loss=float(x.sum()), devices=torch.cuda.device_count(), visible=len(visible), before_gb=reserved)


def learn(config: dict[str, Any], trial: Any, steps: int = 1000, wait_s: float = 0.0) -> None:
    """Train a small network on 4,096 made-up examples; ten reports."""
    import torch

    known = torch.cuda.is_initialized()
    torch.manual_seed(trial.seed)
    x = torch.randn(4096, 64, device="cuda")
    labels = (x @ torch.randn(64, 10, device="cuda")).argmax(1)
    sizes = [64, 512, 512, 10]
    layers = [torch.nn.Linear(a, b) for a, b in pairwise(sizes)]
    network = torch.nn.Sequential(layers[0], torch.nn.ReLU(), layers[1], torch.nn.ReLU(), layers[2]).cuda()
    optimizer = torch.optim.Adam(network.parameters(), lr=config["lr"])
    for step in range(steps):
        rows = torch.randint(0, len(x), (256,), device="cuda")
        loss = torch.nn.functional.cross_entropy(network(x[rows]), labels[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if (step + 1) % max(1, steps // 10) == 0:
            trial.report(step, loss=loss.item(), known=known)
    time.sleep(wait_s)


def lack() -> str:
    """Why this cannot run here; empty: it can."""
    try:
        found = subprocess.run(["nvidia-smi", "-L"], capture_output=True, text=True, check=False).stdout
    except OSError:
        found = ""
    if "GPU" not in found:
        return "there is no NVIDIA GPU here"
    return "" if importlib.util.find_spec("torch") else "torch is not installed here"


def run(sweep: Sweep) -> tuple[float, Result]:
    """Seconds from call to return, and the result; all trials must complete."""
    store = tempfile.mkdtemp(prefix="caviar-bench-")
    begun = time.perf_counter()
    with suppress(NoResultError):  # what failed is told below
        sweep.run(store, progress=SilentProgress())
    seconds = time.perf_counter() - begun
    result = Result(store)
    ended = result.sql("SELECT state, count(*), any_value(error) FROM trials GROUP BY state").fetchall()
    if [row[:2] for row in ended] != [("COMPLETED", sweep.trials)]:
        raise RuntimeError(f"the sweep ended with {ended}")
    return seconds, result


def warm_and_fresh(figures: dict[str, Any]) -> None:
    """Seconds a trial in processes that are used again, and in one for each; and that memory was given back."""
    for process, trials in (("warm", 12), ("fresh", 3)):
        sweep = Sweep(touch, {"lr": Float(0.1, 1.0)}, metric="loss", trials=trials, gpus=1, process=process)
        seconds, result = run(sweep)
        processes, held, own, devices, first, rest = result.sql(
            "SELECT count(DISTINCT pid), max(last_before_gb), bool_and(last_devices = last_visible), "
            "string_agg(DISTINCT devices), arg_min(busy, started), median(busy) FROM trials"
        ).fetchall()[0]
        if not own:
            raise RuntimeError("a trial saw other devices than its own")
        figures[process] = {"trial_s": seconds / trials, "processes": processes, "busy_s": rest, "before_gb": held}
        print(
            f"{process}: {trials} trials, {seconds / trials:.2f} s a trial from call to return; in train "
            f"{first:.2f} s the first, {rest:.3f} s the median one; {processes} processes, devices {devices}, "
            f"at most {held:.2f} GB held at a trial's beginning",
            flush=True,
        )


def prepare(barrier: Any) -> None:
    """In a process of a pool: do what a warm process of ours has done."""
    import torch

    global _barrier  # noqa: PLW0603 — how a pool hands things to its processes
    _barrier = barrier
    torch.set_num_threads(1)
    learn({"lr": 1e-3}, ListTrial(0), steps=20)


def meet(_: int) -> None:
    """In a process of a pool: wait until all of them are ready."""
    _barrier.wait(120)


def pool_learn(task: tuple[dict[str, Any], int, dict[str, Any]]) -> float:
    """One training in a process of a pool; its last loss."""
    config, seed, arguments = task
    trial = ListTrial(seed)
    learn(config, trial, **arguments)
    return trial.rows[-1][2]["loss"]


def ready_pool(stack: ExitStack, processes: int) -> Pool:
    """A pool whose processes have a CUDA context each."""
    context = multiprocessing.get_context("spawn")
    pool = stack.enter_context(context.Pool(processes, prepare, (context.Barrier(processes),)))
    pool.map(meet, range(processes), chunksize=1)
    return pool


def compare(sweep: Sweep, at_a_time: int, pool: Pool, pairs: int) -> dict[str, Any]:
    """The same trainings by us and by a pool, in turns."""
    losses: dict[str, list[float]] = {}
    cold: list[int] = []

    def ours() -> float:
        seconds, result = run(sweep)
        rows = result.sql("SELECT last_loss, last_known FROM trials ORDER BY trial").fetchall()
        losses["ours"] = [loss for loss, _ in rows]
        cold.append(sum(known == 0 for _, known in rows))
        return seconds

    def theirs() -> float:
        begun = time.perf_counter()
        losses["pool"] = list(pool.imap(pool_learn, pool_tasks(sweep), chunksize=1))
        return time.perf_counter() - begun

    # Once before, and long enough that every slot has a process of its own.
    run(sweep.override({"trials": at_a_time, "train.steps": 20, "train.wait_s": 2.0 if at_a_time > 1 else 0.0}))
    sides: dict[str, Callable[[], float]] = {f"caviar, {at_a_time} at a time": ours, f"Pool({at_a_time})": theirs}
    caviar, plain = in_turns(sides, pairs).values()
    apart = max(abs(a - b) for a, b in zip(losses["ours"], losses["pool"], strict=True))
    print(
        f"{at_a_time} at a time: ours {spread(caviar, 2)} s, {sweep.trials / statistics.median(caviar):.2f} trials/s; "
        f"Pool({at_a_time}) {spread(plain, 2)} s; ratio {spread(ratios(caviar, plain), 3)}; "
        f"trials of ours in new processes {cold}; last losses differ by at most {apart:.2g}",
        flush=True,
    )
    return {"caviar_s": caviar, "pool_s": plain, "cold": cold, "apart": apart}


@contextmanager
def part(failed: list[str], name: str) -> Iterator[None]:
    """One of the measurements: if it fails, the others are still made."""
    try:
        yield
    except Exception:
        traceback.print_exc()
        failed.append(name)


def main() -> None:
    """Measure, check and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trials", type=int, default=16, help="that train, each time")
    parser.add_argument("--pairs", type=int, default=2)
    parser.add_argument("--steps", type=int, default=1000, help="of a training")
    parser.add_argument("--json", metavar="FILE", help="write the figures to a file")
    asked = parser.parse_args()
    if why := lack():
        print(f"{why}: nothing was measured")
        return
    print(subprocess.run(["nvidia-smi", "-L"], capture_output=True, text=True, check=False).stdout.strip(), machine())
    failed: list[str] = []
    figures: dict[str, Any] = {"trials": asked.trials, "steps": asked.steps}
    with ExitStack() as stack:
        stack.enter_context(RaySession())
        with part(failed, "warm and fresh"):
            warm_and_fresh(figures)
        sweep = partial(Sweep, learn, {"lr": Float(1e-4, 1e-2, scale="log")}, metric="loss", trials=asked.trials)
        for at_a_time in AT_A_TIME:
            with part(failed, f"{at_a_time} at a time"):
                pool = ready_pool(stack, at_a_time)
                one = sweep(gpus=1 / at_a_time, train_args={"steps": asked.steps})
                figures[f"{at_a_time} at a time"] = compare(one, at_a_time, pool, asked.pairs)
            write_json(asked.json, figures)
    if failed:
        raise SystemExit(f"failed, see above: {', '.join(failed)}")


if __name__ == "__main__":
    main()
