"""experiments/digits.py as plain functions, without the orchestrator: is it right, and is it honest?"""

import math
from types import ModuleType

import numpy as np
import pytest

from .conftest import imported

GOOD = {
    "lr": 0.005,
    "beta": 0.9,
    "units": 64,
    "layers": 2,
    "batch": 32,
    "decay": 0.05,
    "optimizer": "adam",
}


class Recorder:
    """Stands in for the trial handle: keeps what is reported."""

    def __init__(self, seed: int = 0, number: int = 0) -> None:
        self.seed, self.number = seed, number
        self.rows: list[tuple[int, dict[str, float]]] = []

    def report(self, step: int, **metrics: float) -> None:
        self.rows.append((step, metrics))


@pytest.fixture(scope="module")
def digits() -> ModuleType:
    return imported("digits")


Rows = list[tuple[int, dict[str, float]]]


def rows_of(digits: ModuleType, config: dict, seed: int = 0, epochs: int = 2) -> Rows:
    trial = Recorder(seed)
    digits.train(config, trial, epochs=epochs)
    return trial.rows


def test_the_splits_hold_every_image_once_and_every_digit_in_proportion(digits: ModuleType) -> None:
    from sklearn.datasets import load_digits

    images, labels = load_digits(return_X_y=True)
    splits = digits.digits()
    everything = np.concatenate([split.images for split in splits.values()]) * 16
    # As many images as there are, and the same ones: so none is in two splits.
    assert len(np.unique(images, axis=0)) == len(images)
    np.testing.assert_array_equal(np.unique(everything, axis=0), np.unique(images, axis=0))
    assert len(everything) == len(images)
    for name, share in [("train", 0.6), ("dev", 0.2), ("test", 0.2)]:
        counts = np.bincount(splits[name].labels, minlength=10)
        np.testing.assert_allclose(counts, share * np.bincount(labels), atol=1)
        assert np.any(np.diff(splits[name].labels) < 0), "not shuffled"


def test_images_keep_their_labels_and_come_from_all_over_the_file(digits: ModuleType) -> None:
    from sklearn.datasets import load_digits

    images, labels = load_digits(return_X_y=True)
    row_of = {image.tobytes(): row for row, image in enumerate(images)}
    for split in digits.digits().values():
        rows = [row_of[(image.astype(np.float64) * 16).tobytes()] for image in split.images]
        np.testing.assert_array_equal(labels[rows], split.labels)
        # Writers follow one another in the file: a split cut from it unshuffled would miss some of them.
        assert min(rows) < 100
        assert max(rows) > len(images) - 100


def test_the_split_is_the_same_in_every_process_and_for_every_seed(digits: ModuleType) -> None:
    before = {name: split.images.copy() for name, split in digits.digits().items()}
    digits.digits.cache_clear()
    np.random.seed(123)  # a runner seeds the global generator before each trial: the split must not care
    for name, split in digits.digits().items():
        np.testing.assert_array_equal(split.images, before[name])


def test_backward_agrees_with_finite_differences(digits: ModuleType) -> None:
    rng = np.random.default_rng(0)
    network = [array.astype(np.float64) for array in digits.new_network(6, 3, rng)]
    images, labels = rng.random((5, 64)), np.array([0, 3, 9, 3, 1])

    def loss() -> float:
        return digits.cross_entropy(digits.forward(network, images)[-1], labels)[0]

    outputs = digits.forward(network, images)
    gradients = digits.backward(network, outputs, digits.cross_entropy(outputs[-1], labels)[1])
    for array, gradient in zip(network, gradients, strict=True):
        assert array.shape == gradient.shape
        for index in [tuple(rng.integers(0, array.shape)) for _ in range(5)]:
            value, tiny = array[index], 1e-6
            array[index] = value + tiny
            above = loss()
            array[index] = value - tiny
            below = loss()
            array[index] = value
            assert gradient[index] == pytest.approx((above - below) / (2 * tiny), abs=1e-7)


def test_cross_entropy_survives_large_logits(digits: ModuleType) -> None:
    logits = np.zeros((2, 10), dtype=np.float32)
    logits[:, 4] = 1e4
    loss, gradient = digits.cross_entropy(logits, np.array([4, 7]))
    assert loss == pytest.approx(5e3)  # the mean of 0 (sure, and right) and 10,000 (sure, and wrong)
    assert np.isfinite(gradient).all()


def test_a_network_that_overflows_has_no_loss_and_no_error(digits: ModuleType) -> None:
    weights, bias = np.zeros((64, 10), np.float32), np.full(10, -3e38, np.float32)
    bias[0] = 3e38  # finite, but their difference is not: the loss is infinite before it is NaN
    loss, error = digits.evaluate([weights, bias], digits.digits()["dev"])
    assert math.isnan(loss)
    assert math.isnan(error)


def test_a_network_that_knows_nothing_has_the_loss_of_ten_equal_guesses(digits: ModuleType) -> None:
    assert digits.cross_entropy(np.zeros((3, 10)), np.array([0, 1, 2]))[0] == pytest.approx(math.log(10))


