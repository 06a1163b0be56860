"""Any program as a train function: each trial starts it, and what it prints is the trial's learning curve."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from caviar_workers.config_form import nested
from caviar_workers.extra_packages import for_programs
from caviar_workers.printed_metrics import FORMS, PrintedMetrics
from caviar_workers.subprogram import CommandError, Subprogram

if TYPE_CHECKING:
    from caviar_workers.trial import Trial

FACTS = ("args", "overrides", "seed", "trial", "attempt", "sweep", "config", "metrics", "checkpoint")
"""What braces in a command stand for, beside parameters."""
_BRACES = re.compile(r"\{\{([A-Za-z_][\w.]*)\}\}|\{([A-Za-z_][\w.]*)\}")


@dataclass(frozen=True)
class Command:
    """A program to train with, in the place of a function: `Sweep(Command("python train.py {args} --seed {seed}"), …)`.

    Each word of the command line stays one word, whatever is put into it, and no shell sees it. In a word, `{lr}` is
    the trial's value of the parameter `lr`; a word that names a parameter which a trial does not have is left out.
    `{args}` alone stands for `--NAME=VALUE` of all parameters, `{overrides}` for `NAME=VALUE`. There are also `{seed}`,
    `{trial}`, `{attempt}`, `{sweep}`, and the paths of files: `{config}` (all parameters, as JSON), `{metrics}` and
    `{checkpoint}`. The program finds the same as CAVIAR_SEED, CAVIAR_CONFIG and so on in its environment. `{{lr}}` is
    the text `{lr}`.

    It reports by printing lines to its standard output: JSON objects such as `{"epoch": 3, "val_loss": 0.5}`, or text
    such as `epoch=3 val_loss=0.5`. Where the command has `{metrics}`, it is to write JSON objects to that file, a line
    each, and what it prints is only kept as its output.

    A trial that is stopped gets SIGTERM, with all processes that it
    started, and SIGKILL ten seconds later. Where the process that trains is killed, as by the end of the sweep, the
    program is too, with what it started. An exit code other than 0 is a failure; the last lines of its standard error
    are told with it.

    To go on after its process died, or after a pause, it saves a checkpoint in one file and prints where:
    `{"epoch": 3, "checkpoint": "/tmp/a.pt"}`, or `epoch=3 checkpoint=/tmp/a.pt`. Another attempt finds the file at
    `{checkpoint}`; where there is none, it begins at the beginning. When the trial is edited, it is ended at its next
    checkpoint, and started again from there with the new values.

    Args:
        words: The command line, as a text that is split as a shell does, or as its words.
        read: The form of its reports: `auto`, `json`, or `pairs` (`name=value`, `name: value`); `wandb`: what a program
            in Python gives to `wandb.log`, whatever it prints.
        step: Name that counts steps in its reports; None: the first one that occurs of epoch, step, global_step,
            iteration, iter, round, update.
        folder: Where it begins; None: in the working folder in which the sweep is described.

    Raises:
        ValueError: There is no word, quotes are not closed, or `read` is none of these.
    """

    words: str | Sequence[str]
    _: KW_ONLY
    read: str = "auto"
    step: str | None = None
    folder: str | None = None
    takes_dots: ClassVar[bool] = True
    """Its configurations have dotted names: `{optim.lr}`."""
    reads_once: ClassVar[bool] = True
    """What is edited is put into its words when it is started again, from its next checkpoint."""

    def __post_init__(self) -> None:
        words = shlex.split(self.words) if isinstance(self.words, str) else list(self.words)
        if not words or not words[0] or any("\0" in one for one in words):
            raise ValueError(
                f"a command is a program and its arguments, such as 'python train.py', got {self.words!r:.80}"
            )
        if self.read not in FORMS:
            raise ValueError(f"a command's output is read as {', '.join(FORMS)}, but got read={self.read!r:.40}")
        object.__setattr__(self, "words", tuple(words))

    @property
    def names(self) -> set[str]:
        """What stands in braces in the command's words."""
        return {found[2] for word in self.words for found in _BRACES.finditer(word) if found[2]}

    def argv(self, config: Mapping[str, Any], facts: Mapping[str, Any], parameters: set[str]) -> list[str]:
        """The command's words for one trial.

        Args:
            config: Its parameters.
            facts: Its seed, number and so on.
            parameters: Names that its words have, whether this trial has such a parameter or not.
        """
        return [one for word in self.words for one in _filled(word, config, facts, parameters)]

    def __call__(self, config: Mapping[str, Any], trial: Trial) -> None:
        """Run it for one trial.

        Raises:
            CommandError: It could not be started, or ended with an exit code other than 0.
        """
        with tempfile.TemporaryDirectory(prefix="caviar-") as scratch:
            folder = Path(scratch)
            files = {name: str(folder / f"{name}{end}") for name, end in _FILES.items()}
            Path(files["config"]).write_text(json.dumps(nested(config), default=str), "utf-8")
            saved = trial.load()
            if saved is not None:
                Path(files["checkpoint"]).write_bytes(saved.data)
            facts = {name: getattr(trial, name) for name in ("seed", "attempt", "sweep")}
            facts |= {"trial": trial.number} | files
            argv = self.argv(config, facts, self.names.difference(FACTS))
            environment = {f"CAVIAR_{name.upper()}": str(value) for name, value in facts.items()}
            reader = PrintedMetrics(
                metric=trial.metric, form=self.read, step=self.step, parameters=set(config), newest=trial.start - 1
            )
            listening = self.read == "wandb"
            environment |= for_programs() | (_listening(folder) if listening else {})
            told = Path(files["metrics"]) if listening or "metrics" in self.names else None
            with Subprogram(argv, environment, told, self.folder) as program:
                for line in program.lines(lambda: trial.ending):
                    self._report(trial, reader, line)
                unheard = self.read == "auto" and not trial.reported and uses_wandb(argv, self.folder)
                try:
                    program.ended_well()
                except CommandError as error:
                    if not unheard or "API key" not in str(error):
                        raise
                    raise CommandError(f"{error}\nwandb has no account here: --read wandb runs it offline") from None
            if unheard:
                raise CommandError(f"{argv[0]} printed no metrics, but it uses wandb: --read wandb hears wandb.log")

    @staticmethod
    def _report(trial: Trial, reader: PrintedMetrics, line: str) -> None:
        said = reader.read(line)
        if said is None:
            return
        if said.metrics:
            trial.report(said.step, **said.metrics)
        if said.checkpoint is not None:
            with tempfile.TemporaryDirectory(prefix="caviar-") as aside:  # the program may go on to write to its own
                trial.save(said.step, shutil.copyfile(said.checkpoint, os.path.join(aside, "checkpoint")))


