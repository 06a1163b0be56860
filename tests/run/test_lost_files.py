"""`resume` of a sweep one of whose files is gone: what is missing is never taken for 'not written'."""

from pathlib import Path

import pytest

from caviar import Result

EXPERIMENT = """
    import time

    from caviar import Float, Sweep


    def train(config, trial, pause=0.0):
        time.sleep(pause)
        print("trial", trial.number)
        trial.report(0, loss=config["x"])


    sweep = Sweep(train, {"x": Float(0.0, 1.0)}, "loss", trials=6)
"""
TABLES = ("attempts", "curves", "logs", "trials")


@pytest.mark.nightly
@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("words", [(), ("--set", "train.pause=0.2", "--time-limit", "0.7")])
def test_it_is_refused_by_the_file_s_name_and_no_trial_is_trained_again(inline, caviar, write, store, table, words):
    caviar("run", write(EXPERIMENT), "-q", *words)
    (file,) = [one for one in Path(store).rglob("*.parquet") if table in one.parts]
    before, kept = files(store), file.read_bytes()
    completed = "SELECT trial, attempts FROM trials WHERE state = 'COMPLETED' ORDER BY trial"
    trained = Result(store).sql(completed).fetchall()
    assert trained

    file.unlink()
    got = caviar("resume", "-q")
    assert (got.code, got.out) == (5, "")
    assert f"{file} was written and is gone: restore it from a copy" in got.err
    assert files(store) | {file} == before

    file.write_bytes(kept)
    assert caviar("resume", "-q").code == 0
    assert set(trained) <= set(Result(store).sql(completed).fetchall())


def files(store: Path) -> set[Path]:
    """All that the store holds, but for who owned it when."""
    return {one for one in store.rglob("*") if one.is_file() and one.parent.name not in ("_owner", "_manifest")}
