"""`caviar run`: sweep over the configurations that a file describes."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from caviar.cli.at_the_end import at_the_end, end_options
from caviar.cli.command_sweep import Described, command_sweep, described_options
from caviar.cli.options import Target, requirements_option, setting_options, target_options
from caviar.cli.output import data_only
from caviar.spec.settings import SETTINGS

if TYPE_CHECKING:
    from caviar.sweep import Sweep

EPILOG = """\b
--set KEY=VALUE overrides what the file declares:
  train.epochs=5      an argument of the train function
  space.lr.high=0.1   a bound of a parameter
  space.lr=0.01       a parameter, held at one value
  max_attempts=1      a keyword of the Sweep
VALUE takes the type of what it replaces, spelt as in JSON or in Python.

\b
Examples:
  caviar run experiments/digits.py
  caviar run experiments/digits.py --trials 256 --seed 1 --set train.epochs=5
  caviar run sweep.yaml --trials 40
  caviar run experiments/digits.py --gpus 0.25 --concurrency 8 --dry-run
  caviar run --metric val_loss --space lr=log:1e-4..1 --space units=8..256 \\
    -- python train.py {args} --seed {seed}
"""


COMMAND = "caviar.command"
"""In the context: the words after `--`."""


class Run(click.Command):
    """`caviar run`; who types an option for what FILE declares is told the setting that does it."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse as click does."""
        at = args.index("--") if "--" in args else len(args)
        ctx.meta[COMMAND] = tuple(args[at + 1 :])
        words = args = args[:at]
        try:
            return super().parse_args(ctx, list(args))
        except click.NoSuchOption as error:
            meant = _setting(error.option_name, words, [option for one in self.params for option in one.opts])
            if not meant:
                raise
            raise click.UsageError(f"No such option {error.option_name!r}; did you mean {meant}?", ctx) from error


def _setting(option: str, words: list[str], options: list[str]) -> str:
    """`--set train.epochs=5`, for `--epochs 5` where the command line's file has such a setting; empty: it has not."""
    import difflib
    import shlex

    from caviar.cli.experiment_file import load
    from caviar.errors import CaviarError
    from caviar.spec.overrides import setting_called

    file = next((word for word in words if word.partition(":")[0].endswith(".py")), None)
    if file is None or not option.startswith("--") or difflib.get_close_matches(option, options, cutoff=0.8):
        return ""
    try:
        with data_only():
            sweep = load(file)
    except CaviarError:
        return ""  # what is wrong with the file is told when the command line is right
    key = setting_called(option, sweep.train, sweep.space)
    at = next(at for at, word in enumerate(words) if word.partition("=")[0] == option)
    _, given, value = words[at].partition("=")
    if not given:
        value = next((word for word in words[at + 1 : at + 2] if not word.startswith("--") and word != file), "…")
    return f"--set {key}={value if value == '…' else shlex.quote(value)}" if key else ""


@click.command(cls=Run, epilog=EPILOG)
@click.argument("file", metavar="FILE[:NAME] | -- COMMAND…", required=False)
@click.option("--set", "settings", multiple=True, metavar="KEY=VALUE", help="Override what FILE declares; repeatable.")
@click.option("--fix", "fixed", multiple=True, metavar="NAME=VALUE", help="Hold a parameter at a value; repeatable.")
@setting_options
@described_options
@click.option(
    "--address",
    metavar="HOST:PORT",
    help="Join this Ray cluster (auto: by RAY_ADDRESS, or the one that Ray noted here).",
)
@click.option("--env", "named", multiple=True, metavar="NAME[=VALUE]", help="A variable for the trials; repeatable.")
@click.option("--workdir", "folder", metavar="DIR", help="The folder in which trials begin (default: this one).")
@click.option("--project", metavar="DIR", help="The folder that --files are named from (default: FILE's).")
@requirements_option
@click.option("--dry-run", is_flag=True, help="Show the plan and the first configs; run nothing.")
@click.option("--try", "tried", is_flag=True, help="Train the first trial here, without Ray; store nothing.")
@click.option(
    "--resume-or-start", is_flag=True, help="One sweep, however often this is typed: resume it, or wait for it."
)
@click.option(
    "--as", "key", metavar="WORD", help="With --resume-or-start: tell the sweep by this word, not by what it is."
)
@end_options
@click.option("-q", "--quiet", is_flag=True, help="No progress.")
@target_options
def verb(
    file: str | None, described: Described, address: str | None, quiet: bool, target: Target, **given: Any
) -> None:
    """Run the sweep that FILE describes, here or on a Ray cluster, to its end.

    FILE is a Python file that holds a `Sweep`; NAME says which, where it holds several. Or it is a sweep.yaml of W&B.
    In its place, any COMMAND may train: it gets its parameters as {args}, and prints lines such as epoch=3
    val_loss=0.5. Ctrl-C stops the sweep in good order, and `caviar resume` goes on.
    """
    from caviar.display.choose_display import choose_display
    from caviar.display.progress import slowly
    from caviar.run.signals import terminable

    dry_run, tried, report = given.pop("dry_run"), given.pop("tried"), given.pop("report")
    notify, project = given.pop("notify"), given.pop("project")
    again, key = given.pop("resume_or_start"), given.pop("key")
    requirements = given.pop("requirements")
    if key is not None and not again:
        raise click.UsageError("--as tells a sweep that may be there: add --resume-or-start, or leave it out")
    if dry_run and tried:
        raise click.UsageError("--dry-run runs nothing, and --try a trial: leave one of them out")
    command = command_words(file, described)
    progress = choose_display(quiet=quiet)
    with (
        data_only(),
        slowly(progress, f"importing {file or 'what a sweep needs'}{' and what it needs' if file else ''}…"),
        terminable("nothing was begun"),  # but for Ray, which is to be stopped
    ):  # the first time, all of it is compiled, too
        from caviar.cli.after_run import after_run
        from caviar.cli.experiment_file import load, split
        from caviar.run.ray_cluster import start_ray_early

        packages = b"" if requirements is None else _added(requirements)
        if file is None:
            sweep = command_sweep(command, described, here=address is None)
        else:
            if not (dry_run or tried or address):
                start_ray_early(split(file)[0], given["concurrency"], given["process"])
            sweep = load(file, described.metric).override(described.overriding)
        sweep = sweep.override(changes_of(given))
        sweep = replace(sweep, packages=packages) if packages else sweep
        sweep = sweep if project is None else replace(sweep, project=Path(project).absolute())
    if dry_run or tried:
        progress.end()
    if given["pausing"] and not sweep.plan.pauses:
        from caviar.search.stopping import PAUSING

        some = " or ".join(PAUSING)
        raise click.UsageError(f"--pausing needs a stop policy that pauses trials; add --stopping {some}")
    if dry_run or tried:
        _dry_run(sweep, target) if dry_run else _try(sweep, target)
        return
    with at_the_end(target, report=report, notify=notify) as told:
        with data_only():
            once: dict[str, Any] = {"resume_or_start": True, "key": key or ""} if again else {}
            result = sweep.run(store=target.store, address=address, progress=progress, **once)
        told(result.id)
        after_run(target, result.id)