_LISTENER = Path(__file__).with_name("wandb_listener.py")
_WANDB = re.compile(rb"^\s*(?:import|from)\s+wandb\b", re.MULTILINE)
_MOST_SOURCE = 2**20
"""Bytes of a file that is looked into."""
_FILES = {"config": ".json", "metrics": ".jsonl", "checkpoint": ""}


def _listening(folder: Path) -> dict[str, str]:
    """The variables by which a program's wandb is listened to; it needs no account, unless its user says so."""
    (folder / "listener").mkdir()
    shutil.copyfile(_LISTENER, folder / "listener" / "sitecustomize.py")
    others = for_programs().get("PYTHONPATH", os.environ.get("PYTHONPATH"))
    path = os.pathsep.join([str(folder / "listener"), *([others] if others else [])])
    return {"PYTHONPATH": path} | ({} if "WANDB_MODE" in os.environ else {"WANDB_MODE": "offline"})


def uses_wandb(words: Sequence[str], folder: str | None) -> bool:
    """Whether a file among a command's words imports wandb."""
    paths = [Path(folder or ".", word) for word in words if word.endswith(".py")]
    return any(
        path.is_file() and path.stat().st_size <= _MOST_SOURCE and _WANDB.search(path.read_bytes()) for path in paths
    )


def _filled(word: str, config: Mapping[str, Any], facts: Mapping[str, Any], parameters: set[str]) -> Iterator[str]:
    if word in ("{args}", "{overrides}"):
        dashes = "--" if word == "{args}" else ""
        yield from (f"{dashes}{name}={in_a_word(value)}" for name, value in config.items())
        return
    named = {found[2] for found in _BRACES.finditer(word) if found[2]}
    if any(name in parameters and name not in config for name in named):
        return
    values = {**facts, **config}
    yield _BRACES.sub(
        lambda found: (
            f"{{{found[1]}}}" if found[1] else in_a_word(values[found[2]]) if found[2] in values else found[0]
        ),
        word,
    )


def in_a_word(value: Any) -> str:
    """A parameter's value as a program reads it: numbers with all their digits, truth values as true and false."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool) or value is None or isinstance(value, (list, tuple, dict)):
        return json.dumps(value, default=str)
    return str(value)
