"""From a cold shell to the end: whole sweeps as a user types them, with all that they start, beside what peers take.

    python benchmarks/cold.py [--rounds 5] [--only digits|noop|again|verbs] [--no-tune] [--peer-env DIR] [--json FILE]

Counted: from a process's start to its end, and the CPU seconds of all processes that it started. Files are in the
system's cache and bytecode is compiled: each command ran once before.

digits: `caviar run experiments/digits.py`, 64 trainings of 30 epochs, the winner's test, also with forked processes
(`CAVIAR_FORK=1`); the same trainings, the same configurations and seeds, and the test, with Optuna in two processes and
with Ray Tune, two at a time, each in an environment of its own. All must end with the same dev errors, bit for bit.
Budget: ours ≤ 1.2 × Optuna that stores a value an epoch (we store three); the bare minimum beside it stores the last
value only.

noop: `caviar run` on ten trials that do nothing, and a script that starts Ray, runs two tasks and ends. Budgets: 5 s,
and ≤ 0.8 × the script.

again: the second and the third `Sweep.run` of the same ten trials in one process, after the first. Budget: 0.5 s.

verbs: what `verbs.py` measures.
"""

import argparse
import json
import os
import statistics
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import peer_env
import verbs
from caviar import Result
from digits import EXPERIMENT, experiment, pool_tasks
from pairs import count_ended, in_turns, machine, ratios, spread, write_json
from peer_env import peer_python
from process_tree import Ran, run_tree

PEERS = Path(__file__).parent / "peers"
OPTUNA = "optuna==5.0.0", "scikit-learn"
TUNE = "ray[tune]==2.60.0", "scikit-learn"
PARTS = ("digits", "noop", "again", "verbs")
OURS, FORKED = "caviar run", "caviar run, forked"

NOOP = """
from caviar import Float, Sweep


def train(config, trial):
    for step in range(5):
        trial.report(step, loss=config["lr"] / (step + 1))


sweep = Sweep(train, space={"lr": Float(1e-4, 1.0, scale="log")}, metric="loss", trials=10)
"""
BARE_RAY = """
import ray


@ray.remote
def nothing():
    return 0


ray.init(logging_level="ERROR", log_to_driver=False)
ray.get([nothing.remote() for _ in range(2)])
ray.shutdown()
"""
AGAIN = """
import json, time
from noop_sweep import sweep

seconds = []
for _ in range(3):
    begun = time.perf_counter()
    sweep.run("store")
    seconds.append(time.perf_counter() - begun)
print(json.dumps(seconds))
"""


class Side:
    """A command that is measured in a folder of its own, made for each run.

    Args:
        command: The command.
        files: Name → content of files that it finds in its folder.
        environment: What is added to its environment.
        check: Looks at the folder and at what the command wrote, after each run.
    """

    def __init__(
        self,
        command: Sequence[str | Path],
        *,
        files: dict[str, str] | None = None,
        environment: dict[str, str] | None = None,
        check: Callable[[Path, str], None] = lambda _folder, _output: None,
    ) -> None:
        self._command = command
        self._files = files or {}
        self._environment = environment or {}
        self._check = check
        self._runs: list[Ran] = []

    def __call__(self) -> float:
        """Seconds of a run."""
        ours = {"RAY_ADDRESS", "CAVIAR_STORE", "CAVIAR_FORK"}
        kept = {key: value for key, value in os.environ.items() if key not in ours}
        with tempfile.TemporaryDirectory(prefix="caviar-bench-") as name:
            folder = Path(name)
            for file, content in self._files.items():
                (folder / file).write_text(content, "utf-8")
            ran = run_tree(self._command, folder, kept | self._environment)
            self._check(folder, ran.output)
        count_ended(ran.cpu_s)
        self._runs.append(ran)
        return ran.wall_s

    def cpu_s(self, walls: Sequence[float]) -> list[float]:
        """CPU seconds of the runs that took these seconds."""
        return [ran.cpu_s for ran in self._runs if ran.wall_s in walls]

    def outputs(self, walls: Sequence[float]) -> list[str]:
        """What the runs that took these seconds wrote."""
        return [ran.output for ran in self._runs if ran.wall_s in walls]


def digits_sides(asked: argparse.Namespace, tasks_file: Path) -> dict[str, Side]:
    """The digits trainings by us and by peers, all of which must find the same."""
    sweep = experiment().override({"trials": asked.trials, "train.epochs": asked.epochs})
    tasks = [(config, seed) for config, seed, _ in pool_tasks(sweep)]
    tasks_file.write_text(json.dumps({"experiment": str(EXPERIMENT), "epochs": asked.epochs, "tasks": tasks}), "utf-8")
    found: list[str] = []

    def same(errors: Sequence[float]) -> None:
        found.append(repr(list(errors)))  # NaN is unlike itself, and reads like itself
        if len(errors) != len(tasks) or len(set(found)) > 1:
            raise SystemExit(f"the sides did not train the same: {found[0]} and {found[-1]}")

    def ours(folder: Path, _: str) -> None:
        rows = Result(folder / "caviar-store").sql("SELECT last_val_error FROM trials ORDER BY trial").fetchall()
        same([error for (error,) in rows])

    def theirs(_: Path, output: str) -> None:
        same(json.loads(output.splitlines()[-1])["errors"])

    settings = ["--trials", str(asked.trials), "--set", f"train.epochs={asked.epochs}"]
    run = [verbs.CAVIAR, "run", EXPERIMENT, *settings]
    sides = {OURS: Side(run, check=ours), FORKED: Side(run, environment={"CAVIAR_FORK": "1"}, check=ours)}
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")  # of BLAS, as we see to by ourselves
    python = peer_python(asked.peer_env / "cold-optuna", OPTUNA)
    optuna = [python, PEERS / "digits_optuna.py", tasks_file]
    sides["Optuna, a value an epoch"] = Side([*optuna, "--reports"], environment=threads, check=theirs)
    sides["Optuna, last values only"] = Side(optuna, environment=threads, check=theirs)
    if not asked.no_tune:
        python = peer_python(asked.peer_env / "cold-tune", TUNE)
        sides["Ray Tune"] = Side([python, PEERS / "digits_tune.py", tasks_file], environment=threads, check=theirs)
    return sides


