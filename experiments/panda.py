"""One network, raised like a panda's cub: somebody looks at its curve each day, and nudges it.

The multilayer perceptron of digits.py, on digits under heavy noise, trains for five "days" of some 25 seconds. `play`
is its nurse: it looks at the first day, lets the rate fall, is too bold once, goes back to the day before with other
data, and raises two more cubs from there.

    python experiments/panda.py               # plays it, with what the diary says of it, and replays it
    caviar run experiments/panda.py           # or be the nurse yourself: caviar edit 0 lr=*0.5

Each act takes effect at a step that is known beforehand, and what an epoch learns from depends on the trial's seed,
branch and step only. So whoever plays it gets the same curves, bit for bit, however often it is killed on the way: play
it again, and it goes on where it stood.
"""

import argparse
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from caviar import Constant, Float, Int, Result, Store, Sweep
from digits import Momentum, Network, Split, digits, evaluate, learn, new_network

DAY = 200  # epochs
DAYS = 5
BATCH = 32
NOISE = 0.6  # standard deviation of what is added to each pixel, of 0 to 1; new noise in every epoch
DIVERGED = 2.0  # guessing costs 2.3: who is back there has lost what it knew


# ---------------------------------------------------------------------------------------------- training
def packed(network: Network, optimizer: Momentum) -> bytes:
    """A checkpoint: the arrays of the network, then those of the optimizer."""
    file = io.BytesIO()
    np.savez(file, *network, *optimizer.velocity)
    return file.getvalue()


def unpack(data: bytes, network: Network, optimizer: Momentum) -> None:
    """Fill network and optimizer with what was saved."""
    with np.load(io.BytesIO(data)) as saved:
        for name, array in zip(saved.files, [*network, *optimizer.velocity], strict=True):
            array[...] = saved[name]


def batches(split: Split, key: list[int]) -> list[Split]:
    """The mini-batches of an epoch, in an order and under a noise that follow from numbers."""
    rng = np.random.default_rng(key)
    noise = rng.standard_normal(split.images.shape, dtype=np.float32) * np.float32(NOISE)
    rows = rng.permutation(len(split.labels))
    chunks = (rows[start : start + BATCH] for start in range(0, len(rows), BATCH))
    return [Split(split.images[chunk] + noise[chunk], split.labels[chunk]) for chunk in chunks]


def train(config: dict[str, Any], trial: Any, day: int = DAY) -> None:
    """One trial, for as many days as its configuration says, or until it diverges; it saves four times a day."""
    network = new_network(config["units"], 3, np.random.default_rng(trial.seed))
    optimizer = Momentum(network, config["beta"])
    saved = trial.load()
    if saved is not None:
        unpack(saved.data, network, optimizer)
    for epoch in range(trial.start, config["days"] * day):
        optimizer.beta = config["beta"]  # in the loop, for both may be edited
        epoch_batches = batches(digits()["train"], [trial.seed, trial.branch, epoch + trial.skip])
        train_loss = learn(network, optimizer, epoch_batches, config["lr"])
        val_loss, val_error = evaluate(network, digits()["dev"])
        trial.report(epoch, train_loss=train_loss, val_loss=val_loss, val_error=val_error, lr=config["lr"])
        if not val_loss < DIVERGED:
            return
        if trial.save_wanted or (epoch + 1) % max(1, day // 4) == 0:
            trial.save(epoch, packed(network, optimizer))


def panda(day: int = DAY, days: int = DAYS) -> Sweep:
    """The sweep of one trial, which is to train for so many days."""
    return Sweep(
        train,
        space={
            "lr": Float(1e-5, 10.0, scale="log", live=True),
            "beta": Constant(0.9, live=Float(0.0, 0.999, scale="reverse_log")),
            "days": Constant(days, live=Int(1, 100)),
            "units": 256,
        },
        first=[{"lr": 0.1}],
        metric="val_loss",
        trials=1,
        keep_checkpoints=8,
        train_args={"day": day},
    )


sweep = panda()


# ------------------------------------------------------------------------------------------- the nurse
LOOK = "day 1: it learns; on with it"
HALF = "day 2: it jumps about, half the rate"
DOWN = "day 3: down slowly, over half a day"
CALM = "day 3: more momentum"
BOLD = "day 4: faster, there is time left"
BACK = "day 4: it diverged; back to yesterday with half the rate and other data"
CUBS = "day 5: two more, at other rates"


def play(store: str | Path, day: int = DAY) -> Result:
    """Play the five days in a store, or the rest of them; returns the sweep.

    Where an act is known to the store already it is left out: each may be the last one before somebody pulls the plug.
    """
    begun = Path(store).exists() and len(Store(store).sweeps()) > 0
    result = Result(store).resume() if begun else panda(day, days=1).run(store=store)

    def do(why: str, act: Callable[[], object]) -> None:
        said = result.sql("SELECT json_extract_string(numbers, '$.why') AS why FROM decisions").df()["why"]
        if why not in set(said):
            act()

    do(LOOK, lambda: result.rollback(0, to_step=day - 1, days=DAYS, why=LOOK))
    do(HALF, lambda: result.edit(0, lr="*0.5", at_step=day + day // 4, why=HALF))
    do(DOWN, lambda: result.edit(0, lr=0.01, at_step=2 * day - 1, over=day // 2, why=DOWN))
    do(CALM, lambda: result.edit(0, beta=0.95, at_step=2 * day + day // 2, why=CALM))
    do(BOLD, lambda: result.edit(0, lr=9.0, at_step=3 * day - 1, why=BOLD))
    result.resume()
    do(BACK, lambda: result.rollback(0, to_step=3 * day - 1, lr="*0.5", skip_data=True, why=BACK))
    result.resume()
    rates = {"lr": Float(1e-3, 1e-1, scale="log")}
    do(CUBS, lambda: result.fork(0, branch=1, at_step=3 * day - 1, k=2, space=rates, why=CUBS))
    result.resume()
    return result


def main() -> None:
    """Play, show the diary, and train the same lineage again."""
    parser = argparse.ArgumentParser(description="Five days with one network.")
    parser.add_argument("--store", default="panda-store", help="where it is kept; the rest is played if it was begun")
    parser.add_argument("--day", type=int, default=DAY, help="epochs of a day")
    given = parser.parse_args()
    result = play(given.store, given.day)
    for entry in result.diary(0).entries:
        what = ", ".join(f"{name} {old:.4g} → {new:.4g}" for name, (old, new) in entry.changes.items())
        before, since = (np.nan if value is None else value for value in (entry.before, entry.since))
        print(f"after epoch {entry.after}: {what}; {entry.text}; val_loss {before:.4f} → {since:.4f}")
    again = result.replay(0)
    print(f"{again.rows} epochs again: {'the same, bit for bit' if again.equal else again.differs}")


if __name__ == "__main__":
    main()
