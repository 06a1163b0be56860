"""What a trial has for a train function, and what it says to who asks too late, or elsewhere."""

PUBLIC = (
    *(
        "attempt",
        "branch",
        "changed",
        "config",
        "data",
        "devices",
        "interrupted",
        "keep",
        "load",
        "metric",
        "number",
        "path",
    ),
    *("report", "save", "save_wanted", "seed", "skip", "start", "sweep"),
)
"""What a train function uses."""

ELSEWHERE = (
    "trial.{}() works in the process of train only, for from another one nothing arrives: hand the numbers back to "
    "train, through a queue or as a result, and call it there"
)

OVER = (
    "trial.{}() works until train returns only, and this trial has ended: wait in train for the threads that it started"
)
