"""By night: trials of each framework come, by fork, from a process that has imported it, and train as ever."""

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from caviar import Result

NIGHT = "by night test_real_frameworks.py runs it, with all of them: two sweeps on Ray for each take minutes"
pytestmark = pytest.mark.skipif("CAVIAR_FRAMEWORKS" not in os.environ, reason=NIGHT)

AROUND = """
import os
from pathlib import Path
{imports}
from caviar import Float, Sweep


def train(config, trial):
    forked = "fork_server.py" in Path(f"/proc/{{os.getppid()}}/cmdline").read_text()
    seed = trial.seed % 2**31
    for step, loss in enumerate(losses(config["lr"], seed, trial.path)):
        trial.report(step, loss=float(loss), forked=forked)


{losses}

sweep = Sweep(train, space={{"lr": Float(0.01, 0.1)}}, metric="loss", trials=2, seed=1)
"""

SINE = """
    x = torch.linspace(-1, 1, 256)[:, None]
    data = TensorDataset(x, torch.sin(3 * x))
    net = nn.Sequential(nn.Linear(1, 16), nn.Tanh(), nn.Linear(16, 1))
    optimizer = torch.optim.SGD(net.parameters(), lr=lr)
    for _ in range(3):
        for some, wanted in DataLoader(data, batch_size=64, shuffle=True, num_workers={processes}):
            loss = nn.functional.mse_loss(net(some), wanted)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        yield loss.item()
"""
TORCH = "import torch\nfrom torch import nn\nfrom torch.utils.data import DataLoader, TensorDataset"
TREES = "from sklearn.datasets import load_digits"

LOSSES = {
    "torch": (TORCH, "    torch.manual_seed(seed)" + SINE.format(processes=0)),
    "torch with processes for data": (TORCH, "    torch.manual_seed(seed)" + SINE.format(processes=2)),
    "lightning": (
        f"import lightning\n{TORCH}",
        """
    class Line(lightning.LightningModule):
        def __init__(self):
            super().__init__()
            self.net = nn.Linear(1, 1)

        def training_step(self, batch, _):
            loss = nn.functional.mse_loss(self.net(batch[0]), batch[1])
            self.log("loss", loss, on_step=False, on_epoch=True)
            return loss

        def configure_optimizers(self):
            return torch.optim.SGD(self.parameters(), lr)

    lightning.seed_everything(seed, verbose=False)
    x = torch.linspace(-1, 1, 128)[:, None]
    quiet = {"logger": False, "enable_checkpointing": False, "enable_progress_bar": False}
    trainer = lightning.Trainer(max_epochs=2, accelerator="cpu", enable_model_summary=False, **quiet)
    trainer.fit(Line(), DataLoader(TensorDataset(x, 2 * x), batch_size=32))
    yield trainer.callback_metrics["loss"]
""",
    ),
    "transformers": (
        "import torch\nfrom transformers import BertConfig, BertForSequenceClassification, Trainer, TrainingArguments",
        """
    torch.manual_seed(seed)
    data = [{"input_ids": torch.randint(0, 50, (8,)), "labels": i % 2} for i in range(32)]
    small = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16}
    model = BertForSequenceClassification(BertConfig(vocab_size=50, **small))
    quiet = {"report_to": [], "disable_tqdm": True, "save_strategy": "no"}
    how = TrainingArguments(
        str(path), learning_rate=lr, num_train_epochs=1, per_device_train_batch_size=8, use_cpu=True, seed=1, **quiet
    )
    yield Trainer(model=model, args=how, train_dataset=data).train().training_loss
""",
    ),
    "keras": (
        'os.environ.setdefault("KERAS_BACKEND", "torch")\nimport keras\nimport numpy as np',
        """
    keras.utils.set_random_seed(seed)
    x = np.linspace(-1, 1, 256, dtype="float32")[:, None]
    model = keras.Sequential([keras.layers.Dense(8, activation="tanh"), keras.layers.Dense(1)])
    model.compile(optimizer=keras.optimizers.SGD(lr), loss="mse")
    yield from model.fit(x, np.sin(3 * x), epochs=3, verbose=0, batch_size=64).history["loss"]
""",
    ),
    "xgboost": (
        f"import xgboost\n{TREES}",
        """
    x, y = load_digits(return_X_y=True)
    seen, kept = (xgboost.DMatrix(x[part], y[part] == 3) for part in (slice(400), slice(400, 600)))
    how, found = {"eta": lr, "objective": "binary:logistic", "nthread": 1, "seed": seed}, {}
    xgboost.train(how, seen, 5, evals=[(kept, "kept")], evals_result=found, verbose_eval=False)
    yield from found["kept"]["logloss"]
""",
    ),
    "lightgbm": (
        f"import lightgbm\n{TREES}",
        """
    x, y = load_digits(return_X_y=True)
    seen = lightgbm.Dataset(x[:400], y[:400] == 3)
    kept = lightgbm.Dataset(x[400:600], y[400:600] == 3, reference=seen)
    how, found = {"learning_rate": lr, "objective": "binary", "num_threads": 1, "verbose": -1, "seed": seed}, {}
    lightgbm.train(how, seen, 5, valid_sets=[kept], callbacks=[lightgbm.record_evaluation(found)])
    yield from found["valid_0"]["binary_logloss"]
""",
    ),
    "scikit-learn": (
        f"{TREES}\nfrom sklearn.linear_model import SGDClassifier",
        """
    x, y = load_digits(return_X_y=True)
    model = SGDClassifier(alpha=lr, random_state=seed)
    for _ in range(4):
        model.partial_fit(x[:400], y[:400], classes=range(10))
        yield 1 - model.score(x[400:], y[400:])
""",
    ),
    "jax": (
        "import jax\nimport jax.numpy as jnp",
        """
    x = jnp.linspace(-1, 1, 64)
    weights = jax.random.normal(jax.random.key(seed), (4,))
    error = jax.jit(jax.value_and_grad(lambda w: jnp.mean((sum(w[i] * x**i for i in range(4)) - jnp.sin(3 * x)) ** 2)))
    for _ in range(4):
        loss, slope = error(weights)
        weights = weights - lr * slope
        yield loss
""",
    ),
}


@pytest.mark.parametrize("name", LOSSES)
def test_forked_trials_train_as_those_that_begin(name: str, tmp_path: Path) -> None:
    imports, losses = LOSSES[name]
    file = tmp_path / "experiment.py"
    losses = "def losses(lr, seed, path):\n" + textwrap.indent(textwrap.dedent(losses.strip("\n")), "    ")
    file.write_text(AROUND.format(imports=imports, losses=losses))
    found = {}
    for process in ("warm", "forked"):
        store = tmp_path / process
        command = [sys.executable, "-c", "from caviar.cli.main import main; main()", "run", str(file)]
        done = subprocess.run(
            [*command, "--process", process, "--store", str(store), "--json"],
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        rows = Result(store).sql("SELECT trial, step, loss, forked FROM curves ORDER BY trial, step").fetchall()
        assert {bool(row[3]) for row in rows} == {process == "forked"}, "they were not forked, or should not have been"
        found[process] = [row[:3] for row in rows]
    assert found["warm"] == found["forked"]
    assert len({row[0] for row in found["warm"]}) == 2
