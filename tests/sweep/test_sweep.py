"""The public description: what it takes, what it refuses, and how a file's is found."""

import functools
import json
import re
import sys
import textwrap
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.told import Told

from caviar import Choice, Constant, Float, Int, Sweep
from caviar.cli.experiment_file import load
from caviar.display.plain import SilentProgress
from caviar.errors import SpecError, StoreError
from caviar.search.samplers import Grid, List, make_sampler
from caviar.space import Space
from caviar.spec.plan import Plan, advice_of


def train(config: dict[str, Any], trial: Any, epochs: int = 3, *, width: int = 8) -> None: ...


def plain(config: dict[str, Any], trial: Any) -> None: ...


def make(**changes: Any) -> Sweep:
    given: dict[str, Any] = {"space": {"lr": Float(0.1, 1.0)}, "metric": "loss"} | changes
    return Sweep(given.pop("train", train), **given)


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., str]:
    def file(source: str, name: str = "my sweep.py") -> str:
        (tmp_path / name).write_text(textwrap.dedent(source))
        return str(tmp_path / name)

    return file


FILE = """
from caviar import Float, Sweep


def train(config, trial):
    ...


one = Sweep(train, space={"lr": Float(0.1, 1.0)}, metric="loss")
"""


def test_the_contract_s_defaults() -> None:
    plan = make(
        space={
            "lr": Float(1e-4, 1.0, scale="log"),
            "units": Int(50, 100),
            "act": Choice(["relu", "tanh"]),
            "layers": [2, 3],
        }
    ).plan

    assert (plan.mode, plan.trials, plan.seed, plan.sampler, plan.rule) == ("min", 64, 0, "sobol", "last")
    assert (plan.cpus, plan.gpus, plan.concurrency) == (1.0, 0.0, None)
    assert list(plan.space) == ["lr", "units", "act", "layers"]
    assert Plan.from_json(plan.to_json()) == plan


def test_a_space_may_be_given_as_one() -> None:
    space = Space({"lr": Float(0.1, 1.0)})

    assert make(space=space).plan.space is space


def test_a_sweep_is_called_after_its_file() -> None:
    assert make().plan.name == "test_sweep"
    assert make(name="mine").plan.name == "mine"
    assert make(train=functools.partial(train, epochs=1)).plan.name == "sweep"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"metric": ""}, "metric"),
        ({"mode": "minimum"}, "mode is 'min' or 'max', but got 'minimum'"),
        ({"trials": 0}, "trials is a whole number from 1"),
        ({"trials": 2.0}, "got 2.0"),
        ({"trials": True}, "got True"),
        ({"seed": -1}, "seed"),
        ({"rule": "first"}, "rule"),
        ({"sampler": "sobel"}, "sobol"),
        ({"cpus": -1}, "cpus"),
        ({"cpus": 1.5}, "whole above 1"),
        ({"gpus": float("nan")}, "gpus"),
        ({"cpus": 0, "gpus": 0}, "a share of a CPU or of a GPU"),
        ({"concurrency": 0}, "concurrency"),
        ({"max_attempts": 0}, "max_attempts"),
        ({"space": {}}, "parameter"),
        ({"space": {"lr": {"low": 0.1}}}, "lr"),
        ({"space": {"a": Int(0, 1), "A": Int(0, 1)}}, "case"),
        ({"space": {"last_trial": Int(0, 1)}}, "last_"),
        ({"train": 3}, "train is a function train(config, trial), but got 3"),
        ({"train": lambda config: None}, "train(config, trial"),
        ({"final": "final"}, "final is a function"),
        ({"train_args": {"epoch": 3}}, "epochs, width"),
        ({"train_args": {"epochs": [float]}}, "train.epochs is kept with the sweep"),
        ({"train_args": {"epochs": object()}}, "train.epochs is kept with the sweep"),
        ({"train": plain, "train_args": {"epochs": 3}}, "epochs"),
    ],
)
def test_a_wrong_description_is_refused_in_one_sentence(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=re.escape(words)) as caught:
        make(**changes)

    assert "\n" not in str(caught.value)
    assert isinstance(caught.value, SpecError) or "space" in changes


