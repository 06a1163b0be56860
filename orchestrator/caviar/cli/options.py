"""Options and arguments that several verbs share, so that they mean the same everywhere and go after the verb."""

from __future__ import annotations

import functools
import math
import re
import shlex
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import click

from caviar.display.typed_commands import DEFAULT_STORE, remember_store
from caviar.spec.settings import SETTINGS, Kind, Setting

if TYPE_CHECKING:
    from caviar.run.code_to_run import Code


class OptionsLast(click.Group):
    """A group with no options of its own but `--help` and the like."""

    usual = ""
    """The verb that is named as an example where none was typed; empty: there is none."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse as click does; an option of the verb that comes before it is an error with the right command line."""
        words = list(args)
        try:
            return super().parse_args(ctx, args)
        except click.NoSuchOption as error:
            verbs = self.list_commands(ctx)
            at = next((at for at, word in enumerate(words) if at and word in verbs), len(words))
            verb, *after = words[at:] or [self.usual]
            if error.option_name not in options_of(ctx, self.get_command(ctx, verb)):
                raise
            meant = f"{ctx.command_path} {shlex.join([verb, *after, *words[:at]])}"
            raise click.UsageError(
                f"Options go after the verb, and so does {error.option_name}: {meant}", ctx
            ) from error


def options_of(ctx: click.Context, command: click.Command | None) -> set[str]:
    """The options of a verb, or of any of its own verbs."""
    group = command if isinstance(command, click.Group) else None
    inner = [] if group is None else [group.get_command(ctx, name) for name in group.list_commands(ctx)]
    return {
        option
        for one in (command, *inner)
        for parameter in (one.params if one is not None else ())
        for option in (*parameter.opts, *parameter.secondary_opts)
    }


UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}

PART = r"([0-9.eE+-]+)\s*"
"""A number before its unit."""

