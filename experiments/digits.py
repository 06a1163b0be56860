"""Handwritten digits: the sweep of Andrew Ng's lecture, in one file.

A multilayer perceptron in plain numpy learns to read 1,797 digits of 8 × 8 pixels. What is swept, and on
which scale, follows "Improving Deep Neural Networks", week 3: learning rate first, then momentum, mini-batch
size and hidden units, then layers and learning-rate decay. Adam's β1, β2 and ε are left alone.

    caviar run experiments/digits.py
    caviar run experiments/digits.py --trials 16 --set train.epochs=5
"""

from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from sklearn.datasets import load_digits

from caviar import Choice, Float, Int, Sweep

Array = npt.NDArray[np.float32]  # single precision: half the memory traffic, and the same dev error
Network = list[Array]  # weights (inputs, outputs) and bias (outputs,) of every layer in turn

EPOCHS = 30
SPLIT_SEED = 0  # never the trial's seed: every trial must learn from, and be judged on, the same digits


# ---------------------------------------------------------------------------------------------- the data
class Split(NamedTuple):
    """Images, float32 (n, 64), and which digit each one shows, int64 (n,)."""

    images: Array
    labels: npt.NDArray[np.int64]


@cache  # once per process, not once per trial
def digits() -> dict[str, Split]:
    """The data as "train", "dev" and "test": 60, 20 and 20 % of each digit, shuffled and kept apart."""
    images, labels = load_digits(return_X_y=True)
    images = (images / 16).astype(np.float32)  # pixels count from 0 to 16
    rng = np.random.default_rng(SPLIT_SEED)
    rows: dict[str, list[npt.NDArray[np.int64]]] = {"train": [], "dev": [], "test": []}
    for digit in range(10):  # stratified: each split sees as large a share of this digit as of any other
        shuffled = rng.permutation(np.flatnonzero(labels == digit))
        cuts = [round(0.6 * len(shuffled)), round(0.8 * len(shuffled))]
        for name, part in zip(rows, np.split(shuffled, cuts), strict=True):
            rows[name].append(part)
    picked = {name: rng.permutation(np.concatenate(parts)) for name, parts in rows.items()}
    return {name: Split(images[index], labels[index]) for name, index in picked.items()}


# ------------------------------------------------------------------------------------------- the network
def new_network(units: int, layers: int, rng: np.random.Generator) -> Network:
    """`layers` hidden layers of `units` neurons each, and an output for each of the ten digits."""
    sizes = [64] + [units] * layers + [10]
    network = []
    for inputs, outputs in pairwise(sizes):
        # He et al. 2015: with this spread a ReLU layer neither blows signals up nor lets them fade.
        weights = rng.standard_normal((inputs, outputs), dtype=np.float32) * np.float32(np.sqrt(2 / inputs))
        network += [weights, np.zeros(outputs, dtype=np.float32)]
    return network


def forward(network: Network, images: Array) -> list[Array]:
    """What every layer puts out: the images first, the logits (n, 10) last."""
    outputs = [images]
    for weights, bias in zip(network[:-2:2], network[1:-2:2], strict=True):
        outputs.append(np.maximum(outputs[-1] @ weights + bias, 0))
    return [*outputs, outputs[-1] @ network[-2] + network[-1]]


def cross_entropy(logits: Array, labels: npt.NDArray[np.int64]) -> tuple[float, Array]:
    """The mean loss −log p(label), and its gradient with respect to the logits."""
    # exp() of a large logit overflows. Moving all logits alike changes no probability: the largest goes to 0.
    shifted = logits - logits.max(axis=1, keepdims=True)
    log_p = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    rows = np.arange(len(labels))
    loss = -float(log_p[rows, labels].mean())
    gradient = np.exp(log_p)
    gradient[rows, labels] -= 1
    return loss if np.isfinite(loss) else np.nan, gradient / np.float32(len(labels))