def test_secrets_are_refused_and_nothing_alike_is() -> None:
    def secretive(config: dict[str, Any], trial: Any, api_key: str = "", token_count: int = 0) -> None: ...

    assert make(train=secretive, train_args={"token_count": 7}).plan.train_args == {"token_count": 7}
    with pytest.raises(SpecError, match=r"the store keeps no secrets, but train\.api_key"):
        make(train=secretive, train_args={"api_key": "x"})


def test_a_file_s_only_sweep_is_found_and_called_after_it(write: Callable[..., str]) -> None:
    path = write(FILE + "also = one\n")

    assert load(path).plan.name == "my sweep"
    assert load(path + ":also").plan.metric == "loss"


def test_of_several_one_is_named(write: Callable[..., str]) -> None:
    path = write(FILE + 'two = Sweep(train, space={"lr": Float(0.1, 1.0)}, metric="error")\n')

    with pytest.raises(SpecError, match=r"holds 2 sweeps \(one, two\): say which, as .*:one"):
        load(path)
    assert load(path + ":two").plan.metric == "error"
    with pytest.raises(SpecError, match="holds no Sweep called 'three': it has one, two"):
        load(path + ":three")


def test_a_colon_may_be_part_of_the_path(write: Callable[..., str], tmp_path: Path) -> None:
    (tmp_path / "a:b").mkdir()

    assert load(write(FILE, "a:b/x.py")).plan.name == "x"
    assert load(write(FILE, "a:b/x.py") + ":one").plan.name == "x"


def test_what_a_file_raises_is_told_with_its_line(write: Callable[..., str]) -> None:
    with pytest.raises(SpecError, match=r"raised ModuleNotFoundError at import \(line 2\): No module named 'no_such"):
        load(write("\nimport no_such_module\n"))
    with pytest.raises(SpecError, match="raised KeyError at import"):
        load(write("raise KeyError('a\\nb')\n"))


def test_a_file_that_failed_can_be_mended_in_the_same_process(write: Callable[..., str]) -> None:
    with pytest.raises(SpecError):
        load(write("1 / 0\n"))

    assert load(write(FILE)).plan.metric == "loss"


def test_a_file_that_runs_its_sweep_at_import_is_refused_before_it_does(
    write: Callable[..., str], tmp_path: Path
) -> None:
    with pytest.raises(SpecError, match=r"put sweep\.run\(\) under if __name__"):
        load(write(FILE + f"one.run(store={str(tmp_path / 'store')!r})\n"))

    assert not (tmp_path / "store").exists()


def test_an_override_keeps_the_code_that_was_loaded(write: Callable[..., str]) -> None:
    loaded = load(write(FILE))
    changed = loaded.override({"trials": 8, "space.lr.high": 0.5})

    assert changed.program == loaded.program
    assert (changed.plan.trials, changed.plan.space["lr"]) == (8, Float(0.1, 0.5))
    assert (loaded.plan.trials, loaded.plan.space["lr"]) == (64, Float(0.1, 1.0))
    assert loaded.override({}) is loaded


def test_the_code_is_named_by_how_it_is_found(write: Callable[..., str]) -> None:
    source = FILE.replace("Sweep(train", "Sweep(lambda config, trial: train(config, trial)")
    named = load(write(source)).program

    assert (named.module, named.train, named.final) == ("_experiment_my_sweep", "one.train", "")
    assert load(write(FILE)).program.train == "train"


def test_a_function_that_lives_in_no_file_travels_itself() -> None:
    program = make(train=lambda config, trial, epochs=3, width=8: None).program

    assert program.module == ""
    assert callable(program.functions["train"])


