"""What a process trains with: the libraries that it has imported, its processor, its GPU and their drivers.

A sweep keeps it so that one can ask, months later, what has changed since. It holds names and versions only: no path,
no variable of the environment, nothing of the user's.
"""

from __future__ import annotations

import os
import platform
import re
import socket
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from threadpoolctl import threadpool_info

from caviar_workers.distributions import imported_distributions
from caviar_workers.messages import NO_DATA, DataDigest, Fingerprint, Machine

T = TypeVar("T")


_told: set[tuple[str, str, bool]] = set()


def due(sweep: str, program: str, *, gpus: bool) -> bool:
    """Whether this process has not told yet, for this sweep and program, what it trains with; from now on it has."""
    if (sweep, program, gpus) in _told:
        return False
    _told.add((sweep, program, gpus))
    return True


def fingerprint(*, gpus: bool, data: DataDigest = NO_DATA) -> Fingerprint:
    """What this process trains with; some ten milliseconds.

    Args:
        gpus: Whether its trials may use GPUs.
        data: Of what they were given.
    """
    return Fingerprint(
        host=socket.gethostname(),
        machine=this_machine(gpus=gpus),
        distributions=_try(imported_distributions, {}),
        data=data,
    )


def this_machine(*, gpus: bool) -> Machine:
    """What this process computes on. No library is imported for it, and no GPU is woken."""
    driver, models, cuda, cudnn = _gpus() if gpus else _NO_GPUS
    return Machine(
        python=platform.python_version(),
        system=" ".join([platform.system(), platform.machine(), *_try(platform.libc_ver, ("", ""))]).strip(),
        cpu=_try(_cpu, ""),
        cores=os.cpu_count() or 0,
        blas=_try(_blas, ()),
        gpus=models,
        driver=driver,
        cuda=cuda,
        cudnn=cudnn,
    )


def _try(ask: Callable[[], T], otherwise: T) -> T:
    """What asking gives; a machine that does not answer, in whatever way, is no reason to end a trial."""
    try:
        return ask()
    except Exception:
        return otherwise


def _cpu() -> str:
    with suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text("utf-8", "replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor()


def _blas() -> tuple[str, ...]:
    found = set()
    for one in threadpool_info():
        if one.get("user_api") == "blas":
            names = [one.get("internal_api"), one.get("version"), one.get("architecture")]
            threads = one.get("num_threads")
            found.add(" ".join([*(str(name) for name in names if name), f"on {threads} thread{'s' * (threads != 1)}"]))
    return tuple(sorted(found))


_NO_GPUS: tuple[str, tuple[str, ...], str, str] = ("", (), "", "")


def _gpus() -> tuple[str, tuple[str, ...], str, str]:
    """Driver, models, CUDA and cuDNN: as torch says, where it computes on them, and else as the machine does."""
    driver, models = _try(_nvidia, _NO_GPUS[:2])
    cuda, cudnn = _try(_loaded_cuda, ("", ""))
    models, cuda, cudnn = _try(_of_torch, None) or (models, cuda, cudnn)
    return driver, models, cuda, cudnn


def _of_torch() -> tuple[tuple[str, ...], str, str] | None:
    torch = sys.modules.get("torch")
    if torch is None or not torch.cuda.is_initialized():
        return None
    models = tuple(torch.cuda.get_device_name(one) for one in range(torch.cuda.device_count()))
    return models, str(torch.version.cuda or ""), str(torch.backends.cudnn.version() or "")


def _nvidia(place: Path = Path("/proc/driver/nvidia")) -> tuple[str, tuple[str, ...]]:
    """The driver's version and the models of the machine, as the driver shows them to everybody."""
    version = re.search(r"Module\s+(?:for \S+\s+)?(\d[\d.]+)", (place / "version").read_text("utf-8", "replace"))
    texts = [path.read_text("utf-8", "replace") for path in sorted((place / "gpus").glob("*/information"))]
    models = [model[1].strip() for text in texts if (model := re.search(r"Model:(.*)", text))]
    return version[1] if version else "", tuple(models)


def _loaded_cuda(maps: Path = Path("/proc/self/maps")) -> tuple[str, str]:
    """Versions of CUDA's runtime and of cuDNN, by the names of the libraries that are loaded."""
    text = maps.read_text("utf-8", "replace")
    found = [re.search(rf"/lib{name}\.so\.([\d.]*\d)", text) for name in ("cudart", "cudnn")]
    cuda, cudnn = (match[1] if match else "" for match in found)
    return cuda, cudnn
