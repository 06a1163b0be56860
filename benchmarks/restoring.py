"""What a resume of trials with large checkpoints costs the driver: its memory, what it reads, and the time.

    python benchmarks/restoring.py [--trials 16] [--mb 200] [--rounds 3] [--json FILE]

Trials that have each saved so much run at once when their driver is killed. Counted of `caviar resume`, from its start
to its end: seconds, the driver's resident set at its highest, and bytes that it read; in turns with the same sweep
whose checkpoints are of one byte, which is what all but the checkpoints takes.
"""

import argparse
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from pairs import in_turns, machine, spread, write_json

CAVIAR = str(Path(sys.executable).with_name("caviar"))
GLANCE_S = 0.02
EXPERIMENT = """
import os, time

from caviar import Float, Sweep


def train(config, trial):
    saved = trial.load()
    if saved is None:
        trial.report(0, loss=config["lr"])
        trial.save(0, os.urandom({size}))
        time.sleep(600)
    assert len(saved.data) == {size}
    trial.report(1, loss=config["lr"])


sweep = Sweep(train, space={{"lr": Float(0.1, 1.0)}}, metric="loss", trials={trials}, cpus={share})
"""


class Interrupted:
    """A sweep whose driver was killed when all its trials had saved."""

    def __init__(self, folder: Path, trials: int, size: int) -> None:
        self._folder = folder
        self._trials = trials
        folder.mkdir()
        share = (os.cpu_count() or 1) / trials
        (folder / "exp.py").write_text(EXPERIMENT.format(size=size, trials=trials, share=share))
        driver = subprocess.Popen([CAVIAR, "run", "exp.py"], cwd=folder, stderr=subprocess.DEVNULL)
        while len(list(folder.glob("caviar-store/sweep=*/_checkpoints/*/*.checkpoint"))) < trials:
            assert driver.poll() is None
            time.sleep(0.1)
        time.sleep(3)  # the rows before them are published meanwhile
        driver.send_signal(signal.SIGKILL)
        driver.wait()
        time.sleep(8)  # its Ray goes
        self.memory: list[float] = []
        self.read: list[float] = []

    def __call__(self) -> float:
        """Seconds that `caviar resume` takes on a copy of it."""
        copy = self._folder.with_name("copy")
        shutil.copytree(self._folder, copy, copy_function=os.link)
        begun = time.perf_counter()
        driver = subprocess.Popen([CAVIAR, "resume"], cwd=copy, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        seen = {"VmHWM": 0.0, "rchar": 0.0}
        while driver.poll() is None:
            with suppress(OSError):
                files = (Path(f"/proc/{driver.pid}/{of}") for of in ("status", "io"))
                for line in "".join(file.read_text() for file in files).splitlines():
                    name, _, value = line.partition(":")
                    if name in seen:
                        seen[name] = float(value.split()[0])
            time.sleep(GLANCE_S)
        seconds = time.perf_counter() - begun
        assert driver.returncode == 0
        started = list(copy.glob("caviar-store/sweep=*/_checkpoints/*/*.checkpoint"))
        assert len(started) == self._trials
        shutil.rmtree(copy)
        self.memory.append(seen["VmHWM"] / 1024)
        self.read.append(seen["rchar"] / 1e6)
        return seconds


def main() -> None:
    """Measure, print, and write the figures if asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, default=16)
    parser.add_argument("--mb", type=float, default=200)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json")
    asked = parser.parse_args()
    print(machine())
    with tempfile.TemporaryDirectory(prefix="caviar-bench-", ignore_cleanup_errors=True) as name:
        large = Interrupted(Path(name) / "large", asked.trials, int(asked.mb * 1e6))
        small = Interrupted(Path(name) / "small", asked.trials, 1)
        sides: dict[str, Callable[[], float]] = {f"{asked.mb:g} MB each": large, "a byte each": small}
        seconds = in_turns(sides, asked.rounds)
    for label, side in (("large", large), ("a byte", small)):
        print(f"{label:<8} driver's memory, MB {spread(side.memory)}; read by it, MB {spread(side.read)}")
    for label, values in seconds.items():
        print(f"{label:<16} seconds {spread(values, 1)}")
    figures = {"memory_mb": large.memory, "read_mb": large.read, "least_mb": small.memory, "least_read_mb": small.read}
    write_json(asked.json, {"seconds": seconds, **figures})


if __name__ == "__main__":
    main()
