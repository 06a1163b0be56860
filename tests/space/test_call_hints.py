"""Calls as other libraries want them are answered with what to write here."""

import dataclasses
import inspect

import pytest

import caviar
from caviar import ASHA, PBT, Choice, Float, Int, SpecError, Sweep
from caviar.search.searchers import check_searcher


def train(config, trial):
    return 1.0


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: Float(0.1, 1, log=True), "Float has no argument 'log'; write scale='log'"),
        (lambda: Int(1, 9, log=True), "Int has no argument 'log'; write scale='log'"),
        (lambda: Float(0.1, 1, stepp=0.1), "Float has no argument 'stepp'; did you mean 'step'?"),
        (lambda: Float(0.1), "Float is written as Float(low, high), but got no 'high'"),
        (lambda: Int(1, 2, "linear", 1), "Int is written as Int(low, high), but got more arguments"),
        (lambda: Choice("relu", "tanh"), "Choice is written as Choice([a, b, …]), but got more arguments"),
        (lambda: Choice(choices=["a"]), "Choice has no argument 'choices'; write Choice([a, b, …])"),
        (Choice, "Choice is written as Choice([a, b, …]), but got no 'options'"),
        (lambda: Sweep(train, {}, "loss", num_samples=3), "Sweep has no argument 'num_samples'; write trials=…"),
        (lambda: Sweep(train, {}, "loss", trails=3), "Sweep has no argument 'trails'; did you mean 'trials'?"),
        (lambda: Sweep(train), "Sweep is written as Sweep(train, space, metric), but got no 'space'"),
        (lambda: ASHA(grace_period=1), "ASHA has no argument 'grace_period'; write first=…"),
        (lambda: PBT(perturbation_interval=4), "PBT has no argument 'perturbation_interval'; write interval=…"),
        (lambda: check_searcher("tpe"), "there is no searcher 'tpe'; did you mean 'optuna:tpe'?"),
        (lambda: check_searcher("GP"), "there is no searcher 'GP'; did you mean 'gp'?"),
        (
            lambda: Sweep(lambda config: 1.0, {"x": Float(0, 1)}, "loss"),
            "train is called as train(config, trial, **train_args), but it takes fewer than two; it is ",
        ),
    ],
)
def test_a_call_that_does_not_fit_says_what_to_write(call, said):
    with pytest.raises(SpecError) as error:
        call()
    assert str(error.value).startswith(said)


@pytest.mark.parametrize("cls", [Float, Int, Choice, Sweep])
def test_the_signature_is_as_declared(cls):
    wanted = [one.name for one in dataclasses.fields(cls) if one.init]
    assert list(inspect.signature(cls).parameters) == wanted


PUBLIC = [one for name in caviar.__all__ if inspect.isclass(one := getattr(caviar, name))]
ELSEWHERE = {"Command", "Trial"}
"""Of the workers' package, which knows nothing of these sentences."""


@pytest.mark.parametrize(
    "cls", [one for one in PUBLIC if not issubclass(one, BaseException) and one.__name__ not in ELSEWHERE]
)
def test_every_public_class_says_which_arguments_it_has(cls):
    with pytest.raises(SpecError, match=f"{cls.__name__} has no argument 'no_such'"):
        cls(no_such=1)