def test_momentum_follows_the_lecture(digits: ModuleType) -> None:
    network = [np.array([1.0])]
    optimizer = digits.Momentum(network, beta=0.9)
    optimizer.step(network, [np.array([2.0])], lr=0.5)
    assert network[0][0] == pytest.approx(1 - 0.5 * 0.2)  # v = 0.1 · 2
    optimizer.step(network, [np.array([-1.0])], lr=0.5)
    assert network[0][0] == pytest.approx(0.9 - 0.5 * 0.08)  # v = 0.9 · 0.2 + 0.1 · (−1)


def test_adam_follows_the_paper(digits: ModuleType) -> None:
    network, gradients = [np.array([1.0])], [2.0, -1.0, 0.5]
    optimizer = digits.Adam(network)
    expected, mean, square = 1.0, 0.0, 0.0
    for t, gradient in enumerate(gradients, start=1):
        optimizer.step(network, [np.array([gradient])], lr=0.01)
        mean = 0.9 * mean + 0.1 * gradient
        square = 0.999 * square + 0.001 * gradient**2
        expected -= 0.01 * (mean / (1 - 0.9**t)) / (math.sqrt(square / (1 - 0.999**t)) + 1e-8)
        assert network[0][0] == pytest.approx(expected, rel=1e-12)


def test_adam_does_not_listen_to_beta_and_momentum_does(digits: ModuleType) -> None:
    other = {"beta": 0.999}
    assert rows_of(digits, GOOD) == rows_of(digits, GOOD | other)
    momentum = GOOD | {"optimizer": "momentum"}
    assert rows_of(digits, momentum) != rows_of(digits, momentum | other)


def test_the_learning_rate_decays(digits: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    rates: list[float] = []
    monkeypatch.setattr(digits, "learn", lambda network, optimizer, batches, lr: rates.append(lr) or 0.0)
    list(digits.fit(GOOD | {"lr": 0.6, "decay": 0.5}, 0, epochs=3))
    assert rates == pytest.approx([0.6, 0.4, 0.3])


def test_an_epoch_shows_every_image_once(digits: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[list] = []
    monkeypatch.setattr(digits, "learn", lambda network, optimizer, batches, lr: seen.append(batches) or 0.0)
    list(digits.fit(GOOD | {"batch": 100}, 0, epochs=2))
    images = digits.digits()["train"].images
    for batches in seen:
        assert {len(batch.labels) for batch in batches[:-1]} == {100}
        shown = np.concatenate([batch.images for batch in batches])
        assert len(shown) == len(images)
        np.testing.assert_array_equal(np.unique(shown, axis=0), np.unique(images, axis=0))
    assert not np.array_equal(seen[0][0].images, seen[1][0].images), "the second epoch has the same batches"


def test_a_good_config_reads_the_dev_split(digits: ModuleType) -> None:
    rows = rows_of(digits, GOOD, epochs=digits.EPOCHS)
    assert [step for step, _ in rows] == list(range(digits.EPOCHS))
    assert all(set(metrics) == {"train_loss", "val_loss", "val_error"} for _, metrics in rows)
    assert all(type(value) is float for _, metrics in rows for value in metrics.values())
    assert rows[-1][1]["val_error"] < 0.04
    assert rows[-1][1]["train_loss"] < 0.01 < rows[0][1]["train_loss"]


def test_same_seed_same_curve(digits: ModuleType) -> None:
    assert rows_of(digits, GOOD, seed=1) == rows_of(digits, GOOD, seed=1)
    assert rows_of(digits, GOOD, seed=1) != rows_of(digits, GOOD, seed=2)


# Warnings are errors here, so these two also hold that numpy says nothing of the overflow.
@pytest.mark.parametrize("optimizer", ["momentum", "adam"])
def test_divergence_is_nan_and_ends_the_trial(digits: ModuleType, optimizer: str) -> None:
    rows = rows_of(digits, GOOD | {"lr": 1e12, "optimizer": optimizer}, epochs=20)
    assert all(math.isnan(value) for value in rows[-1][1].values())
    assert len(rows) < 20


@pytest.mark.parametrize("lr", [1e-4, 1.0])
@pytest.mark.parametrize("batch", [8, 256])
@pytest.mark.parametrize("optimizer", ["momentum", "adam"])
def test_the_corners_of_the_space_train(digits: ModuleType, lr: float, batch: int, optimizer: str) -> None:
    large = {"layers": 4, "units": 100, "beta": 0.999}
    corner = GOOD | large | {"lr": lr, "batch": batch, "optimizer": optimizer}
    assert len(rows_of(digits, corner, epochs=1)) == 1


def test_training_never_sees_the_test_split(digits: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    splits = {name: split for name, split in digits.digits().items() if name != "test"}
    monkeypatch.setattr(digits, "digits", lambda: splits)
    rows_of(digits, GOOD)
    with pytest.raises(KeyError, match="test"):
        digits.final(GOOD, Recorder(), epochs=1)


def test_final_judges_the_very_network_that_won(digits: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = rows_of(digits, GOOD, seed=5, epochs=3)
    splits = digits.digits()
    honest = digits.final(GOOD, Recorder(seed=5), epochs=3)
    # On the dev split in place of the test split, it must come to what the trial itself reported.
    monkeypatch.setattr(digits, "digits", lambda: splits | {"test": splits["dev"]})
    assert digits.final(GOOD, Recorder(seed=5), epochs=3) == {"test_error": rows[-1][1]["val_error"]}
    assert list(honest) == ["test_error"]
    assert 0 < honest["test_error"] < 0.2
