"""experiments/convnet.py as plain functions, on the CPU, where torch is installed; and its word where it is not."""

import math
import sys
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest

from caviar.cli.experiment_file import load
from caviar.errors import SpecError
from caviar_workers.checkpoint import Checkpoint

from .conftest import EXPERIMENTS, imported

GOOD = {"lr": 0.2, "beta": 0.95, "channels": 16, "layers": 2, "batch": 64, "decay": 0.05}


class Recorder:
    """Stands in for the trial handle: keeps what is reported and saved."""

    def __init__(self, restored: Checkpoint | None = None) -> None:
        self.seed = 7
        self.rows: list[tuple[int, dict[str, float]]] = []
        self.saves: list[Checkpoint] = []
        self._restored = restored

    def load(self) -> Checkpoint | None:
        return self._restored

    def save(self, step: int, data: bytes) -> None:
        self.saves.append(Checkpoint(step, data))

    def report(self, step: int, **metrics: float) -> None:
        self.rows.append((step, metrics))


@pytest.fixture(scope="module")
def convnet() -> ModuleType:
    pytest.importorskip("torch", reason="torch is not installed here")
    module = imported("convnet")
    module.torch.set_num_threads(1)
    return module


def trained(convnet: ModuleType, config: dict[str, Any], epochs: int, restored: Checkpoint | None = None) -> Recorder:
    convnet.torch.manual_seed(7)  # as the runner does
    trial = Recorder(restored)
    convnet.train(config, trial, epochs=epochs)
    return trial


def test_without_torch_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    def find_spec(name: str, *_: object) -> None:
        if name == "torch":
            raise ModuleNotFoundError("No module named 'torch'", name="torch")

    monkeypatch.delitem(sys.modules, "torch", raising=False)
    monkeypatch.setattr(sys, "meta_path", [SimpleNamespace(find_spec=find_spec), *sys.meta_path])
    with pytest.raises(SpecError, match=r"No module named 'torch'; if that is a package, type: .* torch$"):
        load(str(EXPERIMENTS / "convnet.py"))


def test_the_splits_hold_every_image_once_and_every_digit_in_proportion(convnet: ModuleType) -> None:
    from sklearn.datasets import load_digits

    images, labels = load_digits(return_X_y=True)
    splits = convnet.digits("cpu")
    everything = np.concatenate([pixels.numpy().reshape(-1, 64) for pixels, _ in splits.values()]) * 16
    np.testing.assert_array_equal(np.unique(everything, axis=0), np.unique(images, axis=0))
    assert len(everything) == len(images)
    for name, share in [("train", 0.6), ("dev", 0.2), ("test", 0.2)]:
        np.testing.assert_allclose(np.bincount(splits[name][1]), share * np.bincount(labels), atol=1.5)


def test_it_learns_and_a_trial_that_goes_on_from_a_checkpoint_has_the_same_curve(convnet: ModuleType) -> None:
    whole = trained(convnet, GOOD, epochs=8)
    again = trained(convnet, GOOD, epochs=8, restored=whole.saves[0])

    assert [step for step, _ in whole.rows] == list(range(8))
    assert whole.rows[-1][1]["val_error"] < 0.3
    assert [save.step for save in whole.saves] == [4, 7]
    assert again.rows == whole.rows[5:]
    honest = convnet.final(GOOD, Recorder(whole.saves[-1]))
    assert 0 < honest["test_error"] < 0.35


def test_divergence_is_nan_and_ends_the_trial(convnet: ModuleType) -> None:
    trial = trained(convnet, GOOD | {"lr": 1e20}, epochs=8)
    assert math.isnan(trial.rows[-1][1]["val_error"])
    assert len(trial.rows) < 8
    assert trial.saves == []


def test_momentum_is_the_lecture_s(convnet: ModuleType) -> None:
    torch = convnet.torch
    weight = torch.nn.Parameter(torch.tensor([1.0]))
    optimizer = torch.optim.SGD([weight], lr=0.5, momentum=0.9, dampening=0.9)
    velocity = 0.0
    for step, gradient in enumerate([2.0, -1.0, 3.0]):
        weight.grad = torch.tensor([gradient])
        before = float(weight.detach())
        optimizer.step()
        velocity = 0.9 * velocity + 0.1 * gradient if step else gradient  # torch begins with the gradient itself
        assert float(weight.detach()) == pytest.approx(before - 0.5 * velocity)
