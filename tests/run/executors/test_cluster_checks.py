"""What a cluster's head and its nodes say, and what is made of it."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from caviar.run.executors.cluster_checks import Node, head_in_words, nodes_in_words
from caviar.run.health import Health

from ...raylets import TOKEN, Raylets
from ..conftest import MAIN

MINE = Node(host="me", ray="2.60.0", python="3.11.7", caviar="0.1.0", sees_store=True)


@pytest.mark.parametrize(
    ("ray", "python", "health"),
    [
        ("2.60.0", "3.11.7", Health.OK),
        ("2.59.0", "3.11.7", Health.FAILED),
        ("2.60.0", "3.11.8", Health.FAILED),
    ],
)
def test_versions_are_the_same_or_no_driver_joins(ray: str, python: str, health: Health) -> None:
    told = head_in_words({"ray_version": ray, "python_version": python}, MINE)
    assert told.health == health
    assert f"Ray {ray} and Python {python}" in told.found


@pytest.mark.parametrize(
    ("nodes", "late", "cpus", "name", "health", "words"),
    [
        ([MINE], 0, 8, "nodes", Health.OK, "all 1 have Caviar 0.1.0; 8 CPUs"),
        ([MINE], 0, 0, "nodes", Health.WARNING, "no node has a CPU"),
        ([MINE], 2, 8, "nodes", Health.WARNING, "2 of 3 nodes started no process"),
        ([replace(MINE, host="w1", caviar="")], 0, 8, "nodes", Health.FAILED, "but w1 has none"),
        ([replace(MINE, host="w1", caviar="0.0.9")], 0, 8, "nodes", Health.FAILED, "but w1 has 0.0.9"),
        ([replace(MINE, host="w1", sees_store=False)], 0, 8, "shared store", Health.WARNING, "/s is not there on w1"),
    ],
)
def test_nodes(nodes: list[Node], late: int, cpus: float, name: str, health: Health, words: str) -> None:
    *_, told = nodes_in_words(nodes, MINE, late=late, cpus=cpus, store="/s")
    assert (told.name, told.health) == (name, health)
    assert words in told.found


def doctor(address: str, store: Path, **env: str) -> tuple[int, dict[str, dict[str, str]], str]:
    """Exit code, check by name, and stderr of the program."""
    words = ["doctor", "--address", address, "--store", str(store), "--json"]
    done = subprocess.run(
        [sys.executable, "-c", MAIN, *words],
        env=os.environ | env,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return done.returncode, {one["name"]: one for one in json.loads(done.stdout)["checks"]}, done.stderr


@pytest.mark.ray
def test_a_real_cluster_is_asked_node_by_node(raylets: Raylets, tmp_path: Path) -> None:
    code, checks, said = doctor(raylets.address, tmp_path / "none", **TOKEN)
    assert (code, said) == (0, "")
    assert checks["cluster"]["health"] == checks["versions"]["health"] == "ok"
    assert "have Caviar" in checks["nodes"]["found"]
    assert "is not there on" in checks["shared store"]["found"]


@pytest.mark.ray
def test_a_wrong_token_is_told_in_a_sentence_and_nothing_else(raylets: Raylets, tmp_path: Path) -> None:
    code, checks, said = doctor(raylets.address, tmp_path, **TOKEN, RAY_AUTH_TOKEN="x" * 64)
    assert code == 6
    assert "does not take the token in RAY_AUTH_TOKEN" in checks["cluster"]["found"]
    assert said == "caviar: sweeps would not run: cluster failed; what to type stands behind each\n"
