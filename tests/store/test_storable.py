"""What the store cannot keep is refused where a sweep is described, by name: before Ray, data, or the store."""

import re
from pathlib import Path
from typing import Any

import pytest

from caviar import Choice, Constant, Sweep
from caviar.cli.main import main
from caviar.errors import SpecError
from caviar.store.storable import NotKept, check_kept

WHOLE = "a whole number beyond 2^64"
NEVER: dict[str, tuple[Any, str]] = {
    "large": (2**64 + 1, WHOLE),
    "very large": (-(10**1000), WHOLE),
    "in a list": ([1, [2**70]], WHOLE),
    "in a tuple": ((1, 2**70), WHOLE),
    "in a dict": ({"a": {"b": -(2**70)}}, WHOLE),
    "NUL": ("a\0b", "a NUL character"),
    "a key with NUL": ({"a\0b": 1}, "a NUL character"),
}
ARGUMENTS: dict[str, tuple[Any, str]] = {
    "beyond what Python writes": (10**5000, WHOLE),
    "in a set": ({1, 10**5000}, WHOLE),
    "in a frozenset": (frozenset({2**70}), WHOLE),
    "as a key": ({2**70: 1}, WHOLE),
    "in a range": (range(2**70, 2**70 + 5), WHOLE),
    "half a character": ("\ud800", "half a character"),
    "in a path": (Path("a\0b"), "a NUL character"),
}


def train(config: dict[str, Any], trial: Any, n: Any = None) -> float:
    return 1.0


def nested(depth: int) -> Any:
    return (nested(depth - 1),) if depth else 1


@pytest.mark.parametrize("way", [*NEVER, *ARGUMENTS])
def test_an_argument_is_refused_by_name(way: str) -> None:
    value, why = (NEVER | ARGUMENTS)[way]
    with pytest.raises(SpecError, match=rf"train\.n cannot be stored: it holds {re.escape(why)}|train\.n .*{why}"):
        _ = Sweep(train, space={"x": [1, 2]}, metric="m", train_args={"n": value}).plan


@pytest.mark.parametrize("make", [lambda one: Choice([one, 1]), Constant, lambda one: [1, one]])
@pytest.mark.parametrize("way", NEVER)
def test_a_value_of_the_space_is_refused_by_name(way: str, make: Any) -> None:
    value, why = NEVER[way]
    with pytest.raises(SpecError, match=rf"space\.odd cannot be stored: it holds {re.escape(why)}"):
        _ = Sweep(train, space={"x": [1, 2], "odd": make(value)}, metric="m").plan


def test_what_python_cannot_even_write_is_no_option() -> None:
    with pytest.raises(SpecError, match="at most 2\\^64, got one of"):
        Choice([10**5000, 1])


def test_what_becomes_too_deep_in_the_store_is_refused_by_name() -> None:
    assert Sweep(train, space={"x": [1, 2]}, metric="m", train_args={"n": nested(15)}).plan
    with pytest.raises(SpecError, match=r"train\.n .*nested"):
        _ = Sweep(train, space={"x": [1, 2]}, metric="m", train_args={"n": nested(38)}).plan


@pytest.mark.parametrize("value", [2**64, -(2**64), 0, "ä", [1.5, None, True]])
def test_the_rest_is_kept(value: Any) -> None:
    check_kept(value)
    assert Sweep(train, space={"x": [1, value]}, metric="m", train_args={"n": value}).plan


def test_a_note_is_looked_at_too() -> None:
    with pytest.raises(SpecError, match=r"note cannot be stored: it holds a NUL"):
        _ = Sweep(train, space={"x": [1, 2]}, metric="m", note="a\0b").plan


def test_not_kept_says_what() -> None:
    with pytest.raises(NotKept, match="nan"):
        check_kept([float("nan")])
    check_kept([float("nan")], finite=False)


@pytest.mark.parametrize("words", [[], ["--dry-run"]])
def test_the_command_line_says_so_before_anything_is_started(
    words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "exp.py").write_text(
        "from caviar import Sweep\ndef train(config, trial): return 1.0\n"
        "sweep = Sweep(train, space={'x': [1, 2], 'big': [2**70, 1]}, metric='m')\n"
    )

    with pytest.raises(SystemExit, match="2"):
        main(["run", str(tmp_path / "exp.py"), "--store", str(tmp_path / "store"), *words])

    assert "space.big cannot be stored: it holds a whole number beyond 2^64" in capsys.readouterr().err
    assert not (tmp_path / "store").exists()
