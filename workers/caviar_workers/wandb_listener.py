"""What a program gives to `wandb.log` is told to Caviar too, as lines of JSON.

A copy of this file lies on the program's PYTHONPATH as `sitecustomize.py`, which Python imports as it starts. It runs
in the user's own environment, so it needs nothing but Python. Whatever goes wrong here, wandb works as it does without.
"""

from __future__ import annotations

import functools
import importlib.util
import json
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import Any

HERE = os.path.dirname(os.path.abspath(__file__))


class Listener(MetaPathFinder):
    """Waits for the import of wandb."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Find wandb where the others do, and listen to it once it is imported."""
        if fullname != "wandb":
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec("wandb")
        if spec is not None and spec.loader is not None:
            execute = spec.loader.exec_module

            def executed(module: ModuleType) -> None:
                execute(module)
                with suppress(Exception):
                    listen(module)

            spec.loader.exec_module = executed  # type: ignore[method-assign]
        return spec


def listen(wandb: Any) -> None:
    """Listen to each run that wandb begins."""
    begin = wandb.init

    @functools.wraps(begin)
    def init(*args: Any, **kwargs: Any) -> Any:
        run = begin(*args, **kwargs)
        with suppress(Exception):
            _listen_to(wandb, run)
        return run

    wandb.init = init


def _listen_to(wandb: Any, run: Any) -> None:
    """Give a run the trial's configuration, as an agent of W&B does, and hear what it logs."""
    log = run.log
    if hasattr(log, "heard"):  # the same one again
        return
    with open(os.environ["CAVIAR_CONFIG"], encoding="utf-8") as file:
        run.config.update(json.load(file), allow_val_change=True)

    @functools.wraps(log)
    def heard(data: Any, step: int | None = None, *args: Any, **kwargs: Any) -> None:
        log(data, step, *args, **kwargs)
        with suppress(Exception):
            tell(data, step)

    heard.heard = True  # type: ignore[attr-defined]
    run.log = heard
    if wandb.run is run:
        wandb.log = heard


def tell(data: Mapping[str, Any], step: int | None) -> None:
    """Write the numbers of a row as a line."""
    said = dict(_numbers(data))
    if said:
        line = json.dumps(said if step is None else {"step": step, **said})
        with open(os.environ["CAVIAR_METRICS"], "a", encoding="utf-8") as file:
            file.write(line + "\n")


def _numbers(data: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, float]]:
    for name, value in data.items():
        if isinstance(value, Mapping):
            yield from _numbers(value, f"{above}{name}.")
        elif getattr(value, "ndim", None) == 0 and hasattr(value, "item"):  # a scalar of numpy, torch, …
            yield from _numbers({name: value.item()}, above)
        elif isinstance(value, (int, float)):
            yield f"{above}{name}", value


def _run_the_other() -> None:
    """Run the `sitecustomize` that this one stands before."""
    elsewhere = [path for path in sys.path if os.path.abspath(path or ".") != HERE]
    spec = PathFinder.find_spec("sitecustomize", elsewhere)
    if spec is not None and spec.loader is not None:
        spec.loader.exec_module(importlib.util.module_from_spec(spec))


if __name__ == "sitecustomize":
    sys.meta_path.insert(0, Listener())
    _run_the_other()
