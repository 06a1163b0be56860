"""Six usual workloads as whole sweeps, written as their owners would: what Caviar asks of each is 0 to 2 lines.

These lines end in `# glue`. A report of a curve and the import of what is used are no glue: without them there is
nothing to compare.
"""

import inspect
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from caviar import Choice, Command, Float, Result, Sweep
from caviar.display.plain import SilentProgress

pytestmark = [pytest.mark.filterwarnings("ignore"), pytest.mark.usefixtures("inline")]

LEGACY = """
import argparse

parser = argparse.ArgumentParser()
parser.add_argument("--lr", type=float, required=True)
parser.add_argument("--beta", type=float, default=0.9)
parser.add_argument("--optimizer", choices=["sgd", "adam"], default="sgd")
args = parser.parse_args()
if args.lr > 0.9:
    raise SystemExit("lr too large, refusing")
loss = 2.0
for epoch in range(5):
    loss *= 1 - min(0.9, args.lr * (1 - args.beta) * 10) * (1.0 if args.optimizer == "sgd" else 0.7)
    print(f"epoch {epoch}: val_loss={loss:.6f} train_loss={loss * 0.9:.6f}", flush=True)
"""


def digits() -> tuple[Any, Any]:
    from sklearn.datasets import load_digits

    found = load_digits()
    return (found.data / 16.0).astype(np.float32)[:400], found.target[:400]


def swept(tmp_path: Path, train: Any, space: dict[str, Any], metric: str, **how: Any) -> Result:
    result = Sweep(train, space, metric, trials=2, **how).run(tmp_path / "store", progress=SilentProgress())
    assert set(result.trials()["state"]) == {"COMPLETED"}, list(result.trials()["error"])
    return result


def glue(train: Callable[..., Any]) -> int:
    """How many lines of it are there for Caviar."""
    return sum(line.rstrip().endswith("# glue") for line in inspect.getsource(train).splitlines())


def torch_train(config: Any, trial: Any) -> None:
    import torch
    from torch.utils.data import DataLoader, TensorDataset

    x, y = map(torch.tensor, digits())
    loader = DataLoader(TensorDataset(x, y), batch_size=config["batch"], shuffle=True)
    model = torch.nn.Linear(64, 10)
    optimizer = torch.optim.Adam(model.parameters(), lr=config["lr"])
    first = 0
    if (saved := trial.load()) is not None:
        state = torch.load(saved.path)
        model.load_state_dict(state["model"])
        optimizer.load_state_dict(state["optimizer"])
        first = saved.step + 1
    for epoch in range(first, 3):
        for xb, yb in loader:
            optimizer.zero_grad()
            loss = torch.nn.functional.cross_entropy(model(xb), yb)
            loss.backward()
            optimizer.step()
        trial.report(epoch, loss=loss, acc=(model(x).argmax(1) == y).float().mean())
        torch.save({"model": model.state_dict(), "optimizer": optimizer.state_dict()}, trial.path / "state.pt")
        trial.save(epoch, trial.path / "state.pt")  # glue


def test_torch(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    space = {"lr": Float(1e-3, 1e-1, "log"), "batch": Choice([32, 64])}
    result = swept(tmp_path, torch_train, space, "acc", mode="max")
    result.checkpoint().write(tmp_path / "best.pt")
    assert set(torch.load(tmp_path / "best.pt")) == {"model", "optimizer"}
    assert glue(torch_train) <= 2


def lightning_train(config: Any, trial: Any) -> None:
    import lightning
    import torch

    from caviar.integrations.lightning import Report, resume_path

    class Model(lightning.LightningModule):
        def __init__(self) -> None:
            super().__init__()
            self.layer = torch.nn.Linear(64, 10)

        def training_step(self, batch: Any, _: int) -> Any:
            return torch.nn.functional.cross_entropy(self.layer(batch[0]), batch[1])

        def validation_step(self, batch: Any, _: int) -> None:
            self.log("val_loss", torch.nn.functional.cross_entropy(self.layer(batch[0]), batch[1]))

        def configure_optimizers(self) -> Any:
            return torch.optim.Adam(self.parameters(), lr=config["lr"])

    loader = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(*map(torch.tensor, digits())), 64)
    quiet = {"logger": False, "enable_checkpointing": False, "enable_progress_bar": False, "accelerator": "cpu"}
    trainer = lightning.Trainer(max_epochs=2, callbacks=[Report(trial, save=True)], **quiet)  # glue
    trainer.fit(Model(), loader, loader, ckpt_path=resume_path(trial))  # glue


def test_lightning(tmp_path: Path) -> None:
    pytest.importorskip("lightning")
    result = swept(tmp_path, lightning_train, {"lr": Float(1e-3, 1e-1, "log")}, "val_loss")
    assert result.best.step == 1
    assert glue(lightning_train) <= 2


