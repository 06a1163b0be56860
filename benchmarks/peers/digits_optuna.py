"""The digits trainings with Optuna: two processes, random sampler, journal storage; in an environment of its own.

    python benchmarks/peers/digits_optuna.py TASKS [--reports]

The study draws its random configurations as it does for anyone, and trains the given ones in their place. Its journal
is made in the working folder. With `--reports` each epoch's dev error is stored too, as ours are; without, the last
one only.
"""

import argparse
import math
import multiprocessing

import optuna
from digits_trainings import Trainings, tell

PROCESSES = 2
NAME = "digits"


def storage() -> optuna.storages.JournalStorage:
    """The journal; each process opens it."""
    return optuna.storages.JournalStorage(optuna.storages.journal.JournalFileBackend("journal"))


def draw(trial: optuna.Trial) -> None:
    """Draw what experiments/digits.py sweeps."""
    trial.suggest_float("lr", 1e-4, 1.0, log=True)
    trial.suggest_float("beta", 0.9, 0.999)
    trial.suggest_int("units", 50, 100)
    trial.suggest_int("layers", 2, 4)
    trial.suggest_int("batch", 8, 256, log=True)
    trial.suggest_float("decay", 0.01, 1.0, log=True)
    trial.suggest_categorical("optimizer", ["momentum", "adam"])


def work(trainings: Trainings, reports: bool) -> None:
    """Train until all are taken."""
    study = optuna.load_study(study_name=NAME, storage=storage(), sampler=optuna.samplers.RandomSampler())

    def objective(trial: optuna.Trial) -> float:
        if trial.number >= len(trainings.tasks):
            study.stop()
            raise optuna.TrialPruned
        draw(trial)

        def report(step: int, metrics: dict[str, float]) -> None:
            if reports:
                trial.report(metrics["val_error"], step)

        return trainings.train(trial.number, report)

    study.optimize(objective)


def main() -> None:
    """Train all, test the winner, and print what was found."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("tasks")
    parser.add_argument("--reports", action="store_true")
    asked = parser.parse_args()
    trainings = Trainings(asked.tasks)
    study = optuna.create_study(study_name=NAME, storage=storage())
    forked = multiprocessing.get_context("fork")  # what is imported here is imported once: the quickest that there is
    processes = [forked.Process(target=work, args=(trainings, asked.reports)) for _ in range(PROCESSES)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    ended = [trial for trial in study.get_trials(deepcopy=False) if trial.number < len(trainings.tasks)]
    tell(
        {trial.number: math.nan if trial.value is None else trial.value for trial in ended},
        trainings.test(study.best_trial.number),
    )


if __name__ == "__main__":
    main()
