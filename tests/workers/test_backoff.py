"""What pauses between tries may not touch."""

import ast
import errno
import random
from pathlib import Path

import caviar
import caviar_workers
from caviar_workers.backoff import Backoff

ROOTS = [Path(module.__file__).parent for module in (caviar, caviar_workers)]
DRAWING = {"random", "uniform", "randint", "randrange", "choice", "choices", "sample", "shuffle", "gauss"}


def test_a_pause_leaves_the_trials_random_numbers_alone() -> None:
    random.seed(7)
    before = random.getstate()
    tries = iter([OSError(errno.ESTALE, "busy"), OSError(errno.ESTALE, "busy"), None])

    def do(_: bool) -> int:
        if (error := next(tries)) is not None:
            raise error
        return 1

    assert Backoff(most_s=60, sleep=lambda _: None).call(do) == 1
    assert random.getstate() == before


def test_nothing_of_ours_draws_from_the_global_generator() -> None:
    """It is the user's: seeded for each trial, so that his curve is the same each time."""
    found = [
        f"{path.name}:{node.lineno}"
        for root in ROOTS
        for path in root.rglob("*.py")
        if "import random" in (text := path.read_text("utf-8"))
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "random"
        if node.attr in DRAWING
    ]
    assert found == []
