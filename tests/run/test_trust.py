"""Code that somebody else put into a store runs only for who trusts it."""

import io
import json
import re
from pathlib import Path

import pytest

SOURCE = """
    from pathlib import Path
    from caviar import Float, Sweep

    def train(config, trial):
        Path(__file__).with_name("ran").touch()
        trial.report(0, loss=config["lr"])

    sweep = Sweep(train, space={"lr": Float(0, 1)}, metric="loss", trials=12)
"""


class Terminal(io.StringIO):
    """Stdin of somebody who types."""

    def isatty(self) -> bool:
        return True


def disown(store: Path, user: object = "mallory") -> None:
    """Let the newest sweep be of another user."""
    path = max(store.glob("sweep=*")) / "sweep.json"
    said = json.loads(path.read_text())
    said["provenance"] |= {"user": user, "host": "far\x1b[2Jaway"}
    path.write_text(json.dumps(said))


@pytest.mark.usefixtures("inline")
@pytest.mark.parametrize(
    "verb",
    [
        ("zoom",),
        *(pytest.param(("resume", "--add", "1", *more), marks=pytest.mark.nightly) for more in ((), ("--force",))),
    ],
)
def test_without_a_terminal_code_of_others_needs_trust(caviar, write, store, verb) -> None:
    path = write(f"{SOURCE}\n    # {store}")  # a process loads the same source once
    assert caviar("run", path).code == 0
    assert caviar(*verb).code == 0  # one's own needs none
    for user in ("mallory", None, ""):
        disown(store, user)
        ran = path.with_name("ran")
        ran.unlink()
        before = len(list(store.glob("sweep=*")))

        got = caviar(*verb)

        assert got.code == 2
        assert f"made by {user or 'an unknown user'} on faraway, would run as" in got.told[0]
        assert str(store) in got.told[0]
        assert "add --trust" in got.told[0]
        assert not ran.exists()
        assert len(list(store.glob("sweep=*"))) == before
        ran.touch()
    assert caviar(*verb, "--trust").code == 0


@pytest.mark.usefixtures("inline")
@pytest.mark.parametrize(("answer", "code"), [("n\n", 2), ("y\n", 0)])
def test_at_a_terminal_one_is_asked(caviar, write, store, monkeypatch, answer, code) -> None:
    path = write(SOURCE)
    assert caviar("run", path).code == 0
    disown(store)
    monkeypatch.setattr("sys.stdin", Terminal(answer))
    owners = set(store.glob("sweep=*/_owner/*"))

    got = caviar("resume", "--add", 1)

    assert (set(store.glob("sweep=*/_owner/*")) == owners) == (code == 2)  # it is not held while somebody thinks
    assert got.err.count("as yourself?") == 1

    assert got.code == code
    assert "made by mallory on faraway, as yourself?" in got.err
    assert "\x1b" not in got.err


@pytest.mark.usefixtures("inline")
def test_who_gave_it_other_code_counts_too(caviar, write, store, monkeypatch) -> None:
    path = write(SOURCE)
    assert caviar("run", path).code == 0
    with monkeypatch.context() as other:
        other.setattr("caviar.store.sweep_dir.user_name", lambda: "mallory")
        path.write_text(path.read_text().replace("trials=12", "trials=13"))
        assert caviar("resume", "--add", 1, "--force").code == 0

    got = caviar("resume", "--add", 1)

    assert got.code == 2
    assert "made by mallory" in got.told[0]


def test_stored_code_is_unpacked_in_one_place() -> None:
    source = Path(__file__).parents[2] / "orchestrator" / "caviar"
    found = {path.name for path in source.rglob("*.py") if re.search(r"(?<![\w.])unpack\(", path.read_text())}

    assert found == {"code_archive.py", "code_to_run.py", "decided_code.py"}, "the last asks which project it names"


@pytest.mark.usefixtures("inline")
def test_a_user_without_a_name_is_a_number_and_nobody_is_oneself(caviar, write, store, monkeypatch) -> None:
    def nameless() -> str:
        raise KeyError("getpwuid(): uid not found: 4242")

    path = write(SOURCE)
    monkeypatch.setattr("getpass.getuser", nameless)
    monkeypatch.setattr("os.getuid", lambda: 4242)
    assert caviar("run", path).code == 0
    assert caviar("resume", "--add", 1).code == 0
    monkeypatch.setattr("os.getuid", lambda: 5151)
    for user in (None, "uid 4242"):
        disown(store, user)
        got = caviar("resume", "--add", 1)
        assert got.code == 2
        assert "would run as uid 5151" in got.told[0]
