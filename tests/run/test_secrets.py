"""A secret that train is given by reference is in no file of the store, whatever the trial prints and raises."""

from pathlib import Path

import pytest

from caviar import Result

SOURCE = """
    from caviar import Float, Sweep

    def train(config, trial, token="", db=None):
        print("the token is", token, flush=True)
        trial.report(0, loss=config["lr"], length=len(token))
        if trial.number == 1:
            raise ValueError(f"no entry with {token} and {db}")

    sweep = Sweep(train, space={"lr": Float(0, 1)}, metric="loss", trials=2)
"""


def everything(store: Path) -> bytes:
    """All bytes of the store, and all that a query gives."""
    result = Result(store)
    asked = [result.sql(f"SELECT * FROM {view}").fetchall() for view in ("sweeps", "trials", "logs", "attempts")]
    return b"".join(path.read_bytes() for path in store.rglob("*") if path.is_file()) + str(asked).encode()


@pytest.mark.usefixtures("inline")
def test_a_reference_is_resolved_for_train_and_nowhere_written(caviar, write, store, monkeypatch) -> None:
    monkeypatch.setenv("MY_TOKEN", "hunter2-hunter2")
    path = write(SOURCE)
    words = ["--set", "train.token=env:MY_TOKEN", "--set", 'train.db={"password": "env:MY_TOKEN"}']
    monkeypatch.setattr("sys.argv", ["caviar", "run", str(path), *words])

    output = caviar("run", path, *words)

    assert output.code == 0, output
    result = Result(store)
    assert result.sql("SELECT last_length FROM trials WHERE trial = 0").fetchall() == [(15,)]
    assert "the token is ***" in str(result.sql("SELECT text FROM logs").fetchall())
    assert "no entry with ***" in str(result.sql("SELECT error FROM attempts").fetchall())
    assert caviar("resume", "--add", 1).code == 0
    assert result.sql("SELECT last_length FROM trials WHERE trial = 2").fetchall() == [(15,)]
    assert b"hunter2" not in everything(store)
    assert b"env:MY_TOKEN" in everything(store)


@pytest.mark.usefixtures("inline")
@pytest.mark.parametrize("way", ['trial.report(1, **{"m_" + token: 1.0})', 'return {"x" + token: 1.0, "loss": 0.5}'])
def test_no_metric_is_named_by_a_secret(caviar, write, store, monkeypatch, way) -> None:
    monkeypatch.setenv("MY_TOKEN", "hunter2-hunter2")
    path = write(SOURCE.replace("if trial.number == 1:", f"if trial.number != 1:\n            {way}\n        else:"))
    for more in ((), ("--dry-run",)):
        gone = caviar("run", path, "--set", "train.token=env:NO_SUCH_TOKEN", *more)
        assert (gone.code, "NO_SUCH_TOKEN" in gone.err) == (2, True)
    assert caviar("run", path, "--set", "train.token=env:MY_TOKEN").code == 3
    why = Result(store).sql("SELECT error FROM attempts WHERE trial = 0").fetchall()
    assert "the name of a metric holds a secret that train was given: report under another name" in str(why)
    assert b"hunter2" not in everything(store)


@pytest.mark.usefixtures("inline")
def test_what_the_reference_names_must_be_there_before_anything_runs(caviar, write, store, monkeypatch) -> None:
    monkeypatch.setenv("MY_TOKEN", "hunter2-hunter2")
    path = write(SOURCE)
    assert caviar("run", path, "--set", "train.token=env:MY_TOKEN").code == 0
    monkeypatch.delenv("MY_TOKEN")

    for call in (["run", path, "--set", "train.token=env:MY_TOKEN"], ["resume", "--add", 1]):
        output = caviar(*call)
        assert output.code == 2
        assert output.told == [
            "caviar: train.token is env:MY_TOKEN, but there is no environment variable MY_TOKEN here: "
            "type export MY_TOKEN=…"
        ]
    assert len(list(store.glob("sweep=*"))) == 1


@pytest.mark.usefixtures("inline")
@pytest.mark.parametrize(
    "setting",
    [
        "train.token=hunter2",
        'train.db={"auth": {"user": "u", "pass": "hunter2"}}',
        "train.db=postgres://u:hunter2@h/db",
        "note=password=hunter2",
        'tags=["token=hunter2"]',
    ],
)
def test_a_secret_in_clear_is_refused_and_not_repeated(caviar, write, store, setting) -> None:
    output = caviar("run", write(SOURCE), "--set", setting)

    assert output.code == 2
    assert "the store keeps no secrets" in output.told[0]
    assert "hunter2" not in output.err
    assert not store.exists()