def _added(requirements: str) -> bytes:
    """Fetch packages before the file is read, which imports them; they are as a zip what travels."""
    from caviar.cli.output import say
    from caviar.run.extra_packages import add_packages

    found = add_packages(Path(requirements))
    say(found.told)
    return found.archive


def command_words(file: str | None, described: Described) -> tuple[str, ...]:
    """The words of the command, where there is no file; see that there is one of both."""
    words: tuple[str, ...] = click.get_current_context().meta[COMMAND]
    if file is None and not words:
        raise click.UsageError("Name a FILE that holds a Sweep, or after -- a COMMAND that trains")
    if file is not None and words:
        raise click.UsageError(f"A FILE or a COMMAND at a time, got {file} and, after --, {words[0]}")
    if file is not None and described.of_a_command:
        raise click.UsageError(
            f"{described.of_a_command[0]} describes a COMMAND, and {file} says it by itself: leave it out"
        )
    return words


def changes_of(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the command line changes, by dotted name; an option of its own goes before --set."""
    changes: dict[str, Any] = dict(parse_setting(setting) for setting in given["settings"])
    changes |= {f"space.{name}": value for name, value in map(parse_setting, given.get("fixed", ()))}
    changes |= {f"env.{name}": value for name, value in _variables(given.get("named", ())).items()}
    if given.get("folder"):
        changes["workdir"] = os.path.abspath(given["folder"])
    flags = {name: given[name] for name, one in SETTINGS.items() if one.flag}
    changes |= {name: value for name, value in flags.items() if value is not None and value != ()}
    return changes


def _variables(words: Sequence[str]) -> dict[str, str]:
    from caviar.spec.variables import variables

    return variables(words)


def parse_setting(setting: str) -> tuple[str, str]:
    """`train.epochs=5` as ("train.epochs", Typed("5")): it takes the type of what it is put in place of.

    Raises:
        click.UsageError: there is no key or no `=`.
    """
    from caviar.spec.overrides import Typed

    key, equals, text = setting.partition("=")
    if not equals or not key.strip():
        raise click.UsageError(f"--set takes KEY=VALUE, such as train.epochs=5, got {setting!r}")
    return key.strip(), Typed(text)


def _try(sweep: "Sweep", target: Target) -> None:
    from caviar.cli.output import emit_json, say
    from caviar.cli.try_page import print_tried
    from caviar.errors import NoResultError
    from caviar.run.try_out import try_trial

    with data_only():
        document, _ = try_trial(sweep.plan, sweep.program)
    for line in document.advice:
        say(f"advice: {line}")
    emit_json(document) if target.as_json else print_tried(document)
    if document.error is not None:
        raise NoResultError(f"the trial failed: {document.error.strip().splitlines()[-1]}; nothing was stored")
    say("nothing was stored (--try)")


def _dry_run(sweep: "Sweep", target: Target) -> None:
    from caviar.cli.dry_run_page import print_dry_run
    from caviar.cli.output import emit_json, say
    from caviar.run.dry_run import dry_run_document

    with data_only():
        document = dry_run_document(sweep.plan, sweep.program, target.store)
    for line in document.advice:
        say(f"advice: {line}")
    if target.as_json:
        emit_json(document)
    else:
        print_dry_run(sweep.plan, document)
    say("nothing was run (--dry-run)")