def noop_sides() -> dict[str, Side]:
    """A sweep that does nothing, and the least that starts Ray."""
    run: dict[str, Any] = {"command": [verbs.CAVIAR, "run", "noop_sweep.py"], "files": {"noop_sweep.py": NOOP}}
    return {
        OURS: Side(**run),
        FORKED: Side(**run, environment={"CAVIAR_FORK": "1"}),
        "Ray and two tasks": Side([sys.executable, "bare.py"], files={"bare.py": BARE_RAY}),
    }


def compare(title: str, sides: dict[str, Side], rounds: int) -> dict[str, Any]:
    """Measure in turns, and print all sides and what ours is of each other one."""
    for side in sides.values():
        side()  # so that bytecode and files are there
    walls = in_turns(sides, rounds)
    print(f"{title}; {machine()}; from the process's start to its end")
    for name, side in sides.items():
        line = f"  {name:<26} {spread(walls[name], 2)} s, {spread(side.cpu_s(walls[name]), 1)} CPU s"
        if name not in (OURS, FORKED):
            line += f"   ours is {spread(ratios(walls[OURS], walls[name]), 2)} of it"
            line += f", forked {spread(ratios(walls[FORKED], walls[name]), 2)}"
        print(line, flush=True)
    return {name: {"wall_s": walls[name], "cpu_s": side.cpu_s(walls[name])} for name, side in sides.items()}


def budget(what: str, found: float, most: float) -> None:
    """Print whether it is kept."""
    print(f"  {what}: {found:.2f}, {'within' if found <= most else 'MISSES'} the budget of ≤ {most:g}", flush=True)


def ratio(figures: dict[str, Any], other: str, ours: str = OURS) -> float:
    """The median of ours by the other's, pair by pair."""
    return statistics.median(ratios(figures[ours]["wall_s"], figures[other]["wall_s"]))


def digits(asked: argparse.Namespace) -> dict[str, Any]:
    """Measure the digits trainings."""
    with tempfile.TemporaryDirectory(prefix="caviar-bench-") as folder:
        sides = digits_sides(asked, Path(folder) / "tasks.json")
        found = compare(f"{asked.trials} digits trainings of {asked.epochs} epochs", sides, asked.rounds)
    budget("ours by Optuna's with a value an epoch", ratio(found, "Optuna, a value an epoch"), 1.2)
    budget("forked by Optuna's with a value an epoch", ratio(found, "Optuna, a value an epoch", FORKED), 1.2)
    return found


def noop(asked: argparse.Namespace) -> dict[str, Any]:
    """Measure sweeps that do nothing."""
    found = compare("10 no-op trials", noop_sides(), asked.rounds)
    budget("seconds of ours", statistics.median(found[OURS]["wall_s"]), 5)
    budget("ours by bare Ray", ratio(found, "Ray and two tasks"), 0.8)
    return found


def again(asked: argparse.Namespace) -> dict[str, Any]:
    """Measure one sweep after the other in a process."""
    name = "three sweeps in a process"
    side = Side([sys.executable, "again.py"], files={"noop_sweep.py": NOOP, "again.py": AGAIN})
    side()
    walls = in_turns({name: side}, asked.rounds)[name]
    runs = [json.loads(output.splitlines()[-1]) for output in side.outputs(walls)]
    first, second, third = ([run[at] for run in runs] for at in range(3))
    print(f"10 no-op trials, one sweep after the other; {machine()}; seconds of Sweep.run")
    print(f"  first {spread(first, 2)}, second {spread(second, 2)}, third {spread(third, 2)}")
    budget("seconds of the second", statistics.median(second), 0.5)
    return {"first_s": first, "second_s": second, "third_s": third, "cpu_s": side.cpu_s(walls)}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", choices=PARTS, nargs="*", default=PARTS)
    parser.add_argument("--trials", type=int, default=64, help="digits trainings")
    parser.add_argument("--epochs", type=int, default=30, help="of a training")
    parser.add_argument("--no-peers", action="store_true", help="leave the digits trainings out")
    parser.add_argument("--no-tune", action="store_true", help="leave Ray Tune out")
    parser.add_argument("--peer-env", type=Path, default=peer_env.HOME, help="folder of the peers' environments")
    parser.add_argument("--stored-trials", type=int, default=10_000, help="of the store that verbs are asked of")
    parser.add_argument("--json", metavar="FILE", help="write the figures to a file")
    asked = parser.parse_args()
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    figures: dict[str, Any] = {}
    for part, measure in {"digits": digits, "noop": noop, "again": again}.items():
        if part in asked.only and not (part == "digits" and asked.no_peers):
            figures[part] = measure(asked)
            write_json(asked.json, figures)
    if "verbs" in asked.only:
        figures["verbs"] = verbs.measure(asked.stored_trials, asked.rounds)
        write_json(asked.json, figures)


if __name__ == "__main__":
    main()
