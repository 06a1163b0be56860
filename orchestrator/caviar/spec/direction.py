"""Whether a metric's name and its mode go together: `accuracy` is hardly to be small, nor `loss` to be large."""

from __future__ import annotations

import re

LARGE = {
    *("acc", "accuracy", "auc", "auroc", "auprc", "f1", "precision", "recall", "map"),
    *("r2", "bleu", "rouge", "iou", "dice", "reward"),
}
SMALL = {
    *("loss", "logloss", "nll", "err", "error", "errors", "mse", "rmse", "mae", "mape"),
    *("perplexity", "ppl", "wer", "cer"),
}
"""Words of metrics that are better large, and better small."""


def direction_advice(metric: str, mode: str) -> tuple[str, ...]:
    """Return a sentence where a metric's name says the opposite of its mode.

    Args:
        metric: Its name; of several words in it, one that is known decides, and two that differ say nothing.
        mode: `min` or `max`.
    """
    parted = re.sub(r"([a-z])([A-Z])", r"\1_\2", metric)  # valAccuracy, but also mAP
    words = set(re.split(r"[^a-z0-9]+", f"{metric} {parted}".casefold()))
    large, small = bool(words & LARGE), bool(words & SMALL)
    if large in (small, mode == "max"):
        return ()
    other, wanted, now = ("max", "largest", "smallest") if large else ("min", "smallest", "largest")
    return (f"the {now} {metric} wins, for mode is '{mode}'; if the {wanted} is to, write mode='{other}'",)
