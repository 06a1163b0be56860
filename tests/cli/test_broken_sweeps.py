"""One broken sweep, file or request harms itself only: every JSON that is read × odd contents × the verbs that read."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from caviar.store import Store
from caviar.store.requests import ask_to_stop, pop_requests

BAD = "20271399-996199-dead"  # of our form, at a time that is none
FILES = {
    "description": "sweep.json",
    "manifest": "_manifest/000099.json",
    "owner": "_owner/000099.json",
    "amendment": "_amendments/000000.json",
    "final": "_final/000000.json",
    "fingerprint": "_fingerprints/000000.json",
    "drift": "_drift/000000.json",
}
TEXTS = {
    "empty": b"",
    "torn": b'{"id": "x", "plan": {"met',
    "no JSON": b"\xff\xfe{}",
    "a list": b"[]",
    "a number": b"1e999",
    "deep": b'{"a":' * 100_000,
    "a little deep": b'{"plan":' * 900 + b"{}" + b"}" * 900,
    "half a character": b'{"plan": {"name": "\\ud800"}, "trials": "\\udfff"}',
    "NUL": b'{"plan": {"name": "a\\u0000b"}}',
    "NaN": b'{"plan": {"trials": NaN}, "k": NaN, "trial": NaN, "epoch": NaN}',
    "huge": b'{"k": 1' + b"0" * 300 + b', "trial": 1e999, "epoch": -1, "trials": 99999999999999999999}',
    "other types": b'{"plan": [], "k": "1", "files": {}, "epoch": "1", "pid": [], "trials": "3", "metrics": 3}',
    "other keys": b'{"planet": 1}',
}


def fifo(path: Path) -> None:
    os.mkfifo(path)


def large(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(100 * 2**20)


def folder(path: Path) -> None:
    path.mkdir()


def loop(path: Path) -> None:
    path.symlink_to(path.name)


def dangling(path: Path) -> None:
    path.symlink_to("nowhere")


def device(path: Path) -> None:
    path.symlink_to("/dev/zero")


def text(content: bytes) -> Callable[[Path], None]:
    return lambda path: path.write_bytes(content) and None


ODD = {name: text(content) for name, content in TEXTS.items()}
ODD |= {one.__name__: one for one in (fifo, large, folder, loop, dangling, device)}
PLANS: list[dict[str, Any]] = [
    {"metric": 3},
    {"metric": None},
    {"metric": "step"},
    {"mode": "best"},
    {"trials": 0},
    {"trials": 10**12},
    {"trials": True},
    {"trials": 2.5},
    {"seed": -1},
    {"name": ["x"]},
    {"space": None},
    {"space": {"parameters": [1]}},
    {"space": {"parameters": {"lr": {"type": "float", "kind": "blob"}}}},
    {"space": {"parameters": {"lr": {"kind": "float"}, "LR": {"kind": "float"}}}},
    {"tags": "abc"},
    {"tags": [1]},
    {"parent": 3},
    {"rule": 7},
    {"sampler": 7},
    {"held": {"x": 1}},
]
READING = (("ls",), ("query", "select count(*) as n from trials"), ("best",), ("store", "info"), ("status", "digits"))


@pytest.fixture
def hurt(tmp_path: Path, filled: Any) -> Path:
    """A copy of the store with one more sweep, for a test to break."""
    path = tmp_path / "hurt"
    shutil.copytree(filled.path, path)
    shutil.copytree(path / f"sweep={filled.digits}", path / f"sweep={BAD}")
    return path


def break_file(store: Path, kind: str, odd: str) -> None:
    path = store / f"sweep={BAD}" / FILES[kind]
    path.parent.mkdir(exist_ok=True)
    if path.exists():
        path.unlink()
    ODD[odd](path)


def spared(caviar: Any, store: Path, good: list[str], verbs: Any = READING) -> None:
    """The others are shown all the same, and nothing is a traceback."""
    for verb in verbs:
        got = caviar(*verb, "--store", str(store))
        assert "Traceback" not in got.err, (verb, got.err)
        if verb[0] in ("ls", "query", "best", "status") or got.code:
            assert got.code == 0, (verb, got)
        if verb == ("ls",):
            assert all(one in got.out for one in good), got


def named(caviar: Any, store: Path, *verb: str) -> None:
    """What is asked of the broken one itself is one sentence, or an answer."""
    got = caviar(*verb, "--store", str(store))
    assert "Traceback" not in got.err, got.err
    assert got.code in (0, 3, 5), got


@pytest.mark.nightly
@pytest.mark.parametrize("kind", FILES)
def test_a_broken_file_harms_its_own_sweep_only(caviar, hurt, filled, kind) -> None:
    number = list(FILES).index(kind)
    for odd in (("deep", "other types", "fifo")[number % 3],):  # all of them nightly
        break_file(hurt, kind, odd)
        spared(caviar, hurt, [filled.digits, filled.later], READING[:1])
        named(caviar, hurt, "status", BAD)
        named(caviar, hurt, *REPORT, BAD)
    spared(caviar, hurt, [filled.digits])


@pytest.mark.nightly
@pytest.mark.parametrize("odd", ODD)
@pytest.mark.parametrize("kind", FILES)
def test_every_broken_file_harms_its_own_sweep_only(caviar, hurt, filled, kind, odd) -> None:
    break_file(hurt, kind, odd)
    more = (("best", "digits", "--family"), ("show", "digits", "0"))
    spared(caviar, hurt, [filled.digits, filled.later], (*READING, *more))
    for verb in (("status",), ("best",), ("curves",), ("store", "check"), ("zoom", "--dry-run"), REPORT):
        named(caviar, hurt, *verb, BAD)
    unknown = []
    if kind == "owner":  # who it is cannot be read: once it is silent, the user says that nobody runs the sweep
        unknown = ["--take-over"]
        os.utime(hurt / f"sweep={BAD}" / FILES[kind], (0, 0), follow_symlinks=False)
    got = caviar("rm", BAD, "--yes", *unknown, "--store", str(hurt))
    if odd in TEXTS or odd == "large":  # of the rest we wrote nothing, and delete nothing
        assert got.code == 0, got
    assert got.code == 5 or not (hurt / f"sweep={BAD}").exists()


def test_every_odd_field_of_a_plan_is_named(caviar, hurt, filled) -> None:
    path = hurt / f"sweep={BAD}" / "sweep.json"
    whole = json.loads(path.read_text())
    for odd in PLANS[:: max(1, len(PLANS) // 8)]:  # every reader of a plan sees the same rule
        path.write_text(json.dumps(whole | {"plan": whole["plan"] | odd}))
        got = caviar("ls", "--store", str(hurt))
        assert got.code == 0, (odd, got)
        assert filled.digits in got.out
        assert BAD not in got.out
        (line,) = [line for line in got.err.splitlines() if BAD in line]
        assert "is left out" in line, odd
        assert next(iter(odd)) in line, (odd, line)


def test_a_sweep_that_is_not_wholly_there_is_left_out_and_can_be_removed(caviar, hurt, filled) -> None:
    for gone in ("_manifest", "sweep.json", "trials"):
        path = hurt / f"sweep={BAD}" / gone
        path.unlink() if path.is_file() else shutil.rmtree(path)
        spared(caviar, hurt, [filled.digits])
    got = caviar("query", "select distinct sweep from trials", "--store", str(hurt))
    assert BAD not in got.out
    assert caviar("rm", BAD, "--yes", "--store", str(hurt)).code == 0
    assert caviar("rm", BAD, "--yes", "--store", str(hurt)).code == 4


OF_ALL = (("ls",), ("query", "select count(*) from {}"), ("store", "info"))
OF_ONE = (("status",), ("best",), ("best", "--family"), ("curves",), ("show", "0"), ("logs", "0"), ("explain", "0"))
REPORT = ("report", "-o", os.devnull)


@pytest.mark.parametrize("table", ["trials", "curves", "attempts", "logs"])
def test_a_data_file_that_is_gone_is_named_by_every_verb_in_the_same_words(caviar, hurt, filled, table) -> None:
    (file,) = (hurt / f"sweep={filled.digits}" / table).iterdir()
    file.unlink()
    told = f"Cannot read the store: {file} was written and is gone: restore it from a copy, or type "
    told += f"`caviar store check --store {hurt}` to go on without its rows."
    for verb in OF_ALL:
        got = caviar(*(word.format(table) for word in verb), "--store", str(hurt))
        assert got.code == 0, (verb, got)
        assert told in got.err or (verb == ("ls",) and table in ("attempts", "logs")), (
            verb,
            got,
        )  # which ls never reads
    for verb in (REPORT, *OF_ONE):
        got = caviar(*verb, "--sweep", filled.digits, "--store", str(hurt))
        assert got.code in (0, 5), (verb, got)
        assert (told in got.err) == (got.code == 5), (verb, got)
    assert got.code == 5 or table not in ("trials", "attempts")


def test_a_folder_that_may_not_be_read_is_left_out(hurt, filled, request) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can become somebody else")
    open_to_all = Path(tempfile.mkdtemp(prefix="caviar-test-"))  # pytest closes its own folders
    open_to_all.chmod(0o755)
    request.addfinalizer(lambda: shutil.rmtree(open_to_all))
    hurt = Path(shutil.move(hurt, open_to_all / "hurt"))
    (hurt / f"sweep={BAD}").chmod(0o700)
    # The first call imports all that the second one, of somebody else, needs.
    script = f"""
