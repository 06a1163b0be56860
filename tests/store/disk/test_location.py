"""A store's URI without the packages that it needs, and a folder that needs none of them."""

import subprocess
import sys

import pytest

from caviar.errors import SpecError, StoreError
from caviar.store import Store
from caviar.store.disk import PosixDisk, locate


@pytest.mark.parametrize("package", ["obstore", "boto3"])
def test_a_missing_package_is_named_with_what_to_type(monkeypatch, package):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_WEB_IDENTITY_TOKEN_FILE"):
        monkeypatch.delenv(name, raising=False)
    for name in [name for name in sys.modules if name.partition(".")[0] in (package, "caviar_none")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.delitem(sys.modules, "caviar.store.disk.bucket", raising=False)
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(StoreError, match=rf"needs the package {package}: type \S+.* boto3 obstore$"):
        locate("s3://bucket/x")


def test_a_folder_needs_none(tmp_path):
    path, disk = locate(tmp_path / "a" / ".." / "b")
    assert path == (tmp_path / "b").resolve()
    assert isinstance(disk, PosixDisk)
    code = "import sys, caviar.store; caviar.store.Store; print([n for n in ('obstore', 'boto3') if n in sys.modules])"
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "[]"


@pytest.mark.parametrize("path", ["a\0b", "a" * 5000 + "/b", "~nobody-at-all/store"])
def test_a_path_that_no_file_can_have_is_told(path: str) -> None:
    with pytest.raises((SpecError, StoreError)) as told:
        Store.open(path)
    assert len(str(told.value)) < 6000
    assert "\0" not in str(told.value)
