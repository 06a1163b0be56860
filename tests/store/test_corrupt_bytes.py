"""Any byte changed, any length cut: an error or the right answer, never wrong data."""

import json
import random
import subprocess
import sys

import pytest

from caviar.store import Writer
from caviar.store.finalize import finalize
from caviar.store.segment import encode

READING = """
import json, sys
from pathlib import Path
from caviar.errors import StoreError
from caviar.store import Store, Views

store, path, first, last, step = Store.open(sys.argv[1]), Path(sys.argv[2]), *map(int, sys.argv[3:6])
sound = path.read_bytes()
question = "SELECT trial, attempt, step, loss, acc, time FROM curves ORDER BY ALL"
with Views(store) as views:
    right = str(views.execute(question).fetchall())
    def ask(data):
        path.write_bytes(data)
        views.refresh()
        try:
            return str(views.execute(question).fetchall())
        except StoreError as error:
            assert "is damaged" in str(error), error
            return None
    answers = {"refused": 0, "right": 0, "wrong": 0}
    for offset in range(first, min(last, len(sound)), step):
        hurt = bytearray(sound)
        hurt[offset] ^= 1 << offset % 8
        for data in (bytes(hurt), sound[:offset]):
            found = ask(data)
            answers["refused" if found is None else "right" if found == right else "wrong"] += 1
    assert ask(sound) == right
print(json.dumps(answers))
"""


@pytest.fixture(params=["hot", "final"])
def small(request, sweep, rows):
    """A small file of curves, hot or final."""
    epoch = sweep.claim()
    with Writer(sweep, epoch) as writer:
        for trial in range(2):
            writer.add("curves", rows.curve(trial, range(9), loss=[0.5 * s for s in range(9)], acc=[1.0] * 9))
    if request.param == "final":
        finalize(sweep, epoch)
    (path,) = sweep.path.glob("_hot/*-curves-*" if request.param == "hot" else "curves/*")
    return path


def damage(store, path, step):
    size = path.stat().st_size
    asked = [sys.executable, "-c", READING, str(store.path), str(path), "0", str(size), str(step)]
    done = subprocess.run(asked, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr  # a crash of the reading process is neither an error nor an answer
    return size, json.loads(done.stdout)


def test_damage_at_many_offsets_is_refused(store, small):
    size, answers = damage(store, small, 11)
    assert answers == {"refused": 2 * -(-size // 11), "right": 0, "wrong": 0}


@pytest.mark.nightly
def test_damage_at_every_offset_is_refused(store, small):
    size, answers = damage(store, small, 1)
    assert answers == {"refused": 2 * size, "right": 0, "wrong": 0}


WITHOUT = """
import sys
from pathlib import Path
import duckdb

sound = Path(sys.argv[1]).read_bytes()
hurt = Path(sys.argv[2])

def ask(data):
    hurt.write_bytes(data)
    try:
        with duckdb.connect() as connection:
            question = "SELECT trial, step, loss FROM read_parquet(?) ORDER BY ALL"
            return str(connection.execute(question, [str(hurt)]).fetchall())
    except duckdb.Error:
        return None

right = ask(sound)
assert right is not None
for offset in range(4, len(sound), 23):
    data = bytearray(sound)
    data[offset] ^= 1 << offset % 8
    if ask(bytes(data)) not in (right, None):
        print("wrong")
        break
"""


def test_duckdb_alone_would_show_wrong_data(rows, tmp_path):
    """It verifies no page. This is why files have checksums of their own."""
    chance = random.Random(0)
    sound = tmp_path / "sound.parquet"
    sound.write_bytes(encode(rows.curve(0, range(400), loss=[chance.random() for _ in range(400)])))
    asked = [sys.executable, "-c", WITHOUT, str(sound), str(tmp_path / "hurt.parquet")]
    assert subprocess.run(asked, capture_output=True, text=True, check=True).stdout == "wrong\n"
