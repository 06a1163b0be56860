"""A sweep of W&B, in YAML: what it becomes here, and what is refused by its name."""

import math
import sys
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from caviar import Choice, Constant, Float, Hyperband, Int
from caviar.cli.wandb_sweep import command, parameter, parameters, wandb_sweep
from caviar.errors import CaviarError, SpecError

from ..run.conftest import Caviar, inline

__all__ = ["inline"]

TUTORIAL = """
    program: train.py
    name: first
    project: tutorial
    method: bayes
    metric:
      goal: maximize
      name: val_acc
    parameters:
      batch_size: {values: [16, 32]}
      lr: {distribution: log_uniform_values, min: 1e-4, max: 0.1}
      epochs: {value: 5}
      optim:
        parameters:
          name: {values: [adam, sgd]}
    early_terminate: {type: hyperband, min_iter: 3, eta: 2}
    run_cap: 8
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "sweep.yaml"
    path.write_text(dedent(text))
    return path


def test_a_sweep_is_what_it_says(tmp_path: Path) -> None:
    sweep = wandb_sweep(written(tmp_path, TUTORIAL))
    assert dict(sweep.plan.space) == {
        "batch_size": Choice([16, 32]),
        "lr": Float(1e-4, 0.1, "log"),
        "epochs": Constant(5),
        "optim.name": Choice(["adam", "sgd"]),
    }
    assert (sweep.metric, sweep.mode, sweep.trials, sweep.name, sweep.searcher) == ("val_acc", "max", 8, "first", "gp")
    assert sweep.stopping == Hyperband(eta=2, first=3, brackets=1)
    assert sweep.train.words == ("/usr/bin/env", "python", "train.py", "{args}")
    assert wandb_sweep(written(tmp_path, TUTORIAL), "loss").metric == "loss"


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({"value": 3}, Constant(3)),
        ({"values": ["1e-3", 0.5]}, Choice([1e-3, 0.5])),
        ({"values": [1, 2], "probabilities": [0.5, 0.5]}, Choice([1, 2])),
        ({"min": 1, "max": 9}, Int(1, 9)),
        ({"min": 0.0, "max": 1}, Float(0, 1)),
        ({"min": "1e-5", "max": 1, "distribution": "log_uniform_values"}, Float(1e-5, 1, "log")),
        ({"min": 0, "max": 2, "distribution": "log_uniform"}, Float(1, math.exp(2), "log")),
        ({"min": 0, "max": 2, "distribution": "inv_log_uniform"}, Float(math.exp(-2), 1, "log")),
        ({"min": 0.1, "max": 2, "distribution": "inv_log_uniform_values"}, Float(0.1, 2, "log")),
        ({"min": 0, "max": 1, "q": 0.25, "distribution": "q_uniform"}, Float(0, 1, step=0.25)),
        ({"min": 16, "max": 64, "q": 8, "distribution": "q_uniform"}, Int(16, 64, step=8)),
        ({"min": 1, "max": 512, "distribution": "q_log_uniform_values"}, Int(1, 512, "log")),
    ],
)
def test_a_distribution_is_a_scale(said: dict[str, Any], expected: object) -> None:
    assert parameter(said) == expected


@pytest.mark.parametrize(
    ("said", "word"),
    [
        ({"mu": 0, "sigma": 1, "distribution": "normal"}, "normal has no counterpart"),
        ({"values": [1, 2], "probabilities": [0.9, 0.1]}, "probabilities that differ"),
        ({"min": 1}, "needs max"),
        ({"min": "x", "max": 1}, "min is a number"),
        ({"min": 0.5, "max": 1, "mean": 1}, "mean of uniform has no counterpart"),
        ({"min": 0, "max": 9e9, "distribution": "log_uniform"}, "natural logarithms"),
        ({"min": 0, "max": 1, "q": 0, "distribution": "q_uniform"}, "q is above 0"),
        ({"min": 0, "max": 1, "q": math.nan, "distribution": "q_uniform"}, "q is a finite number"),
        ({"min": 0, "max": 1, "q": 5e-324, "distribution": "q_uniform"}, "more steps of q"),
        ({"min": 0, "max": math.inf, "q": 1, "distribution": "q_uniform"}, "max is a finite number"),
        ({"min": 0, "max": 10**5000}, "max is a number"),
        ({"values": 3}, "values is a list"),
        (3, "it is value"),
    ],
)
def test_what_has_no_counterpart_is_named(said: Any, word: str) -> None:
    with pytest.raises(SpecError, match=rf"parameter a\.x: .*{word}"):
        parameters({"a": {"parameters": {"x": said}}})


def test_a_commands_macros_are_our_braces() -> None:
    words = ["${interpreter}", "-u", "${program}", "--tag={run}", "${args_no_hyphens}", "${args_json_file}"]
    assert command({"program": "a.py", "command": words}) == [
        *("python", "-u", "a.py", "--tag={{run}}", "{overrides}", "{config}")
    ]
    for wrong in ("${envvar:KEY}", "${args_json}"):
        with pytest.raises(SpecError, match="has no counterpart"):
            command({"command": [wrong]})


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("method: random", "names no metric"),
        ("metric: {name: a, target: 1}", "target of metric has no counterpart"),
        ("controller: {type: local}", "controller of the sweep has no counterpart"),
        ("method: sobol", "method: 'sobol' has no counterpart"),
        ("metric: {name: a}\nearly_terminate: {type: envelope}", "'envelope' has no counterpart"),
        ("metric: {name: a}\nearly_terminate: {max_iter: 9, s: 2, eta: 0}", "eta above 1"),
        ("metric: {name: a}\nearly_terminate: {max_iter: 9, s: 0.5, eta: -3}", "eta above 1"),
        ("metric: {name: a}\nearly_terminate: {max_iter: .inf, s: 2}", "max_iter is a finite number"),
        ("metric: {name: a}\nparameters: {x: {value: 1}}", "names no program"),
        ("a: [", "is no YAML"),
        ("!!python/object/apply:os.system [touch pwned]", "is no YAML"),
        (
            "a: &a [1, 2]\n"
            + "\n".join(f"b{i}: &b{i} [{', '.join(['*a' if not i else f'*b{i - 1}'] * 9)}]" for i in range(9)),
            "aliases counted",
        ),
        ("a: &a [*a]", "aliases counted"),
        ("[1]", "is an object"),
    ],
)
def test_what_is_no_sweep_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "sweep.yaml"
    path.write_text(text)
    with pytest.raises(CaviarError, match=said) as error:
        wandb_sweep(path)
    assert "\n" not in str(error.value)
    assert [one.name for one in tmp_path.iterdir()] == ["sweep.yaml"]


@pytest.mark.usefixtures("inline")
def test_it_runs(caviar: Caviar, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "train.py").write_text("import sys\nprint('val_acc=0.5', *sys.argv[1:])\n")
    text = dedent(TUTORIAL) + f"command: [{sys.executable}, '${{program}}', '${{args}}']\n"
    path = written(tmp_path, text)
    ran = caviar("run", str(path), "-q", "--trials", "2")
    assert ran.code == 0, ran.err
    said = caviar("logs", "0").out
    assert "--epochs=5" in said
    assert "--optim.name=" in said