import contextlib, os
from caviar.cli.main import main
with contextlib.suppress(SystemExit), open(os.devnull, "w") as nowhere, contextlib.redirect_stdout(nowhere):
    main(["ls", "--store", {str(hurt)!r}])
os.setgid(65534)
os.setuid(65534)
main(["ls", "--store", {str(hurt)!r}])
"""
    source = [path for path in sys.path if path.endswith(("orchestrator", "workers"))]
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(source)},
    )
    assert filled.digits in done.stdout, done
    assert f"{BAD} is left out" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_new_sweep_can_be_made_beside_any_date(hurt, filled) -> None:
    (hurt / "sweep=99991231-235959-beef").mkdir()
    (hurt / "sweep=00000000-000000-beef").mkdir()
    store = Store.open(hurt)

    made = store.create_sweep(store.find(filled.digits).description(), b"")

    assert made.id < "2100"


ASKED = (
    *('{"epoch": 1, "trial": "abc"}', '{"epoch": "1"}', '{"epoch": 1, "action": "dance"}', '{"epoch": null}', "[]"),
    *('{"epoch": 1, "trial": 99999999999999999999}', '{"epoch": 1, "trial": -1, "at_once": true}', ""),
    *('{"epoch": 1, "trial": 1.5}', '{"epoch": 1, "made": {"a": [1]}}', '{"epoch": 1, "at_once": 1}'),
)


def test_what_is_no_request_is_not_taken(interrupted) -> None:
    sweep = Store.open(interrupted).find()
    epoch = sweep.claim()
    first = ask_to_stop(sweep, trial=0).file
    for number, body in enumerate((*ASKED, *TEXTS.values()), 1):
        first.with_name(f"{number:06d}.json").write_bytes(body.encode() if isinstance(body, str) else body)
    os.mkfifo(first.with_name("000100.json"))

    assert [request.trial for request in pop_requests(sweep, epoch)] == [0]
    sweep.release(epoch)
