"""The entry point: verbs are found by name, errors become one sentence and an exit code."""

import atexit
import contextlib
import errno
import logging
import os
import sys
import threading
import traceback
from collections.abc import Iterator, Sequence
from typing import NoReturn

import click

from caviar.cli.verbs import Verbs
from caviar.display.typed_commands import CALLED
from caviar.errors import INTERRUPTED, CaviarError, SweepInterrupted
from caviar.run.quick_end import end_quickly
from caviar.run.signals import noted

BROKEN_PIPE = 141

EPILOG = """\b
SWEEP is an id, its beginning or end (from 4 characters), or a name;
default: the latest.
TRIAL is a number, 42 or t42; after its SWEEP, if that is not the latest.
The store is ./caviar-store, $CAVIAR_STORE or --store DIR (s3://…, gs://…).

\b
Exit codes:
  0    done
  1    an unexpected error
  2    a wrong command line or sweep description
  3    the sweep ended without a usable result
  4    no such sweep, trial or metric
  5    the store is locked, full, newer, damaged or unreadable
  6    the cluster cannot be reached
  130  interrupted: `caviar resume` goes on
  129  the terminal was closed: `caviar resume` goes on
  143  terminated: `caviar resume` goes on

\b
First steps:
  caviar run experiments/digits.py
  caviar best
"""
OF_A_CHECKOUT = """
\b
Of a checkout's own script:
  ./caviar add PACKAGE…   packages that your experiments need
  ./caviar test           the tests
"""


def _print_version(ctx: click.Context, _param: click.Parameter, asked: bool) -> None:
    if asked and not ctx.resilient_parsing:
        from importlib.metadata import version

        click.echo(f"caviar {version('caviar-sweep')}")
        ctx.exit()


@click.group(
    cls=Verbs,
    epilog=EPILOG + (OF_A_CHECKOUT if CALLED in os.environ else ""),
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    no_args_is_help=False,
    invoke_without_command=True,
)
@click.option(
    "--version",
    is_flag=True,
    expose_value=False,
    is_eager=True,
    callback=_print_version,
    help="Show the version and exit.",
)
@click.pass_context
def cli(ctx: click.Context) -> None:
    """Train many models in parallel and keep the best curve."""
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())


def main(args: Sequence[str] | None = None) -> NoReturn:
    """Run the program and exit: 0, or the code of the error, which is told in one sentence on stderr."""
    sys.stdout = sys.stdout or open(os.devnull, "w")  # noqa: SIM115 — whoever closed it reads nothing, until the end
    sys.stderr = sys.stderr or open(os.devnull, "w")  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # a terminal that lacks a character shows `?`
    if args is None:
        end_quickly()
        _leave(_run(args))
    sys.exit(_run(args))


def _leave(code: int) -> NoReturn:
    """End the process as Python would, but for taking the interpreter apart: with Ray loaded that takes a second.

    What must be durable is durable by now. Threads are waited for and exit functions run, in Python's own order.
    """
    threading._shutdown()  # type: ignore[attr-defined]  # what Python calls first: it waits for threads that are no daemons
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
    os._exit(code)


def _run(args: Sequence[str] | None) -> int:
    """The exit code; every way to end but the process's own death."""
    from caviar.cli.still_working import still_working
    from caviar.display.typed_commands import remember_store

    remember_store(None)
    words = list(sys.argv[1:] if args is None else args)
    heard: list[int] = []
    try:
        # Not click's own main: that ends with 1 where a reader of stdout left.
        with noted(heard), still_working(words), _warnings(), cli.make_context("caviar", words) as context:
            cli.invoke(context)
        sys.stdout.flush()
    except click.exceptions.Exit as end:
        return end.exit_code
    except BrokenPipeError:
        _drop_output()
        return BROKEN_PIPE
    except (Exception, KeyboardInterrupt) as error:
        return _told(KeyboardInterrupt() if heard and not isinstance(error, SweepInterrupted) else error, words)
    return 0


@contextlib.contextmanager
def _warnings() -> Iterator[None]:
    """Tell what the rooms below warn of, such as a sweep that is left out: each once, a line on stderr."""
    told: set[str] = set()

    class Lines(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            text = record.getMessage()
            if text not in told:
                told.add(text)
                _tell(text)

    logger, handler = logging.getLogger("caviar"), Lines(logging.WARNING)
    propagated, logger.propagate = logger.propagate, False
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.propagate = propagated


def _told(error: BaseException, words: Sequence[str]) -> int:
    """Tell what went wrong with a command line, in one sentence; returns the exit code."""
    if isinstance(error, (CaviarError, SweepInterrupted)):
        _tell(str(error))
        return error.exit_code
    if isinstance(error, click.ClickException):
        _tell(_sentence(error, words))
        return error.exit_code
    if isinstance(error, (KeyboardInterrupt, click.Abort)):
        _tell("interrupted")
        return INTERRUPTED
    if isinstance(error, FileNotFoundError) and _is_homeless():
        _tell("the folder that you work in was removed: cd to another one and type the same again")
        return 2
    if isinstance(error, OSError) and error.errno in {errno.ENOSPC, errno.EIO} and error.filename is None:
        _drop_output()
        _tell(f"cannot write the output: {error.strerror}; send it elsewhere")
        return 1
    _tell_all("".join(traceback.format_exception(error)))
    _tell(f"unexpected {type(error).__name__}: {error} (please report it with the lines above)")
    return 1


def _is_homeless() -> bool:
    try:
        os.getcwd()
    except OSError:
        return True
    return False


def _sentence(error: click.ClickException, words: Sequence[str]) -> str:
    """Say what went wrong, and where the right usage is written."""
    where = getattr(error, "ctx", None)
    path = where.command_path if where is not None else _command(words)
    if isinstance(error, click.NoSuchOption):
        from caviar.cli.option_hints import no_option

        text = no_option(error)
    else:
        text = error.format_message()
    for theirs, ours in (("a valid integer range", "a whole number"), ("a valid float range", "a number")):
        text = text.replace(theirs, ours)
    return f"{text} ({path} --help)"


def _command(words: Sequence[str]) -> str:
    """The verb that a command line begins with, such as `caviar store check`: click's parser does not say it."""
    path: str = "caviar"
    command: click.Command = cli
    for word in words:
        found = command.get_command(click.Context(command), word) if isinstance(command, click.Group) else None
        if found is None:
            break
        path, command = f"{path} {word}", found
    return path


def _tell(text: str) -> None:
    from caviar.cli.output import say
    from caviar.display.sanitize import one_line

    with contextlib.suppress(OSError):
        say(f"caviar: {one_line(text)}")


def _tell_all(text: str) -> None:
    from caviar.display.sanitize import plain

    with contextlib.suppress(OSError):
        click.echo(plain(text), err=True)


def _drop_output() -> None:
    """The reader of stdout left (`| head`): what Python flushes at exit goes nowhere."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


if __name__ == "__main__":
    main()
