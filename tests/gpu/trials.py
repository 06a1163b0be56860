"""Sweeps for a real GPU. Every trial looks at what it was given and reports it, so that the store can be asked."""

import io
import os
import signal
import time
from pathlib import Path
from typing import Any

import torch

from caviar import Float, Sweep

GIB = 2**30
STEPS = 12
SPACE = {"lr": Float(0.1, 1.0)}


def take(gib: float) -> torch.Tensor:
    """Memory of the GPU, really taken."""
    return torch.ones(int(gib * GIB), dtype=torch.uint8, device="cuda")


def multiply(times: int = 10) -> float:
    """Keep the GPU busy for a moment."""
    x = torch.randn(2048, 2048, device="cuda")
    for _ in range(times):
        x = torch.nn.functional.normalize(x @ x)
    return float(x.abs().sum())


def meet(folder: str, name: str, many: int) -> float:
    """Leave a note in a folder, and wait until there are so many; seconds that this took, a minute at most."""
    begun = time.monotonic()
    (Path(folder) / name).touch()
    while len(list(Path(folder).iterdir())) < many and time.monotonic() < begun + 60:
        time.sleep(0.02)
    return time.monotonic() - begun


def looking(config: dict[str, Any], trial: Any) -> None:
    """What a trial sees of the machine's GPUs."""
    seen = torch.cuda.is_available()
    computed = multiply() if seen else 0.0
    nothing = os.environ.get("CUDA_VISIBLE_DEVICES") == ""
    forked = "fork_server.py" in Path(f"/proc/{os.getppid()}/cmdline").read_text()
    given = {"seen": seen, "count": torch.cuda.device_count(), "nothing": nothing, "computed": computed}
    trial.report(0, loss=config["lr"], forked=forked, **given)


def sharing(config: dict[str, Any], trial: Any, folder: str = "", many: int = 4) -> None:
    """Hold memory and compute while all the others do."""
    held = take(1)
    waited = meet(folder, f"here-{trial.number}", many)
    free, total = torch.cuda.mem_get_info()
    computed = multiply(200)
    trial.report(0, loss=computed, used_gib=(total - free) / GIB, waited=waited, device=torch.cuda.current_device())
    meet(folder, f"done-{trial.number}", 2 * many)
    del held


def timing(config: dict[str, Any], trial: Any) -> None:
    """How long the first touch of the GPU takes, and how much memory torch kept from the trial before."""
    known, before = torch.cuda.is_initialized(), torch.cuda.memory_reserved()
    begun = time.perf_counter()
    torch.zeros(1, device="cuda").item()
    first_s = time.perf_counter() - begun
    held = take(1)
    during = torch.cuda.memory_reserved()
    trial.report(0, loss=config["lr"], known=known, first_s=first_s, before=before, during=during)
    del held


def filling(config: dict[str, Any], trial: Any, folder: str = "") -> None:
    """Trials 0 and 1 ask for more than there is, at once and bit by bit; 2 and 3 compute on beside them."""
    x = torch.randn(2048, 2048, device="cuda")
    y = torch.empty_like(x)
    float(torch.matmul(x, x, out=y).sum())  # all that computing needs is there, before the memory is gone
    meet(folder, f"here-{trial.number}", 4)
    try:
        if trial.number == 0:
            torch.empty(1000 * GIB, dtype=torch.uint8, device="cuda")
        held = []
        while trial.number == 1:
            held.append(take(1))
    except torch.cuda.OutOfMemoryError:
        meet(folder, f"out-{trial.number}", 0)
        raise
    while len(list(Path(folder).glob("out-*"))) < 2:
        torch.matmul(x, x, out=y)
        torch.cuda.synchronize()
    trial.report(0, loss=float(torch.matmul(x, x, out=y).sum()))


def breaking(config: dict[str, Any], trial: Any) -> None:
    """Trial 5 indexes out of range on the GPU: after that, its process can use the GPU no more."""
    multiply()
    if trial.number == 5:
        index = torch.tensor([7], device="cuda")
        float(torch.zeros(2, device="cuda")[index].sum())
    trial.report(0, loss=config["lr"])


def holding(config: dict[str, Any], trial: Any) -> None:
    """Hold much memory; trial 1 is killed in the midst of it, the first time."""
    held = take(4)
    trial.report(0, loss=multiply())
    time.sleep(1.5)  # long enough to be on record
    if trial.number == 1 and trial.attempt == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    trial.report(1, loss=float(held[-1]))


def endless(config: dict[str, Any], trial: Any) -> None:
    """Hold much memory and never end."""
    held = take(4)
    for step in range(10**6):
        trial.report(step, loss=multiply() + float(held[-1]))
        time.sleep(0.02)


def carrying(config: dict[str, Any], trial: Any, dies_after: int = -1) -> None:
    """Learn to turn vectors round, with a checkpoint after each step; trial 1 may be killed, the first time."""
    model = torch.nn.Sequential(torch.nn.Linear(64, 256), torch.nn.Tanh(), torch.nn.Linear(256, 64)).cuda()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1 * config["lr"], momentum=0.9)
    first, saved = 0, trial.load()
    if saved is not None:
        state = torch.load(io.BytesIO(saved.data), map_location="cuda", weights_only=True)
        model.load_state_dict(state["model"])
        optimizer.load_state_dict(state["optimizer"])
        first = saved.step + 1
    for step in range(first, STEPS):
        numbers = torch.Generator().manual_seed(1000 * trial.number + step)
        x = torch.randn(512, 64, generator=numbers).cuda()
        loss = (model(x) - x.flip(1)).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        trial.report(step, loss=loss)
        buffer = io.BytesIO()
        torch.save({"model": model.state_dict(), "optimizer": optimizer.state_dict()}, buffer)
        trial.save(step, buffer.getvalue())
        if step == dies_after and trial.number == 1 and trial.attempt == 0:
            time.sleep(1.5)  # long enough to be on record
            os.kill(os.getpid(), signal.SIGKILL)


look = Sweep(looking, SPACE, metric="loss", trials=2, gpus=1)
share = Sweep(sharing, SPACE, metric="loss", trials=4, gpus=0.25)
warm = Sweep(timing, SPACE, metric="loss", trials=8, gpus=1)
fill = Sweep(filling, SPACE, metric="loss", trials=4, gpus=0.25)
snap = Sweep(breaking, SPACE, metric="loss", trials=12, gpus=1)
hold = Sweep(holding, SPACE, metric="loss", trials=2, gpus=0.5)
run_on = Sweep(endless, SPACE, metric="loss", trials=4, gpus=0.5)
carry = Sweep(carrying, SPACE, metric="loss", trials=2, gpus=0.5)
