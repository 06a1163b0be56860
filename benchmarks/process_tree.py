"""A command from a cold shell, and what it costs: seconds, and the CPU seconds of all processes that it starts."""

import ctypes
import os
import resource
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

SAMPLE_S = 0.1
"""Between two looks at the processes. Of one whose parent does not wait for it, what it used since is not counted."""
LEAVE_S = 5.0
"""After the command's end nothing that it started may run for longer."""
_SUBREAPER = 36
"""PR_SET_CHILD_SUBREAPER of Linux: processes whose parent has ended become our children, and stay in sight."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """What a command took: from its start to its own end in seconds, CPU seconds of its tree, what it wrote."""

    wall_s: float
    cpu_s: float
    output: str


def run_tree(command: Sequence[str | os.PathLike[str]], folder: Path, env: Mapping[str, str]) -> Ran:
    """Run a command, which must succeed and leave no process behind.

    Args:
        command: The command.
        folder: Its working folder; what it writes to stderr goes there too, into the file `stderr`.
        env: Its environment.
    """
    _adopt_orphans()
    used: dict[psutil.Process, float] = {}
    ended = threading.Event()
    sampler = threading.Thread(target=_sample, args=(used, ended), daemon=True)
    waited = waited_cpu_seconds()
    with open(folder / "stderr", "w+") as errors:
        begun = time.perf_counter()
        process = subprocess.Popen(command, cwd=folder, env=env, stdout=subprocess.PIPE, stderr=errors, text=True)
        sampler.start()
        output, _ = process.communicate()
        wall_s = time.perf_counter() - begun
        left = _leave()
        ended.set()
        sampler.join()
        if process.returncode or left:
            errors.seek(0)
            raise SystemExit(f"{command} ended with {process.returncode}, left {left}: {output}{errors.read()}")
    # Ray's workers are not waited for, and so only sampled; of all others the system tells to the last millisecond.
    return Ran(wall_s=wall_s, cpu_s=max(sum(used.values()), waited_cpu_seconds() - waited), output=output)


def _adopt_orphans() -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_SUBREAPER, 1, 0, 0, 0)


def _sample(used: dict[psutil.Process, float], ended: threading.Event) -> None:
    """Note what each process below this one has used so far, until the end."""
    me = psutil.Process()
    while not ended.wait(SAMPLE_S):
        for child in me.children(recursive=True):
            with suppress(psutil.Error):
                times = child.cpu_times()
                used[child] = times.user + times.system


def _leave() -> list[str]:
    """Wait until nothing is left that the command started; the command lines of what does not go, which is killed."""
    me, deadline = psutil.Process(), time.monotonic() + LEAVE_S
    while alive := [child for child in me.children(recursive=True) if not _reaped(child)]:
        if time.monotonic() > deadline:
            names = [" ".join(child.cmdline()) for child in alive]
            for child in alive:
                child.kill()
            return names
        time.sleep(0.02)
    return []


def _reaped(child: psutil.Process) -> bool:
    """Whether it has ended; if it is ours, the system need not remember it."""
    with suppress(ChildProcessError):
        return os.waitpid(child.pid, os.WNOHANG)[0] == child.pid
    return not child.is_running() or child.status() == psutil.STATUS_ZOMBIE


def waited_cpu_seconds() -> float:
    """CPU seconds of the processes that this one started and waited for, and of those that they waited for."""
    found = resource.getrusage(resource.RUSAGE_CHILDREN)
    return found.ru_utime + found.ru_stime
