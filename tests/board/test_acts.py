"""Acts on trials over a real connection: only where the board was started with --edit, and by its own page."""

import json
from pathlib import Path
from typing import Any

import pytest

from caviar import Result
from caviar.run.engine.trial_source import SampledTrials
from caviar.search.samplers import make_sampler
from caviar.space import Float, Space
from caviar.spec.plan import Plan
from caviar.store import Store, Writer
from caviar_workers.tables import FORKED

from .conftest import Board, Start


@pytest.fixture
def home(tmp_path: Path) -> tuple[Path, str]:
    """A store with a sweep whose one trial has not begun; its id."""
    space = Space({"lr": Float(1e-4, 1.0, scale="log", live=True)})
    plan = Plan(name="s", metric="loss", mode="min", trials=1, seed=0, space=space)
    sweep = Store.open(tmp_path / "store", create=True).create_sweep({"plan": plan.to_json(), "provenance": {}}, b"")
    epoch = sweep.claim()
    with Writer(sweep, epoch, sealing=True) as writer:
        configs = SampledTrials(plan, make_sampler("sobol", space, 0, 1)).draw()
        assert configs is not None
        writer.add("configs", configs)
    sweep.release(epoch)
    return tmp_path / "store", sweep.id


def posted(board: Board, path: str, body: Any, **headers: str) -> tuple[int, dict[str, Any]]:
    data = body if isinstance(body, (str, bytes)) else json.dumps(body)
    token = headers.pop("token", None)
    given = {"Content-Type": "application/json"} | headers
    got = board.get(path, token=token, method="POST", headers=given, content=data)
    return got.status_code, got.json()


def test_the_board_edits_and_notes_only_where_it_may(home: tuple[Path, str], start: Start) -> None:
    store, sweep = home
    path = f"/api/sweeps/{sweep}/trials/0"
    half = {"set": {"lr": "0.5"}, "why": "<b>plateau</b>"}
    board = start(store, "--port", 0, "--edit")

    ours = {"Origin": f"http://127.0.0.1:{board.port}", "Sec-Fetch-Site": "same-origin"}
    refused = [
        (posted(board, path, half, token=""), 401),
        (posted(board, path, half, token="a" * 43), 401),
        (posted(board, path, half, Origin="http://evil.example"), 403),
        (posted(board, path, half, **{"Sec-Fetch-Site": "cross-site"}), 403),
        (posted(board, path, half, **{"Content-Type": "text/plain"}), 415),
        (posted(board, path, "lr=0.5"), 400),
        (posted(board, path, [half]), 400),
        (posted(board, path, "[" * 100_000), 400),
        (posted(board, path, {"set": {"lr": "0.5"}, "why": "x" * 70_000}), 400),
        (posted(board, path, {"set": {"lr": 7}}), 400),
        (posted(board, path, {"set": {"lrr": 0.5}}), 400),
        (posted(board, path, {"set": {"lr": [0.5]}}), 400),
        (posted(board, path, {"set": "lr"}), 400),
        (posted(board, path, {"note": 7}), 400),
        (posted(board, path, {"stop": True}), 400),
        (posted(board, path, {"set": {"lr": 0.5}, "note": "both"}), 400),
        (posted(board, f"/api/sweeps/{sweep}/trials/{2**64}", half), 404),
        (posted(board, f"/api/sweeps/{sweep}/trials/{FORKED}", half), 404),
        (posted(board, path, {"set": {"lr": 0.5}, "now": "yes"}), 400),
        (posted(board, path, {"set": {"lr": 0.5}, "at_step": "x"}), 400),
        (posted(board, f"/api/sweeps/{sweep}/trials/9", half), 404),
        (posted(board, "/api/sweeps/nothing/trials/0", half), 404),
        (posted(board, f"/api/sweeps/{sweep}/trials/x", half), 404),
        (posted(board, f"/api/sweeps/{sweep}", half), 405),
        (posted(board, "/", half), 405),
    ]
    assert [status for (status, _), _ in refused] == [wanted for _, wanted in refused]
    sentence = [answer for (status, answer), _ in refused if status == 400 and "is outside" in answer.get("error", "")]
    assert sentence == [{"error": "lr=7 is outside 0.0001 … 1: nothing was changed"}]
    assert Result(store).diary(0).entries == (), "nothing was changed"

    status, answer = posted(board, path, half, **ours)
    assert (status, "→ 0.5" in answer["said"]) == (200, True)
    assert posted(board, path, {"note": "well"}, **ours) == (200, {"said": "noted"})
    edit, note = Result(store).diary(0).entries
    assert (edit.text, edit.changes["lr"][1], note.text) == ("<b>plateau</b>", 0.5, "well")
    board.end()

    reading = start(store, "--port", 0)
    status, answer = posted(reading, path, half)
    assert (status, "caviar board --edit" in answer["error"]) == (405, True)
    assert reading.get(path).status_code == 404
    assert 'id="act-form"' not in reading.get("/").text


def test_the_form_is_told_how_a_trial_stands(home: tuple[Path, str], start: Start) -> None:
    store, sweep = home
    board = start(store, "--port", 0, "--edit")
    assert 'id="act-form"' in board.get("/").text
    path = f"/api/sweeps/{sweep}/trials"
    told = board.get(f"{path}/0").json()
    assert (told["said"], told["steps"]) == ("pending; no checkpoint to go on from", [])
    (lr,) = told["parameters"]
    assert (lr["name"], lr["live"], lr["now"].partition(" (")[2]) == ("lr", True, "0.0001 … 1)")
    assert board.get(f"{path}/9").status_code == 404
    assert board.get(f"{path}/{2**70}").status_code == 404
    assert board.get(f"{path}/0", token="").status_code == 401


def test_the_form_sends_all_its_fields_and_those_of_the_act_count(home: tuple[Path, str], start: Start) -> None:
    store, sweep = home
    path = f"/api/sweeps/{sweep}/trials/0"
    board = start(store, "--port", 0, "--edit")
    form = {"act": "pause", "over": "", "to_step": "", "why": "of another act", "k": "1"}
    others = [
        posted(board, path, {"act": "rollback", "to_step": "3"}),
        posted(board, path, {"act": "rollback", "to_step": "three"}),
        posted(board, path, {"act": "fork", "k": "2", "set": {"lr": "1e-3..1e-2"}}),
        posted(board, path, {"act": "pause", "why": "none is kept"}),
        posted(board, path, {"act": "resume"}),
        posted(board, path, {"act": ["edit"]}),
        posted(board, path, {"form": {"act": ["edit"]}}),
        posted(board, path, {"form": {"act": "note", "note": ""}}),
        posted(board, path, {"form": form, "set": {"lr": "0.1"}}),
        posted(board, path, {"form": form | {"act": "continue"}}),
        posted(board, path, {"form": form | {"act": "edit"}, "set": {"lr": "0.1", "units": ""}}),
    ]
    assert [status for status, _ in others] == [400] * 8 + [200] * 3
    assert others[0][1] == {
        "error": "trial 0 has reported nothing, and is rolled back to a step before that: nothing was changed"
    }
    assert others[1][1] == {"error": "to_step is a whole number, but got 'three': nothing was changed"}
    assert "has no checkpoint" in others[2][1]["error"]
    assert others[-3][1]["said"].startswith("pauses at its next checkpoint; ")
    assert others[-2][1]["said"].startswith("goes on; nobody runs the sweep: caviar resume ")
    assert "→ 0.1" in others[-1][1]["said"]
    assert Result(store).diary(0).entries[-1].text == "of another act"