def hf_train(config: Any, trial: Any) -> None:
    import torch
    from transformers import BertConfig, BertForSequenceClassification, Trainer, TrainingArguments

    from caviar.integrations.transformers import Report

    generator = torch.Generator().manual_seed(0)
    x = torch.randint(5, 50, (64, 8), generator=generator)
    rows = [{"input_ids": one, "labels": (one[0] > 27).long()} for one in x]
    shape = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16}
    model = BertForSequenceClassification(BertConfig(vocab_size=50, **shape))
    quiet = {"save_strategy": "no", "report_to": [], "use_cpu": True, "disable_tqdm": True}
    args = TrainingArguments(
        output_dir=trial.path,  # glue
        learning_rate=config["lr"],
        num_train_epochs=2,
        eval_strategy="epoch",
        **quiet,
    )
    trainer = Trainer(
        model=model,
        args=args,
        train_dataset=rows,
        eval_dataset=rows,
        callbacks=[Report(trial)],  # glue
    )
    trainer.train()


def test_hugging_face(tmp_path: Path) -> None:
    pytest.importorskip("transformers")
    pytest.importorskip("torch")
    result = swept(tmp_path, hf_train, {"lr": Float(1e-5, 1e-2, "log")}, "eval_loss")
    assert len(result.curves(0)) == 2
    assert glue(hf_train) <= 2


def boost_train(config: Any, trial: Any) -> None:
    import lightgbm
    import xgboost

    from caviar.integrations.lightgbm import report
    from caviar.integrations.xgboost import Report

    x, y = digits()
    y = y > 4
    if config["lib"] == "xgboost":
        made, valid = xgboost.DMatrix(x[:300], y[:300]), xgboost.DMatrix(x[300:], y[300:])
        given = {"objective": "binary:logistic", "eta": config["eta"], "eval_metric": "logloss", "nthread": 1}
        xgboost.train(given, made, 5, evals=[(valid, "valid")], callbacks=[Report(trial)], verbose_eval=False)  # glue
    else:
        made, valid = lightgbm.Dataset(x[:300], y[:300]), lightgbm.Dataset(x[300:], y[300:])
        given = {
            "objective": "binary",
            "metric": "binary_logloss",
            "learning_rate": config["eta"],
            "verbose": -1,
            "num_threads": 1,
        }
        lightgbm.train(given, made, 5, valid_sets=[valid], valid_names=["valid"], callbacks=[report(trial)])  # glue


@pytest.mark.parametrize("lib", ["xgboost", "lightgbm"])
def test_boosting(tmp_path: Path, lib: str) -> None:
    pytest.importorskip("xgboost")
    pytest.importorskip("lightgbm")
    metric = {"xgboost": "valid-logloss", "lightgbm": "valid-binary_logloss"}[lib]
    result = swept(tmp_path, boost_train, {"lib": lib, "eta": Float(0.01, 0.5, "log")}, metric)
    assert len(result.curves(0)) == 5
    assert glue(boost_train) <= 2


def cv_train(config: Any, trial: Any) -> dict[str, float]:
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import cross_val_score

    scores = cross_val_score(LogisticRegression(C=config["C"], max_iter=50), *digits(), cv=3)
    return {"acc": scores.mean(), "acc_sd": scores.std(), **{f"fold{i}": one for i, one in enumerate(scores)}}


def test_cross_validation(tmp_path: Path) -> None:
    pytest.importorskip("torch")  # by night, with the others
    result = swept(tmp_path, cv_train, {"C": Float(1e-2, 10, "log")}, "acc", mode="max")
    assert {"last_fold0", "last_fold2"} <= set(result.trials())
    assert glue(cv_train) == 0


def jax_train(config: Any, trial: Any) -> None:
    import pickle

    import jax
    import jax.numpy as jnp

    x, y = digits()
    weights, first = jnp.zeros((64, 10)), 0

    @jax.jit
    def loss_of(weights: Any) -> Any:
        return -jnp.mean(jax.nn.log_softmax(x @ weights)[jnp.arange(len(y)), y])

    if (saved := trial.load()) is not None:
        weights, first = pickle.loads(saved.data), saved.step + 1
    for epoch in range(first, 4):
        loss, slope = jax.value_and_grad(loss_of)(weights)
        weights = weights - config["lr"] * slope
        trial.report(epoch, loss=loss)
        trial.save(epoch, pickle.dumps(np.asarray(weights)))  # glue


def test_jax(tmp_path: Path) -> None:
    pytest.importorskip("jax")
    result = swept(tmp_path, jax_train, {"lr": Float(1e-2, 10, "log")}, "loss", stopping="asha:eta=3", pausing=True)
    assert result.best.value < 2.4
    assert glue(jax_train) <= 2


def test_a_legacy_script_is_not_changed_at_all(tmp_path: Path) -> None:
    (tmp_path / "legacy.py").write_text(LEGACY)
    command = Command([sys.executable, "legacy.py", "{args}"], folder=str(tmp_path))
    space = {
        "lr": Float(1e-3, 0.5, "log"),
        "beta": Float(0.5, 0.99, "reverse_log"),
        "optimizer": Choice(["sgd", "adam"]),
    }
    result = swept(tmp_path, command, space, "val_loss")
    assert len(result.curves(0)) == 5
    assert set(result.curves(0)) >= {"val_loss", "train_loss"}
