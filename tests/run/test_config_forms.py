"""Configurations as people have them: rooms of parameters, and classes with defaults, through a whole sweep."""

import json

import pytest

from caviar import Choice, Constant, Float, Int, Result, Space, Sweep
from caviar.errors import SpecError

NESTED = """
    from caviar import Choice, Float, Sweep


    def constraint(config):
        return config["optim"]["lr"] < 0.9


    def train(config, trial):
        return {"loss": config["optim"]["lr"] * config["width"], "momentum": config["optim"].get("momentum", -1)}


    def final(config, trial):
        return {"test": config["optim"]["lr"]}


    sweep = Sweep(
        train,
        {
            "optim": {
                "lr": Float(0.1, 1.0),
                "name": ["sgd", "adam"],
                "momentum": Float(0.5, 0.9, when={"optim.name": "sgd"}),
            },
            "width": 2,
        },
        "loss",
        trials=8,
        constraint=constraint,
        final=final,
        first=[{"optim": {"lr": 0.25, "name": "adam"}}],
    )
"""

DECLARED = """
    from dataclasses import dataclass, field

    from caviar import Float, Sweep


    @dataclass
    class Optim:
        lr: float
        name: str = "adam"


    @dataclass
    class Config:
        optim: Optim = field(default_factory=lambda: Optim(1.0, "sgd"))
        epochs: int = 3


    def train(cfg: Config, trial):
        assert cfg.optim.name == "sgd"
        for epoch in range(cfg.epochs):
            trial.report(epoch, loss=cfg.optim.lr / (epoch + 1))


    sweep = Sweep(train, {"optim.lr": Float(0.1, 1.0)}, "loss", trials=4)
"""


@pytest.mark.usefixtures("inline")
def test_rooms_of_parameters(caviar, write, store):
    ran = caviar("run", write(NESTED), "--json")
    assert ran.code == 0, ran.err
    result = Result(store)
    rows = result.sql('SELECT "optim.lr" * width, last_loss, "optim.momentum", last_momentum FROM trials').fetchall()
    assert all(loss == pytest.approx(product) for product, loss, _, _ in rows)
    assert all(last == (-1 if momentum is None else pytest.approx(momentum)) for _, _, momentum, last in rows)
    assert rows[0][0] == pytest.approx(0.5), "the first is the one that was listed"
    assert result.final == {"test": result.best.config["optim.lr"]}
    assert caviar("resume", "--add", 2).code == 0
    assert caviar("run", write(NESTED), "--fix", "width=4", "--json").code == 0
    assert Result(store).sql('SELECT DISTINCT last_loss / "optim.lr" FROM trials').fetchall() == [(4.0,)]


@pytest.mark.usefixtures("inline")
def test_a_class_with_defaults(caviar, write, store):
    ran = caviar("run", write(DECLARED), "--fix", "epochs=5", "--json")
    assert ran.code == 0, ran.err
    assert Result(store).curves().groupby("trial").step.max().tolist() == [4] * 4
    assert json.loads(ran.out)["trials"][0]["config"]["epochs"] == 5, "what is fixed is kept with the sweep"


@pytest.mark.parametrize(
    ("space", "sentence"),
    [
        (
            {"optim.rate": Float(0, 1)},
            r"the space has 'optim.rate', but Config, which train declares, has no such field",
        ),
        ({"optimizer": Float(0, 1)}, r"has no such field; did you mean"),
        ({"epochs": Int(1, 3)}, r"Config.lr has no default and is not in the space"),
        (
            {"epochs": Choice([1, 2]), "lr": Float(0, 1, when={"epochs": 1})},
            r"Config.lr has no default and exists in some trials only",
        ),
    ],
)
def test_what_does_not_fit_the_class_is_told_when_the_sweep_is_described(space, sentence):
    namespace: dict = {}
    exec(
        "from dataclasses import dataclass, field\n@dataclass\nclass Optim:\n    rates: float = 1.0\n"
        "@dataclass\nclass Config:\n    lr: float\n    epochs: int = 1\n"
        "    optim: Optim = field(default_factory=Optim)\n"
        "def train(config: Config, trial): ...",
        namespace,
    )
    with pytest.raises(SpecError, match=sentence):
        Sweep(namespace["train"], space, "loss")


def test_a_room_and_a_value_of_one_name_are_refused():
    with pytest.raises(SpecError, match=r"value or a room of others, got 'optim' and 'optim.lr'"):
        Space({"optim": "sgd", "optim.lr": Float(0, 1)})


@pytest.mark.parametrize("described", [{"low": 1}, {"values": [1, 2]}, {}, {"lr": {"min": 0, "max": 1}}])
def test_a_parameter_described_as_elsewhere_is_no_room(described):
    with pytest.raises(SpecError, match=r"must be a Float, an Int, a Choice"):
        Space({"optim": described})


def test_a_room_may_hold_what_other_words_mean_elsewhere():
    space = Space({"optim": {"step": Float(0, 1)}, "clip": {"low": Float(0, 1), "high": Float(1, 2)}})
    assert list(space) == ["optim.step", "clip.low", "clip.high"]


def test_a_room_may_be_a_space_of_its_own():
    inner = Space({"lr": Float(0, 1), "decay": 0.1})
    assert dict(Space({"optim": inner, "n": 3})) == {
        "optim.lr": Float(0, 1),
        "optim.decay": Constant(0.1),
        "n": Constant(3),
    }


def test_an_option_may_be_a_dict_all_the_same():
    sweep = Sweep(lambda config, trial: 1.0, {"opt": Choice([{"a": 1}, {"b": 2}])}, "loss", first=[{"opt": {"b": 2}}])
    assert sweep.try_().config == {"opt": {"b": 2}}
    assert sweep.try_({"opt": {"a": 1}}).config == {"opt": {"a": 1}}


CALLED_AS_COLUMNS = """
    from dataclasses import dataclass

    from caviar import Int, Sweep


    @dataclass
    class Config:
        seed: int = 1
        step: int = 1


    def train(config: Config, trial):
        return {"loss": config.seed + config.step / 10}


    def plain(config, trial):
        return {"loss": config["seed"] + config["step"] / 10}


    space = {"seed": Int(2, 9), "step": Int(1, 4)}
    of_a_class = Sweep(train, space, "loss", trials=4, first=[{"seed": 2, "step": 1}])
    of_a_dict = Sweep(plain, space, "loss", trials=4, constraint=lambda config: config["seed"] < 9)
"""


@pytest.mark.usefixtures("inline")
@pytest.mark.parametrize("name", ["of_a_class", "of_a_dict"])
def test_a_parameter_may_be_called_as_a_column_of_the_store(caviar, write, store, name):
    ran = caviar("run", f"{write(CALLED_AS_COLUMNS)}:{name}", "-q", "--set", "space.seed.high=8")
    assert ran.code == 0, ran.err
    result = Result(store)
    rows = result.sql('SELECT "config.seed", "config.step", last_loss FROM trials ORDER BY trial').fetchall()
    assert [loss for *_, loss in rows] == [seed + step / 10 for seed, step, _ in rows]
    assert dict(result.space) == {"config.seed": Int(2, 8), "config.step": Int(1, 4)}
    assert caviar("run", f"{write(CALLED_AS_COLUMNS)}:of_a_dict", "-q", "--fix", "seed=3").code == 0
    assert set(Result(store).trials()["config.seed"]) == {3}
