"""Handwritten digits on a GPU: a convolutional network, eight trials at a time on one card.

The networks are small, and one alone leaves most of a GPU idle. Hence `gpus=0.125`: eight trials share it.
Every few epochs a trial saves its state, so that one whose process dies goes on from there, and `--stopping
asha --pausing` may put it aside and take it up again. What is swept, and on which scale, follows "Improving
Deep Neural Networks", week 3. Where there is no GPU, the trials train on CPUs.

    ./caviar add torch             # in an environment of yours: pip install torch
    caviar run experiments/convnet.py
    caviar run experiments/convnet.py --gpus 0.25 --trials 128 --stopping asha --pausing
"""

import io
import sys
from functools import cache
from typing import Any

import numpy as np
import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn
from torch.nn.functional import cross_entropy

from caviar import Float, Int, Sweep

GPU = torch.cuda.is_available()
if not GPU:
    sys.stderr.write(
        "convnet.py: no GPU here, so trials train on CPUs (--gpus 0.125 asks a cluster for shares of one)\n"
    )

EPOCHS = 20
SAVE_EVERY = 5  # epochs
SPLIT_SEED = 0  # never the trial's seed: every trial must learn from, and be judged on, the same digits


# ---------------------------------------------------------------------------------------------- the data
@cache  # once per process, not once per trial
def digits(device: str) -> dict[str, Any]:
    """Images (n, 1, 8, 8) and labels (n,) on a device, as "train", "dev" and "test": 60, 20 and 20 %."""
    images, labels = load_digits(return_X_y=True)
    rows = np.arange(len(labels))
    rest, test = train_test_split(rows, test_size=0.2, stratify=labels, random_state=SPLIT_SEED)
    train, dev = train_test_split(rest, test_size=0.25, stratify=labels[rest], random_state=SPLIT_SEED)
    pixels = torch.tensor(images / 16, dtype=torch.float32).reshape(-1, 1, 8, 8)  # they count from 0 to 16
    answers = torch.tensor(labels)
    return {
        name: (pixels[part].to(device), answers[part].to(device))
        for name, part in {"train": train, "dev": dev, "test": test}.items()
    }


# ------------------------------------------------------------------------------------------- the network
def new_network(channels: int, layers: int) -> Any:
    """`layers` convolutions of 3 × 3 with so many channels, the mean over the image, and ten outputs."""
    parts: list[Any] = []
    for layer in range(layers):
        parts += [nn.Conv2d(channels if layer else 1, channels, 3, padding=1), nn.BatchNorm2d(channels), nn.ReLU()]
    return nn.Sequential(*parts, nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(4 * channels, 10))


def learn(network: Any, optimizer: Any, batch: int, numbers: Any, device: str) -> float:
    """One epoch on digits that are each moved by up to one pixel. Returns the mean loss on the way."""
    images, labels = digits(device)["train"]
    network.train()
    losses = []
    for rows in torch.randperm(len(labels), generator=numbers).to(device).split(batch):
        up, left = torch.randint(-1, 2, (2,), generator=numbers).tolist()  # for the whole mini-batch
        loss = cross_entropy(network(images[rows].roll((up, left), dims=(2, 3))), labels[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.detach())
    return float(torch.stack(losses).mean())  # one wait for the GPU an epoch, not one a mini-batch


def evaluate(network: Any, split: str, device: str) -> tuple[float, float]:
    """The loss and the share of digits misread; both NaN where the network has diverged."""
    images, labels = digits(device)[split]
    network.eval()
    with torch.no_grad():
        logits = network(images)
        loss = float(cross_entropy(logits, labels))
        error = float((logits.argmax(1) != labels).float().mean())
    return loss, error if np.isfinite(loss) else np.nan


# ---------------------------------------------------------------------------------------------- training
def train(config: dict[str, Any], trial: Any, epochs: int = EPOCHS) -> None:
    """One trial: learn from the train split, and after each epoch report how well the dev split is read."""
    device = "cuda" if torch.cuda.is_available() else "cpu"  # a trial sees the GPU that it was given, or none
    network = new_network(config["channels"], config["layers"]).to(device)
    # With this dampening it is the lecture's momentum, v = β v + (1 − β) gradient, but for a first v = gradient.
    beta = config["beta"]
    optimizer = torch.optim.SGD(network.parameters(), lr=config["lr"], momentum=beta, dampening=beta)
    first, saved = 0, trial.load()
    if saved is not None:
        state = torch.load(io.BytesIO(saved.data), map_location=device, weights_only=True)
        network.load_state_dict(state["network"])
        optimizer.load_state_dict(state["optimizer"])
        first = saved.step + 1
    for epoch in range(first, epochs):
        for group in optimizer.param_groups:
            group["lr"] = config["lr"] / (1 + config["decay"] * epoch)
        # Drawn from the epoch, not from where the last one left off: a trial that goes on sees the same batches.
        numbers = torch.Generator().manual_seed(trial.seed * 2**16 + epoch)
        train_loss = learn(network, optimizer, config["batch"], numbers, device)
        val_loss, val_error = evaluate(network, "dev", device)
        trial.report(epoch, train_loss=train_loss, val_loss=val_loss, val_error=val_error)
        if np.isnan(val_error):
            return  # NaN stays NaN; the rest of the time goes to the next trial
        if (epoch + 1) % SAVE_EVERY == 0 or epoch + 1 == epochs:
            buffer = io.BytesIO()
            torch.save({"network": network.state_dict(), "optimizer": optimizer.state_dict()}, buffer)
            trial.save(epoch, buffer.getvalue())


def final(config: dict[str, Any], trial: Any) -> dict[str, float]:
    """For the winner alone, after the search: its dev error flatters it, having picked it; this does not."""
    network = new_network(config["channels"], config["layers"])
    network.load_state_dict(torch.load(io.BytesIO(trial.load().data), map_location="cpu", weights_only=True)["network"])
    return {"test_error": evaluate(network, "test", "cpu")[1]}


# --------------------------------------------------------------------------------------------- the sweep
sweep = Sweep(
    train,
    space={
        "lr": Float(1e-3, 10.0, scale="log"),
        "beta": Float(0.9, 0.999, scale="reverse_log"),  # over 10 to 1,000 gradients
        "channels": Int(8, 64, scale="log"),
        "layers": Int(1, 4),
        "batch": Int(16, 256, scale="log"),
        "decay": Float(0.01, 1.0, scale="log"),  # α = lr / (1 + decay · epoch)
    },
    metric="val_error",
    mode="min",
    trials=64,
    seed=0,
    gpus=0.125 if GPU else 0.0,
    final=final,
)