Verb = Callable[..., None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What a verb works on, and the form of its answer.

    Attributes:
        store: path of the store.
        sweep: as the user named it; None is the latest.
        as_json: one JSON document, rather than text for a person.
    """

    store: str
    sweep: str | None
    as_json: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranking:
    """How trials are compared: which value of a curve counts (None: as the sweep says), up to which step."""

    rule: str | None
    at_step: int | None


def _named(ctx: click.Context, param: click.Parameter, store: str) -> str:
    """See that a store is named: a shell's variable that is empty is none, and not this folder."""
    if not store.strip():
        raise click.UsageError("--store names a folder or a bucket, but got an empty text")
    remember_store(store)
    return store


def store_option(function: Verb) -> Verb:
    """Add the option `--store`."""
    return click.option(
        "--store",
        metavar="DIR",
        envvar="CAVIAR_STORE",
        default=DEFAULT_STORE,
        show_default=True,
        show_envvar=True,
        callback=_named,
        help="Where results are kept: a folder, s3://bucket/prefix or gs://bucket/prefix.",
    )(function)


def target_options(function: Verb) -> Verb:
    """`--store` and `--json`, and the verb's SWEEP if it has one, as one argument `target`."""

    @functools.wraps(function)
    def verb(*, store: str, as_json: bool, sweep: str | None = None, **others: Any) -> None:
        function(target=Target(store=store, sweep=sweep, as_json=as_json), **others)

    return store_option(click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")(verb))


def output_options(
    text: str, *, metavar: str = "FILE", required: bool = True, report: bool = False
) -> Callable[[Verb], Verb]:
    """`-o` of a verb that writes a file, as `output`, and `--force`: the rule of `whole_file.check_free`, kept at once.

    Args:
        text: What `--help` says of `-o`.
        metavar: What stands there for the file.
        required: Whether it must be given.
        report: Whether it is a report, which takes the place of an older one.
    """

    def check(ctx: click.Context, param: click.Parameter, output: str | None) -> str | None:
        if output is not None:
            from caviar.display.whole_file import check_free

            check_free(output, force=forced(), ours=_is_report if report else lambda _: False)
        return output

    def note(ctx: click.Context, param: click.Parameter, force: bool) -> None:
        ctx.meta[_FORCE] = force

    def add(function: Verb) -> Verb:
        what = f"Replace a file that is there{' and no report' if report else ''}."
        function = click.option("--force", is_flag=True, is_eager=True, expose_value=False, callback=note, help=what)(
            function
        )
        return click.option("-o", "--output", required=required, metavar=metavar, callback=check, help=text)(function)

    return add


_FORCE = "caviar.force"


def forced() -> bool:
    """Whether the verb that runs was given the `--force` of `output_options`."""
    return bool(click.get_current_context().meta.get(_FORCE))


def _is_report(file: str) -> bool:
    from caviar.results.report.report_file import is_report

    return is_report(file)


class Duration(click.ParamType):  # type: ignore[type-arg]  # generic only in later versions of click
    """Seconds, as `90`, `90s`, `30m`, `2h`, `1d` or `1h30m`."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return the seconds."""
        text = str(value).strip()
        parts = re.findall(rf"{PART}([smhd])", text) if re.fullmatch(rf"({PART}[smhd]\s*)+", text) else [(text, "s")]
        try:
            seconds = sum(float(number) * UNITS[unit] for number, unit in parts)
        except ValueError:
            seconds = 0.0
        if not 0 < seconds < math.inf:
            self.fail(
                f"A time is a number of seconds, or with units such as 90s, 30m, 1h30m, got {value!r}", param, ctx
            )
        return seconds


class Moment(click.ParamType):  # type: ignore[type-arg]  # generic only in later versions of click
    """`2h` or `7d` ago, or a date or time such as `2026-11-23` or `2026-11-23T04:00` (UTC unless it says)."""

    name = "moment"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """Return the moment, in UTC."""
        text = str(value).strip()
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            return datetime.now(UTC) - timedelta(seconds=self._ago(text, param, ctx))
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)

    def _ago(self, text: str, param: click.Parameter | None, ctx: click.Context | None) -> float:
        try:
            ago = Duration().convert(text, param, ctx)
            datetime.now(UTC) - timedelta(seconds=ago)
        except (click.UsageError, OverflowError):
            self.fail(
                f"A moment is a time ago such as 90m, 2h, 7d, or a date such as 2026-11-23, got {text!r}", param, ctx
            )
        return ago


def setting_option(declared: Setting) -> Callable[[Verb], Verb]:
    """The flag of a setting, as it is declared; None where it is not given, and () where it may be repeated."""
    kind, flag = declared.kind, declared.flag
    assert flag is not None
    how: dict[str, Any] = {"help": flag.help, "metavar": flag.metavar or None, "multiple": flag.repeated}
    if kind.name == "switch":
        how = {"help": flag.help, "is_flag": True, "default": None}
    elif kind.among:
        how |= {"type": click.Choice(kind.among)}
    elif kind.name in _TYPES:
        how |= {"type": _TYPES[kind.name](kind)}
    return click.option(declared.option, declared.name, **how)


_TYPES: dict[str, Callable[[Kind], click.ParamType]] = {  # type: ignore[type-arg]  # generic only in later versions of click
    "whole": lambda kind: click.IntRange(min=kind.least),  # type: ignore[arg-type]  # a whole number
    "amount": lambda kind: click.FloatRange(min=kind.least),
    "seconds": lambda _kind: Duration(),
}


def setting_options(function: Verb) -> Verb:
    """The flags of all settings that have one, in their order."""
    for declared in reversed(SETTINGS.values()):
        function = setting_option(declared)(function) if declared.flag else function
    return function


def sweep_option(text: str) -> Callable[[Verb], Verb]:
    """`--sweep SWEEP`, which every verb has that works on a sweep."""
    return click.option("--sweep", metavar="SWEEP", help=text)


def requirements_option(function: Verb) -> Verb:
    """`--requirements`: packages that travel with the sweep."""
    text = "Packages that FILE imports and the machines have not; fetched where the driver runs."
    return click.option("--requirements", metavar="FILE", help=text)(function)


def take_over_option(function: Verb) -> Verb:
    """`--take-over`, for verbs that write to a sweep."""
    text = "Take the sweep from an owner that cannot be understood, once it is silent."
    return click.option("--take-over", is_flag=True, help=text)(function)


def sweep_argument(function: Verb) -> Verb:
    """A positional SWEEP, or the same as `--sweep`; neither is the latest."""

    @functools.wraps(function)
    def verb(*, words: tuple[str, ...], sweep: str | None, **others: Any) -> None:
        if len(words) > 1:
            raise click.UsageError(f"One SWEEP at a time, got {' '.join(words)}")
        function(sweep=_the_sweep(words[0] if words else None, sweep), **others)

    both = sweep_option("The same as SWEEP.")(verb)
    return click.argument("words", nargs=-1, metavar="[SWEEP]")(both)


def trial_argument(function: Verb) -> Verb:
    """`TRIAL`, or `SWEEP TRIAL`, or `TRIAL --sweep SWEEP`, as arguments `sweep` and `trial`."""

    @functools.wraps(function)
    def verb(*, words: tuple[str, ...], sweep: str | None, **others: Any) -> None:
        if len(words) > 2:
            raise click.UsageError(f"One SWEEP and one TRIAL at a time, got {' '.join(words)}")
        *before, word = words
        function(sweep=_the_sweep(before[0] if before else None, sweep), trial=trial_number(word), **others)

    both = sweep_option("The same as SWEEP.")(verb)
    return click.argument("words", nargs=-1, required=True, metavar="[SWEEP] TRIAL")(both)


def best_or_trial(function: Verb) -> Verb:
    """`[SWEEP] [TRIAL]`, as arguments `sweep` and `trial`; without TRIAL, that is None. A lone number is a TRIAL."""

    @functools.wraps(function)
    def verb(*, words: tuple[str, ...], sweep: str | None, **others: Any) -> None:
        if len(words) > 2:
            raise click.UsageError(f"One SWEEP and one TRIAL at a time, got {' '.join(words)}")
        last = [word for word in words[-1:] if len(words) == 2 or re.fullmatch("t?[0-9]{1,15}", word)]
        before = words[: len(words) - len(last)]
        trial = trial_number(last[0]) if last else None
        function(sweep=_the_sweep(before[0] if before else None, sweep), trial=trial, **others)

    both = sweep_option("The same as SWEEP.")(verb)
    return click.argument("words", nargs=-1, metavar="[SWEEP] [TRIAL]")(both)


def _the_sweep(word: str | None, option: str | None) -> str | None:
    if word is not None and option is not None and word != option:
        raise click.UsageError(f"SWEEP is given twice, as {word!r} and as --sweep {option!r}; give one")
    return option if word is None else word


def trial_number(word: str) -> int:
    """A trial's number, from 0, as `19` or as `t19`.

    Raises:
        click.UsageError: the word is no such number.
    """
    digits = word.removeprefix("t")
    if not (digits.isascii() and digits.isdigit() and len(digits) < 16):
        raise click.UsageError(f"A trial is a number from 0, such as 19 or t19, got {word!r}")
    return int(digits)


class TrialNumber(click.ParamType):  # type: ignore[type-arg]  # generic only in later versions of click
    """A trial's number as the value of an option."""

    name = "trial"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Return the number."""
        return trial_number(str(value))


def axis_option(function: Verb) -> Verb:
    """`--log` and `--linear`, as `log`: True, False, or None for the axis that suits the curves."""
    text = "A logarithmic or a linear y-axis (default: what shows more)."
    return click.option("--log/--linear", "log", default=None, help=text)(function)


def rule_option(function: Callable[..., None]) -> Callable[..., None]:
    """Add the option `--rule`."""
    return click.option(
        "--rule",
        type=click.Choice(["last", "best", "smoothed"]),
        help="Which value of a curve counts (default: the sweep's own rule).",
    )(function)


def ranking_options(function: Verb) -> Verb:
    """`--rule` and `--at-step`, as one argument `ranking`."""

    @functools.wraps(function)
    def verb(*, rule: str | None, at_step: int | None, **others: Any) -> None:
        function(ranking=Ranking(rule=rule, at_step=at_step), **others)

    verb = click.option(
        "--at-step",
        type=click.IntRange(min=0),
        metavar="N",
        help="Compare by what was reported up to this step.",
    )(verb)
    return rule_option(verb)


def trust_option(function: Callable[..., None]) -> Callable[..., None]:
    """Add the option `--trust`."""
    text = "Run the code of a sweep that another user made."
    return click.option("--trust", is_flag=True, help=text)(function)


def code_if_trusted(trust: bool) -> Code:
    """The code that is stored; the option, or whoever sits at the terminal, says whether another user's may run."""
    from caviar.run.code_to_run import Code

    trusted: set[Any] = set()

    def ask(origin: str) -> bool:
        from caviar.display.sanitize import one_line

        if not trust and origin not in trusted:
            if not sys.stdin.isatty():
                return False
            if not click.confirm(f"Run the code of {one_line(origin)}, as yourself?", err=True):
                return False
        trusted.add(origin)
        return True

    return Code(trust=ask)
