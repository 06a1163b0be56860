"""The whole document: a store is tried and left as it was, a bucket too, and faults become exit codes."""

from pathlib import Path

import pytest
from fixtures import CloudBucket

from caviar.errors import CaviarError, ClusterError, StoreError
from caviar.run.doctor import DoctorDocument, clock_in_words, doctor_document, fault, store_checks, store_in_words
from caviar.run.health import Check, Health
from caviar.store import Store
from caviar.store.disk import PosixDisk
from caviar.store.disk.trial_write import TrialWrite


def below(path: Path) -> list[str]:
    return sorted(str(one.relative_to(path)) for one in path.rglob("*"))


def test_all_is_well_on_a_new_store_and_nothing_is_left(tmp_path: Path) -> None:
    document = doctor_document(str(tmp_path / "a" / "store"), None)
    health = {one.name: one.health for one in document.checks}
    assert health["store"] == health["clock"] == health["packages"] == Health.OK
    assert fault(document) is None
    assert below(tmp_path) == []


def test_a_store_that_is_there_is_written_to_and_left_as_it_was(tmp_path: Path) -> None:
    Store.open(tmp_path / "store", create=True)
    (told, clock) = store_checks(str(tmp_path / "store"))
    assert "can be written to; a name is taken once only" in told.found
    assert clock.health == Health.OK
    assert below(tmp_path) == ["store", "store/FORMAT"]


def test_a_bucket_is_written_to_and_left_as_it_was(cloud: CloudBucket) -> None:
    (told, _) = store_checks(cloud.uri)
    assert told.health == Health.OK, told
    assert told.found == f"{cloud.uri} is not there yet, and can be made; a name is taken once only"
    assert not cloud.objects()


def test_an_empty_folder_may_become_a_store_and_one_of_other_files_may_not(tmp_path: Path) -> None:
    (told, _) = store_checks(str(tmp_path))
    assert "is not there yet, and can be made" in told.found
    (tmp_path / "letter.txt").touch()
    (told,) = store_checks(str(tmp_path))
    assert "is no store" in told.found
    assert below(tmp_path) == ["letter.txt"]


def test_where_nobody_can_write() -> None:
    (told,) = store_checks("/dev/null/store")
    assert told.health == Health.FAILED
    assert "Cannot" in told.found


def test_a_file_where_a_store_should_be(tmp_path: Path) -> None:
    (tmp_path / "store").write_text("x")
    (told,) = store_checks(str(tmp_path / "store"))
    assert told.health == Health.FAILED
    assert "is a file, and must be a folder" in told.found
    assert below(tmp_path) == ["store"]


def test_a_disk_that_lets_two_take_the_same_name_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(PosixDisk, "create", lambda _, path, data: Path(path).write_bytes(data))
    (told,) = store_checks(str(tmp_path))
    assert told.health == Health.FAILED
    assert "lets two writers make the same file" in told.found
    assert below(tmp_path) == []


@pytest.mark.parametrize(("free", "health"), [(None, Health.OK), (2**29, Health.WARNING), (2**40, Health.OK)])
def test_room(free: int | None, health: Health) -> None:
    written = TrialWrite(path=Path("/s"), ahead_s=0.0, free=free)
    assert store_in_words(written, there=True).health == health


@pytest.mark.parametrize(
    ("ahead_s", "words"), [(0.5, "to within a minute"), (90, "90 s behind"), (-90, "90 s ahead of")]
)
def test_clocks(ahead_s: float, words: str) -> None:
    assert words in clock_in_words(ahead_s).found


@pytest.mark.parametrize(
    ("name", "kind"),
    [("store", StoreError), ("python", CaviarError), ("cluster", ClusterError), ("ray's start", ClusterError)],
)
def test_who_is_at_fault(name: str, kind: type[CaviarError]) -> None:
    def document(*health: Health) -> DoctorDocument:
        checks = tuple(Check(name=name, health=one, found="x") for one in health)
        return DoctorDocument(store="s", address=None, checks=checks)

    assert fault(document(Health.OK, Health.WARNING)) is None
    error = fault(document(Health.WARNING, Health.FAILED))
    assert type(error) is kind
    assert f"{name} failed" in str(error)
