"""Options that reach the backends."""

from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

from caviar.cli.main import cli
from caviar.cli.options import Duration, Target, target_options
from caviar.cli.verb_run import changes_of, parse_setting
from caviar.spec.overrides import read
from caviar.spec.settings import SETTINGS


@pytest.mark.parametrize(
    ("setting", "expected"),
    [
        ("train.epochs=5", ("train.epochs", 5)),
        ("space.lr.high=0.1", ("space.lr.high", 0.1)),
        ("train.name=relu", ("train.name", "relu")),
        ('train.name="5"', ("train.name", "5")),
        ("train.flag=true", ("train.flag", True)),
        ("train.text=a=b", ("train.text", "a=b")),
        ("train.empty=", ("train.empty", "")),
        ("space.act.options=[1, 2]", ("space.act.options", [1, 2])),
    ],
)
def test_settings(setting: str, expected: tuple[str, Any]) -> None:
    key, text = parse_setting(setting)

    assert (key, read(text, None, key)) == expected


@pytest.mark.parametrize("setting", ["train.epochs", "=5", ""])
def test_a_setting_without_key_or_value_is_refused(setting: str) -> None:
    with pytest.raises(click.UsageError, match=r"--set takes KEY=VALUE, such as train.epochs=5, got"):
        parse_setting(setting)


def test_an_option_goes_before_a_setting() -> None:
    given: dict[str, Any] = dict.fromkeys(SETTINGS)
    given |= {"trials": 8, "settings": ("trials=4", "train.epochs=1"), "tags": ("a", "b")}
    assert changes_of(given) == {"trials": 8, "train.epochs": "1", "tags": ("a", "b")}


@pytest.mark.parametrize(
    ("args", "env", "expected"),
    [
        ([], {}, Target(store="./caviar-store", sweep=None, as_json=False)),
        ([], {"CAVIAR_STORE": "/a"}, Target(store="/a", sweep=None, as_json=False)),
        (["--store", "b"], {"CAVIAR_STORE": "/a"}, Target(store="b", sweep=None, as_json=False)),
        (["--json"], {}, Target(store="./caviar-store", sweep=None, as_json=True)),
    ],
)
def test_where_the_store_is(args: list[str], env: dict[str, str], expected: Target) -> None:
    seen: list[Target] = []

    @click.command()
    @target_options
    def verb(target: Target) -> None:
        seen.append(target)

    assert CliRunner().invoke(verb, args, env={"CAVIAR_STORE": None} | env).exit_code == 0
    assert seen == [expected]


def test_the_environment_reaches_every_verb(tmp_path: object) -> None:
    result = CliRunner().invoke(cli, ["ls"], env={"CAVIAR_STORE": f"{tmp_path}/none"})
    assert f"{tmp_path}/none" in str(result.exception)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90", 90), ("90s", 90), ("1.5m", 90), ("1h30m", 5400), ("1d 2h", 93600), ("90 s", 90), ("1e3", 1000), (0.5, 0.5)],
)
def test_a_time(text: object, seconds: float) -> None:
    assert Duration().convert(text, None, None) == seconds


@pytest.mark.parametrize("text", ["", "5x", "-1", "0", "nan", "inf", "h", "1h30", "1h-5m-m", "1:30", "0s", "1e999d"])
def test_what_is_no_time_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(click.BadParameter, match=r"such as 90s, 30m, 1h30m, got"):
        Duration().convert(text, None, None)


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["--store", ""], "--store names a folder or a bucket"),
        (["--store", "  "], "--store names a folder or a bucket"),
        (["--trials", "1e3"], "'1e3' is not a whole number"),
        (["--cpus", "two"], "'two' is not a number"),
        (["--trial-timeout", "5x"], "such as 90s, 30m, 1h30m"),
    ],
)
def test_wrong_options_are_one_kind_sentence(caviar: Any, tmp_path: Path, args: list[str], words: str) -> None:
    (tmp_path / "x.py").touch()
    got = caviar("run", str(tmp_path / "x.py"), *args)
    assert (got.code, got.out, got.err.count("\n")) == (2, "", 1)
    assert words in got.err


def test_an_experiment_without_its_ending_is_known(caviar: Any, tmp_path: Path) -> None:
    (tmp_path / "x.py").touch()
    got = caviar("run", str(tmp_path / "x"))
    assert got.code == 2
    assert f"did you mean {tmp_path / 'x.py'}?" in got.err
