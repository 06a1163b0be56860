"""`./caviar` without uv, without pip, or without a Python that will do: fetches, or says what to type."""

import pytest


def test_uv_is_fetched_with_pip_into_a_private_folder(clone):
    (clone.bin / "uv").unlink()
    ran = clone("best", PIP_USER="1", PIP_REQUIRE_VIRTUALENV="1", PIP_INDEX_URL="https://index.example/simple")
    assert ran.returncode == 0
    assert "fetching uv with pip" in ran.stderr
    assert [path.name for path in (clone.root / ".caviar-uv").iterdir()] == ["uv"]
    seen = clone.environment("pip.env")
    assert seen["PIP_INDEX_URL"] == "https://index.example/simple"
    assert (seen["PIP_USER"], seen["PIP_REQUIRE_VIRTUALENV"]) == ("0", "0")


def test_pip_is_asked_to_say_nothing_but_errors(clone):
    (clone.bin / "uv").unlink()
    clone.command(
        "python3", clone.bin.joinpath("python3").read_text().replace("env >", 'echo "$*" >"$STUB/pip.args"; env >')
    )
    clone("best")
    assert " -qq " in clone.log("pip.args")[0]


def test_a_fetched_uv_is_used_again(clone):
    (clone.bin / "uv").unlink()
    clone("best")
    (clone.root / "uv.lock").write_text("lock 2\n", encoding="utf-8")
    assert "fetching" not in clone("best").stderr


def test_an_old_uv_is_not_used(clone):
    assert "fetching uv" in clone("best", STUB_UV_VERSION="0.8.24").stderr


@pytest.mark.parametrize("version", ["0.9.0", "0.13.9", "1.0.0", "1.2"])
def test_a_recent_uv_is_used(clone, version):
    assert "fetching uv" not in clone("best", STUB_UV_VERSION=version).stderr


def test_a_fetch_that_fails_leaves_nothing_behind(clone):
    (clone.bin / "uv").unlink()
    clone.put("pip-fails")
    ran = clone("best")
    assert ran.returncode == 1
    assert ran.stdout == ""
    assert "caviar: pip could not fetch uv" in ran.stderr
    assert list((clone.root / ".caviar-uv").iterdir()) == []


def test_without_pip_it_says_what_to_type(clone):
    (clone.bin / "uv").unlink()
    clone.put("no-pip")
    ran = clone("best")
    assert ran.returncode == 1
    assert len(ran.stderr.splitlines()) == 1
    assert "sudo apt install python3-pip" in ran.stderr


def test_without_a_python_that_will_do_it_says_what_to_type(clone):
    ran = clone("best", STUB_PROBE="")
    assert ran.returncode == 1
    assert len(ran.stderr.splitlines()) == 1
    assert "needs a Python from 3.11 to 3.14" in ran.stderr


def test_the_python_asked_for_must_do(clone):
    ran = clone("best", CAVIAR_PYTHON="python3", STUB_PROBE="")
    assert ran.returncode == 1
    assert ran.stderr == "caviar: CAVIAR_PYTHON must name a CPython 3.11 to 3.14, got python3\n"
