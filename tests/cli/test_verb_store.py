import errno
import json
from pathlib import Path

import click
import pytest

from caviar.cli.main import cli
from caviar.store import Store

DOCS = Path(__file__).parents[2] / "docs" / "cli.md"


@pytest.fixture
def hurt(interrupted):
    """Path of a store with one sweep, a byte of whose first curves was changed."""
    (path,) = Path(interrupted).glob("sweep=*/_hot/0001-000000001-curves-*")
    data = bytearray(path.read_bytes())
    data[len(data) // 3] ^= 1
    path.write_bytes(data)
    return interrupted


def test_every_subverb_and_option_has_help_and_is_documented():
    context = click.Context(cli)
    section = DOCS.read_text().partition("\n## caviar store\n")[2].partition("\n## ")[0]
    group = cli.get_command(context, "store")
    assert isinstance(group, click.Group)
    for name, verb in group.commands.items():
        assert f"`caviar store {name} " in section
        assert verb.help
        assert verb.short_help
        assert f"caviar store {name}" in (verb.epilog or "")
        for option in verb.params:
            if isinstance(option, click.Option) and option.name not in ("store", "as_json", "sweep"):
                assert option.help
                assert all(f"`{opt}" in section for opt in option.opts)


def test_without_a_subverb_it_helps(caviar):
    got = caviar("store")
    assert got.code == 0
    assert "check" in got.out


def test_check_finds_nothing_wrong(caviar, filled):
    got = caviar("store", "check", "--store", filled.path)
    assert (got.code, got.out) == (0, "")
    assert got.err == "2 sweeps checked: all is as it was written\n"


def test_who_may_only_read_is_told_of_the_damage_too(caviar, hurt, monkeypatch):
    """Root may write anywhere, so the refusal is made up."""

    def refuse(*_):
        raise PermissionError(errno.EACCES, "Permission denied", "there")

    monkeypatch.setattr("caviar.store.quarantine.quarantine", refuse)
    got = caviar("store", "check", "--store", hurt)
    assert got.code == 5
    assert "0001-000000001-curves-" in got.out
    assert "Cannot set aside what is damaged in" in " ".join(got.out.split())
    assert "Permission denied" in got.out


def test_check_names_damage_sets_it_aside_and_reading_goes_on(caviar, hurt):
    assert caviar("query", "select sum(val_loss) from curves", "--store", hurt).code == 5
    tried = caviar("store", "check", "--dry-run", "--store", hurt)
    assert tried.code == 5
    assert "set aside" not in tried.err
    got = caviar("store", "check", "--store", hurt)
    assert got.code == 5
    assert "1 fault in 1 sweep; 1 damaged file set aside" in got.err
    assert "0001-000000001-curves-" in got.out
    (kept,) = Path(hurt).glob("sweep=*/_quarantine/*")
    assert kept.name.startswith("_hot-0001-000000001-curves-")
    counted = caviar("query", "select count(*) n from trials", "--store", hurt, "--json")
    assert counted.code == 0
    assert json.loads(counted.out)[0]["n"] == 3
    assert "is in quarantine" in counted.err
    assert counted.err.count("\n") == 1
    assert "is in quarantine" in caviar("best", "--store", hurt).err
    assert caviar("store", "check", "--store", hurt).code == 0


def test_a_lost_segment_is_said_by_whoever_reads_and_given_up_when_asked(caviar, interrupted):
    (lost,) = Path(interrupted).glob("sweep=*/_hot/0001-000000001-*")
    lost.unlink()
    for words in (["ls"], ["best"], ["status"], ["query", "from trials"], ["best", "--family"], ["store", "info"]):
        assert "has no segment _hot/0001-000000001-… any more" in caviar(*words, "--store", interrupted).err, words
    refused = caviar("store", "compact", "--store", interrupted)
    assert refused.code == 5
    assert refused.err.count("\n") == 1
    named = caviar("store", "check", "--store", interrupted)
    assert named.code == 5
    assert "segment" in named.out
    assert "set aside" not in named.err
    assert caviar("store", "check", "--skip-lost", "--store", interrupted).code == 5
    assert caviar("store", "check", "--store", interrupted).code == 0
    assert (
        "0001-000000001-… is lost; its rows are not shown"
        in caviar("query", "from attempts", "--store", interrupted).err
    )
    assert caviar("store", "compact", "--store", interrupted).code == 0


def test_check_as_json(caviar, hurt):
    got = caviar("store", "check", "--json", "--store", hurt)
    (finding,) = json.loads(got.out)["findings"]
    assert got.code == 5
    assert finding["set_aside"]
    assert "checksum" in finding["what"]


def test_info(caviar, filled):
    got = caviar("store", "info", "digits", "--store", filled.path)
    assert got.code == 0
    assert got.lines[0].split() == ["table", "rows", "files", "bytes", "bytes", "a", "row"]
    document = json.loads(caviar("store", "info", "--store", filled.path, "--json").out)
    tables = {row["table"]: row for row in document["tables"]}
    assert tables["trials"]["rows"] == 8
    assert tables["superseded"]["rows"] == 5
    assert tables["curves"]["bytes"] > 0
    assert tables["curves"]["bytes_a_row"] == pytest.approx(tables["curves"]["bytes"] / tables["curves"]["rows"], 0.01)


def test_compact_makes_plain_files_of_what_is_interrupted(caviar, interrupted):
    sweep = Store.open(interrupted).find()
    got = caviar("store", "compact", "--store", interrupted)
    assert (got.code, got.err) == (0, f"compacted {sweep.id}\n")
    assert sweep.visible_files().plain
    assert sweep.state() == "interrupted"
    assert not sweep.owner_alive()
    assert caviar("store", "compact", "--store", interrupted).err == "nothing to compact\n"
    assert json.loads(caviar("store", "compact", sweep.id, "--store", interrupted, "--json").out)["compacted"] == [
        sweep.id
    ]


def test_compact_refuses_a_sweep_that_runs(caviar, interrupted):
    sweep = Store.open(interrupted).find()
    epoch = sweep.claim()
    assert caviar("store", "compact", "--store", interrupted).err == "nothing to compact\n"
    got = caviar("store", "compact", sweep.id, "--store", interrupted)
    assert got.code == 5
    assert "is being run by process" in got.err
    sweep.release(epoch)


def test_what_is_not_ours_is_named_and_left(caviar, interrupted, tmp_path):
    (sweep,) = Path(interrupted).glob("sweep=*")
    (tmp_path / "mine.txt").write_text("mine")
    (sweep / "curves").mkdir(exist_ok=True)
    (sweep / "curves" / "000001-0001-0000.parquet").symlink_to(tmp_path / "mine.txt")
    for words in (["store", "check"], ["store", "compact"]):
        got = caviar(*words, "--store", interrupted)
        assert got.code == 0
        assert "curves/000001-0001-0000.parquet was not written by Caviar, and is left alone" in got.err
    refused = caviar("rm", sweep.name.removeprefix("sweep="), "--yes", "--store", interrupted)
    assert refused.code == 5
    assert "curves/000001-0001-0000.parquet" in refused.err
    assert (tmp_path / "mine.txt").read_text() == "mine"
    (sweep / "curves" / "000001-0001-0000.parquet").unlink()
    assert caviar("rm", sweep.name.removeprefix("sweep="), "--yes", "--store", interrupted).code == 0
