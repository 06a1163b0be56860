"""Options go after the verb: before it, each of them is an error that says the right command line."""

import shlex

import click
import pytest

from caviar.cli.main import cli
from caviar.display.verb_names import VERBS

STORE = cli.get_command(click.Context(cli), "store")
HERE = {"--help", "-h", "--version"}


def options_of(command):
    return [(name, one) for one in command.params if isinstance(one, click.Option) for name in one.opts]


PLACES = [
    *(
        (("caviar",), (verb,), option)
        for verb in VERBS
        for option in options_of(cli.get_command(click.Context(cli), verb))
    ),
    *((("caviar", "store"), (name,), option) for name, verb in STORE.commands.items() for option in options_of(verb)),
    *((("caviar",), ("store", name), option) for name, verb in STORE.commands.items() for option in options_of(verb)),
]


def test_every_option_of_every_verb(caviar):
    assert len(PLACES) > 100
    for (_, *group), verb, (name, option) in PLACES:
        if name in HERE:
            continue
        given = [name] if option.is_flag else [name, "a b"]
        got = caviar(*group, *given, *verb, "word")
        assert (got.code, got.out) == (2, ""), (name, got)
        meant = shlex.join(["caviar", *group, *verb, "word", *given])
        assert got.err.startswith(f"caviar: Options go after the verb, and so does {name}: {meant} ("), got.err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--store", "X"], "caviar ls --store X"),
        (["--json"], "caviar ls --json"),
        (["--nope", "ls"], "No such option '--nope'"),
        (["--hlep"], "; did you mean --help?"),
        (["--versoin", "ls"], "; did you mean --version?"),
        (["store", "--nope", "check"], "No such option '--nope'"),
    ],
)
def test_without_a_verb_or_an_option_of_it(caviar, words, said):
    got = caviar(*words)
    assert (got.code, got.out, got.err.count("\n")) == (2, "", 1)
    assert said in got.err


def test_every_option_without_its_value_names_the_help_of_its_verb(caviar):
    for (_, *group), verb, (name, option) in PLACES:
        if option.is_flag or name in HERE or (option.metavar or "").startswith("["):  # it may stand alone
            continue
        got = caviar(*group, *verb, name)
        assert got.code == 2
        assert (
            got.err == f"caviar: Option '{name}' requires an argument. ({' '.join(['caviar', *group, *verb])} --help)\n"
        )
