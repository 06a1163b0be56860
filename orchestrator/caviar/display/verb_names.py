"""The verbs of the command line, by name: what `--help` says of them, and what users are told to type."""

VERBS = {
    "run": ("Run sweeps", "Run the sweep that a file describes."),
    "resume": ("Run sweeps", "Finish an interrupted sweep."),
    "stop": ("Run sweeps", "Stop a sweep that runs, or one of its trials."),
    "ls": ("Read results", "The sweeps of the store, newest first."),
    "status": ("Read results", "Where a sweep stands: counts, best so far, failures."),
    "watch": ("Read results", "Follow a sweep that runs, from anywhere."),
    "best": ("Read results", "The best trials, and the winner's config ready to copy."),
    "zoom": ("Run sweeps", "Run a finer sweep round the best trials."),
    "retest": ("Run sweeps", "Train the best again on fresh seeds: which one wins?"),
    "understand": ("Read results", "What matters, where the best lie, what more trials would gain."),
    "next": ("Read results", "The next sweep, as a file to run: each change with its reason."),
    "compare": ("Read results", "Whether one sweep searched a better space than another."),
    "get": ("Read results", "The winner's checkpoint, or another one, as a file."),
    "plot": ("Read results", "Draw coarse trials, the box round the best, and fine trials."),
    "show": ("Read results", "One trial: config, curve, error, output."),
    "explain": ("Read results", "Why a trial was stopped, or went on."),
    "logs": ("Read results", "What a trial printed."),
    "curves": ("Read results", "Learning curves in the terminal."),
    "query": ("Read results", "SQL over sweeps, trials and curves."),
    "simulate": ("Read results", "What early stopping would have saved, and lost."),
    "stale": ("Read results", "Winners that nobody has looked at for long."),
    "import": ("Keep the store", "Make a finished sweep of a table of trials."),
    "store": ("Keep the store", "Check, measure and compact the store."),
    "rm": ("Keep the store", "Delete a sweep, after asking."),
}
"""Verb → its group in `--help` and what it does; in the order in which a newcomer needs them."""