def backward(network: Network, outputs: list[Array], gradient: Array) -> Network:
    """The gradient for every array of the network, in its order, from the gradient for the logits."""
    gradients: Network = []
    for layer in reversed(range(len(network) // 2)):
        gradients = [outputs[layer].T @ gradient, gradient.sum(axis=0), *gradients]
        if layer > 0:  # through the ReLU below, which passes a gradient on only where it was open
            gradient = (gradient @ network[2 * layer].T) * (outputs[layer] > 0)
    return gradients


# ---------------------------------------------------------------------------------------- the optimizers
class Momentum:
    """Follow an average of about the last 1 / (1 − β) gradients; hence the scale of β, `reverse_log`."""

    def __init__(self, network: Network, beta: float) -> None:
        self.beta = beta
        self.velocity = [np.zeros_like(array) for array in network]

    def step(self, network: Network, gradients: Network, lr: float) -> None:
        """Move the network, in place."""
        for array, gradient, velocity in zip(network, gradients, self.velocity, strict=True):
            velocity[...] = self.beta * velocity + (1 - self.beta) * gradient
            array[...] -= lr * velocity


class Adam:
    """Kingma & Ba 2015, algorithm 1. The lecture never tunes β1, β2 and ε; nor do we."""

    beta1, beta2, epsilon = 0.9, 0.999, 1e-8

    def __init__(self, network: Network) -> None:
        self.steps = 0
        self.mean = [np.zeros_like(array) for array in network]
        self.square = [np.zeros_like(array) for array in network]

    def step(self, network: Network, gradients: Network, lr: float) -> None:
        """Move the network, in place."""
        self.steps += 1
        # Both averages start at 0 and are too small at first; these two factors make up for it.
        fix1, fix2 = 1 / (1 - self.beta1**self.steps), 1 / (1 - self.beta2**self.steps)
        for array, gradient, mean, square in zip(network, gradients, self.mean, self.square, strict=True):
            mean[...] = self.beta1 * mean + (1 - self.beta1) * gradient
            square[...] = self.beta2 * square + (1 - self.beta2) * gradient**2
            array[...] -= lr * fix1 * mean / (np.sqrt(fix2 * square) + self.epsilon)


# ---------------------------------------------------------------------------------------------- training
# Too high a learning rate is a finding, not an accident: overflow gets no warning, it shows as a loss of NaN.
@np.errstate(over="ignore", invalid="ignore")
def learn(network: Network, optimizer: Momentum | Adam, batches: list[Split], lr: float) -> float:
    """One epoch: a step for each mini-batch, in place. Returns the mean loss on the way."""
    losses = []
    for images, labels in batches:
        outputs = forward(network, images)
        loss, gradient = cross_entropy(outputs[-1], labels)
        optimizer.step(network, backward(network, outputs, gradient), lr)
        losses.append(loss)
    return float(np.mean(losses))


@np.errstate(over="ignore", invalid="ignore")
def evaluate(network: Network, split: Split) -> tuple[float, float]:
    """The loss and the share of digits misread; both NaN where the network has diverged."""
    logits = forward(network, split.images)[-1]
    loss, _ = cross_entropy(logits, split.labels)
    error = float(np.mean(logits.argmax(axis=1) != split.labels))
    return loss, np.nan if np.isnan(loss) else error  # argmax of NaNs is 0: it would pass for reading a zero


def fit(config: dict[str, Any], seed: int, epochs: int) -> Iterator[tuple[Network, float]]:
    """The network and its training loss after each epoch: a pure function of config, seed and epochs."""
    images, labels = digits()["train"]
    rng = np.random.default_rng(seed)
    network = new_network(config["units"], config["layers"], rng)
    optimizer = Adam(network) if config["optimizer"] == "adam" else Momentum(network, config["beta"])
    for epoch in range(epochs):
        rows = rng.permutation(len(labels))  # new mini-batches in every epoch
        chunks = [rows[start : start + config["batch"]] for start in range(0, len(rows), config["batch"])]
        lr = config["lr"] / (1 + config["decay"] * epoch)
        yield network, learn(network, optimizer, [Split(images[c], labels[c]) for c in chunks], lr)


def train(config: dict[str, Any], trial: Any, epochs: int = EPOCHS) -> None:
    """One trial: learn from the train split, and after each epoch report how well the dev split is read."""
    for epoch, (network, train_loss) in enumerate(fit(config, trial.seed, epochs)):
        val_loss, val_error = evaluate(network, digits()["dev"])
        trial.report(epoch, train_loss=train_loss, val_loss=val_loss, val_error=val_error)
        if np.isnan(val_loss):
            return  # NaN stays NaN; the rest of the time goes to the next trial


def final(config: dict[str, Any], trial: Any, epochs: int = EPOCHS) -> dict[str, float]:
    """For the winner alone, after the search: its dev error flatters it, having picked it; this does not."""
    *_, (network, _) = fit(config, trial.seed, epochs)  # the same seed trains the same network again
    return {"test_error": evaluate(network, digits()["test"])[1]}


# --------------------------------------------------------------------------------------------- the sweep
sweep = Sweep(
    train,
    space={
        "lr": Float(1e-4, 1.0, scale="log"),  # as many trials between 0.0001 and 0.001 as between 0.1 and 1
        "beta": Float(0.9, 0.999, scale="reverse_log"),  # over 10 to 1,000 gradients; Adam has its own
        "units": Int(50, 100),
        "layers": Int(2, 4),
        "batch": Int(8, 256, scale="log"),
        "decay": Float(0.01, 1.0, scale="log"),  # α = lr / (1 + decay · epoch)
        "optimizer": Choice(["momentum", "adam"]),
    },
    metric="val_error",
    mode="min",
    trials=64,
    seed=0,
    final=final,
)
