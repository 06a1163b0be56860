"""A small sweep as a page is given it, made without a store: two parameters, a metric, 15 steps a trial."""

from typing import Any

import numpy as np

from caviar.results.report.columns import encode

TRIALS, STEPS, PARTS = 40, 15, 65534
ABSENT = ("importance", "best_so_far", "tuning_curve", "retest", "isolation", "pairs", "failures")
PICTURES = ("curves", "axes", "parallel", "slots")
ENDS = {name: [] for name in ("pairs", "failures", "trust", "facts", "left_out", "provenance", "running")}


def curves(trials: int = TRIALS) -> np.ndarray:
    """The values that the trials report, [trials, STEPS], each falling from one to its own end."""
    rng = np.random.default_rng(5)
    ends = rng.permutation(np.linspace(0.05, 0.6, trials))
    return ends[:, None] + (1 - ends[:, None]) * np.exp(-np.arange(STEPS) / rng.uniform(1, 4, (trials, 1)))


def made_payload(some: slice = slice(None), *, full: bool = True, **changes: Any) -> bytes:
    """A payload of some of the trials; `changes` are further parts of the head or its documents."""
    values = curves()
    trial = np.arange(TRIALS, dtype=np.int32)[some]
    u = np.random.default_rng(6).uniform(0, 1, (2, TRIALS))[:, some]
    last = values[some, -1]
    columns = {
        "trial": trial,
        "state": np.zeros(len(trial), np.uint8),
        "step": np.full(len(trial), STEPS - 1, np.int32),
        "value": last.astype(np.float64),
        "started": trial.astype(np.float32),
        "ended": (trial + 2).astype(np.float32),
        "slot": (trial % 2).astype(np.uint16),
        "seconds": np.full(len(trial), 2, np.float32),
        "p0": (10 ** (-4 * (1 - u[0]))).astype(np.float32),
        "u0": np.round(u[0] * PARTS).astype(np.uint16),
        "p1": (u[1] > 0.5).astype(np.uint16),
        "u1": np.where(u[1] > 0.5, 0.75 * PARTS, 0.25 * PARTS).astype(np.uint16),
        **{f"{name}:0": last.astype(np.float32) for name in ("last", "low", "high")},
        "curve:trial": trial,
        "curve:length": np.full(len(trial), STEPS, np.uint32),
        "curve:step": np.tile(np.arange(STEPS, dtype=np.uint16), len(trial)),
        "curve:seconds": np.tile(np.linspace(0, PARTS, STEPS).astype(np.uint16), len(trial)),
        "curve:m0": np.round(values[some].ravel() * PARTS).astype(np.uint16),
    }
    best = int(last.argmin()) if len(last) else None
    verdict = {"none": "No trial has completed yet."} if best is None else told(int(trial[best]), float(last[best]))
    head = {"sweep": "made", "full": full, "documents": {"verdict": verdict, **documents()}}
    head["documents"]["absent"] |= {} if len(trial) else dict.fromkeys(PICTURES, "no trial has begun")
    head["documents"] |= {key: value for key, value in changes.items() if key not in ("boot", "version")}
    return encode(head | {key: changes[key] for key in ("boot", "version") if key in changes}, columns)


def told(trial: int, value: float) -> dict[str, Any]:
    """The verdict."""
    shown = f"{value:.4g}"
    return {"trial": trial, "shown": shown, "by": "last loss", "sentences": [], "exact": "{}", "commands": []}


def documents() -> dict[str, Any]:
    """What the page places beside the columns."""
    lr = [[0.0, "1e-4"], [0.5, "0.01"], [1.0, "1"]]
    act = ["relu", "tanh"]
    scale = {"low": 0.0, "high": 1.0, "log": False}
    axis = {"log": False, "ends": [-0.02, 1.02], "log_ends": [0.04, 1.02]}
    plain = {
        "importance": None,
        "aside": "",
        "low_u": None,
        "high_u": None,
        "edge": None,
        "constant": False,
        "matters": True,
    }
    sweep = {"id": "made", "name": "made", "state": "finished", "metric": "loss", "mode": "min", "planned": TRIALS}
    return {
        "sweep": sweep | {"states": ["COMPLETED"], "elapsed_s": 42.0, "about": "min loss"},
        "acts": {"metric": "loss", "rows": [], "marks": [], "branches": []},
        "absent": {"utilisation": "", "acts": ""} | dict.fromkeys(ABSENT, "there is none"),
        "charts": {},
        "parameters": [
            plain | {"name": "lr", "kind": "float", "scale": "log", "ticks": lr, "options": []},
            plain
            | {"name": "act", "kind": "choice", "scale": None, "options": act}
            | {"ticks": [[0.25, "relu"], [0.75, "tanh"]]},
        ],
        "metrics": [{"name": "loss", "scale": scale, "axis": axis, "mode": "min"}],
        "value_axis": {"log": False, "ends": [0.03, 0.63]},
        "seconds": {"high": 2.0},
        **ENDS,
    }
