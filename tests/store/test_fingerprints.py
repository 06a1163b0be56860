"""What processes trained with is kept once, and read as bytes of somebody else."""

import json
from dataclasses import replace

import pytest

from caviar.errors import StoreError
from caviar.store import fingerprints as kept
from caviar.store.fingerprints import add_fingerprint, fingerprints
from caviar_workers.messages import DataDigest, Fingerprint, Machine

FOUND = Fingerprint(
    host="box",
    machine=Machine(python="3.11.9", cpu="a CPU", cores=2, blas=("openblas 0.3.30 on 1 thread",)),
    distributions={"numpy": "2.1"},
    data=DataDigest(sha256="ab", bytes=3),
)


def test_each_different_one_is_kept_once(sweep, monkeypatch) -> None:
    other = replace(FOUND, host="other")
    for one in (FOUND, FOUND, other, FOUND):
        add_fingerprint(sweep, one)
    assert fingerprints(sweep) == [FOUND, other]

    monkeypatch.setattr(kept, "MOST_KEPT", 3)
    for n in range(5):
        add_fingerprint(sweep, replace(FOUND, host=str(n)))
    assert [one.host for one in fingerprints(sweep)] == ["box", "other", "0"]


def test_a_sweep_of_an_older_version_has_none(sweep) -> None:
    assert fingerprints(sweep) == []


def test_what_a_later_version_adds_is_left_out(sweep) -> None:
    add_fingerprint(sweep, FOUND)
    (path,) = (sweep.path / "_fingerprints").iterdir()
    data = json.loads(path.read_text())
    data["machine"]["quantum"] = True
    path.write_text(json.dumps(data | {"more": 1}))
    assert fingerprints(sweep) == [FOUND]
    path.write_text("{}")
    assert fingerprints(sweep) == [replace(Fingerprint(), data=DataDigest())]


@pytest.mark.parametrize(
    "odd",
    [
        {"host": 1},
        {"machine": []},
        {"machine": {"cores": "2"}},
        {"machine": {"blas": "openblas"}},
        {"machine": {"gpus": [1]}},
        {"distributions": {"numpy": 2}},
        {"distributions": [["numpy", "2"]]},
        {"data": "ab"},
        {"data": {"bytes": -1}},
    ],
)
def test_an_odd_one_is_one_sentence(sweep, odd) -> None:
    add_fingerprint(sweep, FOUND)
    (path,) = (sweep.path / "_fingerprints").iterdir()
    path.write_text(json.dumps(json.loads(path.read_text()) | odd))
    with pytest.raises(StoreError, match=r"cannot be understood .*: restore it from a copy, or delete it\."):
        fingerprints(sweep)
