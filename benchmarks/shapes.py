"""The shapes of Ray Tune's own scalability tests, scaled to two cores: Tune and ours in one table.

    python benchmarks/shapes.py [--scale 1] [--only NAME] [--no-tune] [--peer-env DIR] [--json FILE]

Tune documents 10,000 trials of a second on 16 CPUs in 715 s (ideal 625), 96 trials that report 10 times a second for
100 s in 169 s, and with 50 reports a second in 703 s, with its logging on:
https://docs.ray.io/en/latest/tune/tutorials/tune-scalability.html. The trials sleep, so what is over the ideal is the
orchestrator's. Ours: `Sweep.run()` from call to return, durable, finalize included; Tune: `Tuner.fit()` with its
default loggers. Both in a Ray that runs already, after a small run of the same kind.
"""

import argparse
import json
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from caviar import Float, Sweep
from caviar.display.plain import SilentProgress
from caviar.run.executors.ray_session import RaySession
from overhead import PEER_ENV, RAY_TUNE
from pairs import Others, machine, wait_for_quiet, write_json
from peer_env import peer_python

WORKERS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """Trials that report so often, with a pause before each report."""

    name: str
    trials: int
    at_once: int
    reports: int
    pause_s: float

    @property
    def ideal_s(self) -> float:
        """Seconds, if nothing but the pauses took time."""
        return -(-self.trials // self.at_once) * self.reports * self.pause_s

    @property
    def cpus(self) -> float:
        """Of a trial."""
        return WORKERS / self.at_once


def shapes(scale: float) -> list[Shape]:
    """Many short trials; many reports; very many reports."""
    return [
        Shape(name="bookkeeping: 1 s a trial", trials=round(120 * scale), at_once=2, reports=1, pause_s=1.0),
        Shape(name="results: 10/s a trial", trials=8, at_once=8, reports=round(300 * scale), pause_s=0.1),
        Shape(name="results: 50/s a trial", trials=8, at_once=8, reports=round(1500 * scale), pause_s=0.02),
    ]


def train(config: dict[str, Any], trial: Any, reports: int = 1, pause_s: float = 1.0) -> None:
    """Sleep and report, at the times that are due."""
    begun = time.monotonic()
    for step in range(reports):
        time.sleep(max(0.0, begun + (step + 1) * pause_s - time.monotonic()))
        trial.report(step, loss=config["lr"] / (step + 1))


def run_ours(shape: Shape) -> float:
    """Seconds that a sweep of that shape takes."""
    sweep = Sweep(
        train,
        space={"lr": Float(1e-4, 1.0, scale="log")},
        metric="loss",
        trials=shape.trials,
        cpus=shape.cpus,
        train_args={"reports": shape.reports, "pause_s": shape.pause_s},
    )
    with tempfile.TemporaryDirectory(prefix="caviar-bench-") as store:
        begun = time.perf_counter()
        result = sweep.run(store, progress=SilentProgress())
        taken = time.perf_counter() - begun
        (rows,) = result.sql("SELECT count(*) FROM curves").fetchone() or (0,)
    if rows != shape.trials * shape.reports:
        raise SystemExit(f"{rows} rows are stored")
    return taken


def run_tune(shape: Shape, env: Path) -> float:
    """Seconds that Ray Tune takes, in its own environment."""
    script = Path(__file__).parent / "peers" / "tune_shapes.py"
    words = [
        f"--trials={shape.trials}",
        f"--cpus={shape.cpus}",
        f"--reports={shape.reports}",
        f"--pause={shape.pause_s}",
    ]
    done = subprocess.run([env / "bin" / "python", script, *words], check=True, text=True, stdout=subprocess.PIPE)
    return float(json.loads(done.stdout.splitlines()[-1])["seconds"])


def options() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scale", type=float, default=1.0, help="length of each shape")
    parser.add_argument("--only", default="", help="shapes whose name holds this")
    parser.add_argument("--no-tune", action="store_true", help="leave Ray Tune out")
    parser.add_argument("--peer-env", type=Path, default=PEER_ENV, help="virtual environment for Ray Tune")
    parser.add_argument("--json", metavar="FILE", help="write the figures to a file")
    return parser.parse_args()


def main() -> None:
    """Measure and print."""
    asked = options()
    chosen = [shape for shape in shapes(asked.scale) if asked.only in shape.name]
    figures: dict[str, dict[str, float]] = {}
    with RaySession(cpus=WORKERS):
        for shape in chosen:
            run_ours(Shape(name="warm", trials=shape.at_once, at_once=shape.at_once, reports=2, pause_s=0.1))
            wait_for_quiet()
            others = Others()
            figures[shape.name] = {"ideal": shape.ideal_s, "caviar": run_ours(shape), "others": others.cores()}
    if not asked.no_tune:
        peer_python(asked.peer_env, [RAY_TUNE])
        for shape in chosen:
            wait_for_quiet()
            others = Others()
            figures[shape.name] |= {"tune": run_tune(shape, asked.peer_env), "others, tune": others.cores()}
    print(f"seconds; {machine()}; in brackets the cores that other processes used meanwhile")
    for name, row in figures.items():
        tune = f"   Ray Tune {row['tune']:7.1f} ({row['others, tune']:.1f})" if "tune" in row else ""
        print(f"{name:<26} ideal {row['ideal']:6.1f}   caviar {row['caviar']:7.1f} ({row['others']:.1f}){tune}")
    write_json(asked.json, {"shapes": figures})


if __name__ == "__main__":
    main()
