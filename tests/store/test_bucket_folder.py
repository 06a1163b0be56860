"""Workers write checkpoints and artifacts straight into a bucket, and nothing once another owner has come."""

import io
from dataclasses import replace
from pathlib import Path

import pytest
from faulty_proxy import LOST, REFUSED

from caviar.store import Store, SweepDir
from caviar.store.artifacts import copy_artifact, newest_of
from caviar.store.checkpoints import folders_for_workers, read_checkpoint, saves_of
from caviar.store.disk import objects
from caviar.store.origins import origins_of
from caviar_workers.artifact import Artifact
from caviar_workers.bucket_client import PART
from caviar_workers.bucket_folder import BUILD_MARK, BucketFolder
from caviar_workers.checkpoint import Save
from caviar_workers.messages import Origin
from caviar_workers.store_folder import folder_of
from caviar_workers.stored_checkpoint import UnseenStoreError, check_seen, first_whole

from ..leases import make_lease

SAVE = Save(trial=3, attempt=0, step=7, rows=8, value=0.5, checksum="")
ARTIFACT = Artifact(trial=3, attempt=0, number=0, name="../x", step=7, time=0.0)


@pytest.fixture
def owned(cloud, describe) -> tuple[SweepDir, int]:
    sweep = Store.open(cloud.uri, create=True).create_sweep(describe(trials=2), b"code")
    return sweep, sweep.claim()


def folder(owned: tuple[SweepDir, int]) -> BucketFolder:
    checkpoints, build = folders_for_workers(*owned)
    found = folder_of(make_lease(configs={}, checkpoints=checkpoints, build=build))
    assert isinstance(found, BucketFolder)
    return found


def whole(owned: tuple[SweepDir, int]) -> tuple[Store, SweepDir]:
    sweep, _ = owned
    return Store.open(str(sweep.path.parent)), sweep


def test_what_is_written_is_what_the_driver_and_workers_find(owned, cloud, tmp_path: Path) -> None:
    sweep, _ = owned
    large = tmp_path / "large"
    large.write_bytes(bytes(range(256)) * (PART // 200))  # in parts
    save = folder(owned).write(SAVE, large)
    assert saves_of(sweep, 3) == [replace(save, data=None)]
    assert read_checkpoint(sweep, save) == large.read_bytes()
    (origin,) = origins_of(*whole(owned), {3: [save]})[3]
    found = first_whole(3, [origin])
    assert found is not None
    assert found[1].data == large.read_bytes(), "a worker reads it there too"
    cloud.proxy.faults = lambda request: REFUSED if request.number % 2 == 0 else None
    assert first_whole(3, [origin]) is not None
    made = folder(owned).write_artifact(ARTIFACT, b"kept")
    row = {"trial": 3, "attempt": 0, "number": 0, "name": "../x", "bytes": made.size, "checksum": made.checksum}
    copy_artifact(sweep, newest_of(sweep, [row])["../x"], written := io.BytesIO())
    assert written.getvalue() == b"kept"


@pytest.mark.parametrize("fault", [REFUSED, LOST], ids=["refused", "lost"])
def test_requests_that_fail_are_made_again(owned, cloud, fault) -> None:
    there = folder(owned)
    cloud.proxy.faults = lambda request: fault if request.number % 2 == 0 else None
    save = there.write(SAVE, b"state")
    assert read_checkpoint(owned[0], save) == b"state"


def test_a_worker_of_an_owner_that_is_gone_shows_nothing(owned, cloud, monkeypatch) -> None:
    sweep, epoch = owned
    first, second = folder(owned), folder(owned)
    put = second._put

    def late(key, content):  # the other owner comes while the bytes are on their way
        put(key, content)
        sweep.release(epoch)
        sweep.claim()

    monkeypatch.setattr(second, "_put", late)
    for there in (second, first):
        with pytest.raises(FileNotFoundError, match="another process has taken the sweep over"):
            there.write(SAVE, b"state")
    assert not [key for key in cloud.objects() if "_checkpoints" in key and key.endswith(".checkpoint")]


def test_who_may_not_write_there_hands_it_to_the_driver(owned, monkeypatch) -> None:
    checkpoints, build = folders_for_workers(*owned)
    lease = make_lease(configs={}, checkpoints=checkpoints, build=build)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_PROFILE", "no-such")
    assert folder_of(lease) is None
    origin = Origin(save=SAVE, folder=checkpoints)
    with pytest.raises(UnseenStoreError):
        check_seen(replace(lease, restore={0: (origin,)}))
    assert folder_of(replace(lease, checkpoints="", build="")) is None
    assert BUILD_MARK == objects.FOLDER