def test_a_module_of_a_package_keeps_its_relative_imports(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "room" / "inner").mkdir(parents=True)
    (tmp_path / "room" / "__init__.py").write_text("")
    (tmp_path / "room" / "base.py").write_text("LOSS = 2.0\n")
    (tmp_path / "room" / "inner" / "task.py").write_text(
        "from ..base import LOSS\n\n\ndef train(config, trial):\n    return LOSS\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    import room.inner.task  # type: ignore[import-not-found]

    program = make(train=room.inner.task.train).program
    for name in program.files:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.undo()

    from caviar_workers.load import load_function

    assert set(program.files) == {"room", "room.base", "room.inner", "room.inner.task"}
    assert load_function(program, program.train)({}, None) == 2.0


def test_folders_without_an_init_are_packages_where_they_lead_to_a_module(write: Callable[..., str]) -> None:
    path = Path(write("from data.sets.digits import SIZE\n" + FILE))
    (path.parent / "data" / "sets").mkdir(parents=True)
    (path.parent / "data" / "sets" / "digits.py").write_text("SIZE = 3\n")
    (path.parent / "json").mkdir()  # leads to nothing, and stands in nobody's way

    program = load(str(path)).program

    assert set(program.files) == {"_experiment_my_sweep", "data", "data.sets", "data.sets.digits"}


def test_running_needs_a_place_that_can_be_a_store(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")

    with pytest.raises(StoreError, match="is a file"):
        make().run(store=tmp_path / "file", progress=SilentProgress(sys.stderr))


def test_a_loaded_sweep_without_its_final_function_has_none(tmp_path: Path) -> None:
    path = tmp_path / "with_final.py"
    path.write_text(
        "from caviar import Float, Sweep\n"
        "def train(config, trial): return 1.0\n"
        "def final(config, trial): return {'test': 1.0}\n"
        "sweep = Sweep(train, space={'lr': Float(0.1, 1.0)}, metric='loss', final=final)\n"
    )
    loaded = load(str(path))

    assert loaded.program.final == "final"
    assert replace(loaded, final=None).program.final == ""


@pytest.mark.parametrize(
    ("given", "trials"),
    [
        ({}, 64),
        ({"sampler": "grid", "space": {"a": [1, 2], "b": Int(1, 3)}}, 6),
        ({"sampler": "shuffled_grid", "space": {"a": [1, 2], "b": Int(1, 3)}}, 6),
        ({"sampler": Grid(3), "space": {"x": Float(0, 1), "y": Float(0, 1)}}, 9),
        ({"sampler": Grid(9), "space": {"x": Float(0, 1), "y": Float(0, 1)}}, 64),
        ({"sampler": "grid"}, 64),
        ({"sampler": "grid", "space": {"a": [1, 2]}, "first": [{"a": 2}]}, 3),
    ],
)
def test_a_sweep_that_does_not_say_how_many_trials_has_64_or_all_of_its_grid(
    given: dict[str, Any], trials: int
) -> None:
    sweep = make(**given)
    assert sweep.plan.trials == trials
    assert make_sampler(sweep.plan.sampler, sweep.plan.space, 0, trials).points(0, trials).shape[0] == trials
    assert sweep.override({"sampler": "random"}).plan.trials == 64
    if trials < 64:
        with pytest.raises(SpecError, match="points, got trials=64"):
            sweep.override({"trials": 64})


NUMPY = {
    "int64": (Int(1, 9), np.int64(3), 3),
    "uint8": (Int(1, 9), np.uint8(3), 3),
    "a whole float": (Int(1, 9), np.float32(3), 3),
    "float32": (Float(0, 1), np.float32(0.5), 0.5),
    "float16": (Float(0, 1), np.float16(0.5), 0.5),
    "float64": (Float(0, 1), np.float64(0.1), 0.1),
    "an integer": (Float(0, 1), np.int64(1), 1.0),
    "a step": (Float(0, 1, step=0.1), np.float64(0.1), 0.1),
    "option": (Choice([16, 32]), np.int32(32), 32),
    "truth": (Choice([False, True]), np.bool_(True), True),
    "text": (Choice(["a", "b"]), np.str_("b"), "b"),
    "within an option": (Choice([(1, 2), (3, 4)]), (np.int64(3), np.int64(4)), (3, 4)),
    "constant": (Constant(7), np.int64(7), 7),
}


@pytest.mark.parametrize("kind", NUMPY)
@pytest.mark.parametrize("way", ["first", "sampler"])
def test_values_to_try_first_may_be_numpy_s_and_are_plain(kind: str, way: str) -> None:
    parameter, value, plain = NUMPY[kind]
    listed = [{"p": value}]
    given = {"first": listed} if way == "first" else {"sampler": List(listed)}
    plan = make(space={"p": parameter, "q": Float(0, 1, default=0.5)}, trials=4, **given).plan

    assert isinstance(plan.sampler, List)
    found = plan.sampler.configs[0]["p"]
    assert (type(found), repr(found)) == (type(plain), repr(plain))
    assert Plan.from_json(json.loads(json.dumps(plan.to_json()))) == plan


def test_a_sweep_stays_what_it_was_when_what_it_was_made_of_changes() -> None:
    arguments: dict[str, Any] = {"epochs": [1, {"a": [2]}]}
    first: list[dict[str, Any]] = [{"p": (1, 2)}]
    tags, rounds = ["mine"], [4, 4]
    space = {"p": Choice([(1, 2), (3, 4)]), "q": Float(0, 1, default=0.5)}
    sweep = make(space=space, train_args=arguments, first=first, tags=tags, rounds=rounds)
    before = json.dumps(sweep.plan.to_json())

    arguments["epochs"][1]["a"].append(3)
    arguments["width"] = 9
    first[0]["p"] = (3, 4)
    first.append({"q": 0.1})
    tags.append("another's")
    rounds[0] = 5

    assert json.dumps(sweep.plan.to_json()) == before
    assert json.dumps(replace(sweep).plan.to_json()) == before
    assert sweep.override({"trials": 8}).plan == sweep.plan


def test_running_from_python_gives_the_command_line_s_advice_once(tmp_path: Path, monkeypatch: Any) -> None:
    class ReadyError(Exception): ...

    def begin(*_: object, **__: object) -> None:
        raise ReadyError

    monkeypatch.setattr("caviar.run.driver._rounds", begin)
    sweep = make(
        space={"lr": (1e-4, 1.0), "wd": Float(1e-4, 1.0)},
        trials=2,
        first=[{"lr": 1.0, "wd": one} for one in (0.1, 0.2, 0.3)],
    )
    told = Told()
    with pytest.raises(ReadyError):
        sweep.run(tmp_path / "store", progress=told)

    assert told.notes[:4] == [f"advice: {line}" for line in advice_of(sweep.plan)][:4]
    for word in ("Float(0.0001, 1.0) for the range", "scale='log'", "1 will not run"):
        assert sum(word in note for note in told.notes) == 1, (word, told.notes)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"name": " "}, "a sweep's name is a word or a few, in one line, but got ' '"),
        ({"name": "a\nb"}, "in one line, but got 'a"),
        ({"name": "a\u2028b"}, "in one line"),
        ({"tags": [""]}, "a tag is a word to find the sweep by, but got ''"),
        ({"tags": ["a", "\t"]}, "a tag is a word"),
        ({"tags": ""}, "a tag is a word"),
    ],
)
def test_names_and_tags_that_nobody_sees_are_refused(given, said):
    with pytest.raises(SpecError, match=said):
        make(**given)
    assert make(name="a b", tags=["c d"]).plan.tags == ("c d",)


@pytest.mark.parametrize("word", [None, "", "none"])
def test_what_a_file_declares_of_stopping_can_be_taken_back(word: str | None) -> None:
    declared = make(stopping="asha:eta=5")
    assert declared.override({"stopping": word}).plan.stopping == make(stopping=word).plan.stopping == ""
