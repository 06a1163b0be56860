"""The whole store in a bucket: what it loses and doubles (nothing) while requests fail, or only their replies."""

import itertools
from contextlib import contextmanager, suppress

import pytest
from faulty_proxy import DENIED, LOST, REFUSED, Fault, slow
from fixtures import SECRET

from caviar.errors import NotFoundError, SpecError, StoreError
from caviar.store import Store, SweepDir, Views, Writer
from caviar.store.check import check
from caviar.store.disk import Backoff
from caviar.store.disk.bucket import Bucket
from caviar.store.finalize import compact, finalize, needs_compacting
from caviar.store.layout import FINAL_TABLES
from caviar.store.merging import merge
from caviar.store.sizes import sizes

CONFLICT = Fault(done=False, reply=409)


@pytest.fixture(autouse=True)
def hasty(monkeypatch):
    """Pauses take no time, and end after a while."""
    monkeypatch.setattr(Bucket, "backoff", Backoff(sleep=lambda s: None))


@contextmanager
def views(store, sweep):
    with Views(Store.open(store.path), [sweep]) as found:
        yield found


def count(store, sweep):
    with views(store, sweep) as found:
        return found.execute("SELECT count(*), count(DISTINCT (trial, attempt, step)) FROM curves").fetchall()[0]


def live(uri, describe, rows):
    """A sweep from its creation to its end, with a merge and a second owner; yields between what it does."""
    store = Store.open(uri, create=True)
    sweep = store.create_sweep(describe(trials=2), b"code")
    yield store, sweep
    epoch = sweep.claim()
    writer = Writer(sweep, epoch, interval_s=60)
    writer.add("configs", rows.configs([0, 1]))
    writer.add("curves", rows.curve(0, range(3), loss=[3.0, 2.0, 1.0]))
    writer.flush()
    writer.add("attempts", rows.attempt(0, rows=3, last_loss=1.0))
    writer.flush()
    merge(sweep)
    writer.add("curves", rows.curve(1, range(2), loss=[5.0, 4.0]))
    writer.close()
    sweep.release(epoch)
    yield store, sweep
    epoch = sweep.claim()
    with Writer(sweep, epoch, interval_s=60) as writer:
        writer.add("curves", rows.curve(1, range(2), attempt=1, loss=[5.0, 4.0]))
        writer.add("attempts", rows.attempt(1, attempt=1, rows=2, last_loss=4.0))
    finalize(sweep, epoch)
    yield store, sweep


def examine(store, sweep, cloud):
    assert count(store, sweep) == (5, 5)
    with views(store, sweep) as found:
        assert found.execute("SELECT trial, state, last_loss FROM trials ORDER BY trial").fetchall() == [
            (0, "COMPLETED", 1.0),
            (1, "COMPLETED", 4.0),
        ]
    assert sweep.state() == "finished"
    assert check(sweep) == []
    keys = [key.removeprefix(f"some/store/{sweep.path.name}/") for key in cloud.objects()]
    assert not [key for key in keys if key.startswith(("_hot/", "_merged/", "_build/", "some/store/_"))]
    finals = sorted(key.partition("/")[0] for key in keys if key.endswith(".parquet"))
    assert finals == sorted([*FINAL_TABLES, "superseded"])


def test_a_sweep_lives_in_a_bucket(cloud, describe, rows):
    for _, sweep in live(cloud.uri, describe, rows):
        assert Store.open(cloud.uri).find() == sweep
    store = Store.open(cloud.uri)
    examine(store, sweep, cloud)
    assert {size.table: size.rows for size in sizes(sweep)}["curves"] == 2 + 3
    assert not needs_compacting(sweep)
    with pytest.raises(FileExistsError):
        sweep.disk.publish_folder(sweep.path, [("sweep.json", b"")], [])
    store.remove(sweep)
    assert store.sweeps() == []
    assert list(cloud.objects()) == ["some/store/.folder", "some/store/FORMAT"]


def test_an_interrupted_sweep_is_read_and_compacted(cloud, describe, rows):
    lives = live(cloud.uri, describe, rows)
    next(lives)
    store, sweep = next(lives)
    assert count(store, sweep) == (5, 5)
    assert sweep.state() == "interrupted"
    assert needs_compacting(sweep)
    compact(sweep)
    assert count(store, sweep) == (5, 5)
    assert sweep.state() == "interrupted"
    assert not needs_compacting(sweep)


def one_in(stride, start, fault):
    return lambda request: fault if request.number % stride == start else None


FAULTS = {
    "refused": REFUSED,
    "reply lost": LOST,
    "done and refused": DENIED,
    "slow": slow(0.01),
}


@pytest.mark.parametrize(
    "fault", [pytest.param(name, marks=() if name == "reply lost" else pytest.mark.nightly) for name in FAULTS]
)
def test_requests_that_fail_now_and_then_lose_and_double_nothing(cloud, describe, rows, fault):
    with cloud.proxy.failing(one_in(2, 0, FAULTS[fault])):
        *_, (store, sweep) = live(cloud.uri, describe, rows)
        assert cloud.proxy.struck > 50
    examine(store, sweep, cloud)
    assert len(store.sweeps()) == 1


@pytest.mark.nightly
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("shift", range(4))
def test_every_single_request_may_fail(cloud, describe, rows, shift):
    """Each of them once, in one of the ways."""
    with cloud.proxy.failing(lambda request: None):
        *_, last = live(cloud.uri, describe, rows)
        requests = len(cloud.proxy.seen)
    last[0].remove(last[1])
    for number in range(shift, requests, 4):
        fault = list(FAULTS.values())[(number // 4 + shift) % 4]
        with cloud.proxy.failing(one_in(10**6, number, fault)):
            *_, (store, sweep) = live(cloud.uri, describe, rows)
        examine(store, sweep, cloud)
        store.remove(sweep)


def test_an_object_store_that_stays_away_is_one_sentence_and_what_was_published_stays(cloud, describe, rows):
    store = Store.open(cloud.uri, create=True)
    sweep = store.create_sweep(describe(), b"")
    writer = Writer(sweep, sweep.claim(), interval_s=60)
    writer.add("curves", rows.curve(0, [0], loss=[1.0]))
    writer.flush()
    with cloud.proxy.failing(lambda request: REFUSED if request.method == "PUT" else None):
        sweep.disk._bucket.backoff = Backoff(most_s=0.1)
        writer.add("curves", rows.curve(0, [1], seq=1, loss=[1.0]))
        with pytest.raises(StoreError, match=r"answered 503 .MadeUp.; see to the network") as caught:
            writer.flush()
    assert "\n" not in str(caught.value)
    with pytest.raises(StoreError):
        writer.close()
    assert count(store, sweep) == (1, 1)


def test_one_of_two_that_claim_at_once_is_the_owner(cloud, describe):
    store = Store.open(cloud.uri, create=True)
    sweep = store.create_sweep(describe(), b"")
    other = Store.open(cloud.uri).find()
    owners = []

    def meanwhile(request):
        if request.conditional and "_owner" in request.path and not owners:
            owners.append("about to")
            owners[0] = other.claim()

    with cloud.proxy.failing(meanwhile), pytest.raises(StoreError, match="is being run by process"):
        sweep.claim()
    assert owners == [1]
    assert sweep.visible_files().manifest.sealed == {}


def test_a_conflict_is_tried_again_and_a_race_is_lost_once(cloud, describe):
    store = Store.open(cloud.uri, create=True)
    sweep = store.create_sweep(describe(), b"")
    with cloud.proxy.failing(lambda request: CONFLICT if request.conditional and request.number < 20 else None):
        assert sweep.claim() == 1
        assert cloud.proxy.struck > 0
    assert sweep.owner_alive()


def hurried(store):
    return Store(path=store.path, disk=store.disk.with_backoff(Backoff(most_s=0)))


def refused_from(number):
    return lambda request: REFUSED if request.number >= number else None


def test_a_sweep_that_was_half_made_does_not_show(cloud, describe):
    for left in itertools.count(3, 2):
        store = Store.open(f"{cloud.uri}/{left}", create=True)
        with suppress(StoreError), cloud.proxy.failing(refused_from(left)):
            made = hurried(store).create_sweep(describe(), b"")
            break
        assert store.sweeps() == []
        after = store.create_sweep(describe(), b"")
        assert store.sweeps() == [after]
    assert left > 8
    assert store.sweeps() == [made]


def test_a_sweep_that_was_half_removed_does_not_show(cloud, describe):
    store = Store.open(cloud.uri, create=True)
    made = store.create_sweep(describe(), b"")
    for left in itertools.count(2):
        with suppress(StoreError), cloud.proxy.failing(refused_from(left)):
            hurried(store).remove(made)
            break
        for sweep in store.sweeps():
            assert sweep.code() == b""
            assert sweep.state() == "interrupted"
    assert left > 3
    assert store.sweeps() == []
    again = store.create_sweep(describe(), b"")
    assert store.sweeps() == [again]
    assert not [key for key in cloud.objects() if made.id in key]


def test_a_note_on_a_sweep_that_is_in_use_deletes_nothing(cloud, describe, monkeypatch):
    store = Store.open(cloud.uri, create=True)
    sweep, other = store.create_sweep(describe(), b""), store.create_sweep(describe(), b"")
    sweep.claim()
    for one in (sweep, other):
        store.disk.create(store.path / f"_new-{one.path.name}", b"\nsweep.json\ncode.zip\n_manifest/000000.json")
    assert store.sweeps() == []
    monkeypatch.setattr("caviar.store.disk.objects.STALE_S", -10.0)
    made = store.create_sweep(describe(), b"")
    assert store.sweeps() == sorted([sweep, made], key=lambda one: one.id, reverse=store.sweeps()[0] == made)
    assert sweep.code() == b""


@pytest.mark.parametrize("uri", ["s3://key:{}@bucket/x", "s3://bucket/x?secret={}", "gs://bucket/x#{}"])
def test_a_uri_holds_no_secret(uri):
    with pytest.raises(SpecError, match="no credentials") as caught:
        Store.open(uri.format(SECRET))
    assert SECRET not in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("uri", "sentence"),
    [
        ("http://host/x", r"got http://host/x"),
        ("s3://", "bucket's name"),
        ("s3://Bucket!/x", "bucket's name"),
        ("s3://bucket/../x", "prefix is of letters"),
        ("s3://bucket/a b", "prefix is of letters"),
        ("s3://bucket//x", "prefix is of letters"),
    ],
)
def test_a_uri_has_rules(uri, sentence):
    with pytest.raises(SpecError, match=sentence):
        Store.open(uri)


def test_what_is_not_there_is_named(cloud, monkeypatch):
    with pytest.raises(NotFoundError, match=f"no store at {cloud.uri}"):
        Store.open(cloud.uri)
    with pytest.raises(StoreError, match=r"Cannot create s3://no-such-bucket/x: there is no such bucket; make it"):
        Store.open("s3://no-such-bucket/x", create=True)
    with pytest.raises(StoreError, match="there is no such bucket"):
        Store.open("s3://no-such-bucket")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setattr(Bucket, "backoff", Backoff(most_s=0.2))
    with pytest.raises(StoreError, match="no connection to the object store; see to the network and the endpoint"):
        Store.open(cloud.uri)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/none")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/none")
    with pytest.raises(StoreError, match="no credentials were found for s3"):
        Store.open(cloud.uri)


@pytest.mark.parametrize(
    "value",
    ["minio.local", "minio.local:9000", "http://127.0.0.1:port", "http://", "ftp://host", "http://a b", "//host"],
)
@pytest.mark.parametrize("name", ["AWS_ENDPOINT_URL", "AWS_ENDPOINT", "AWS_ENDPOINT_URL_S3"])
def test_an_endpoint_that_is_no_address_is_one_sentence(cloud, monkeypatch, name, value):
    monkeypatch.setenv(name, value)
    with pytest.raises(StoreError, match=f"{name} must be an address such as https://host:9000, got ") as caught:
        Store.open(cloud.uri)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("config", ["[profile other]\n", "[profile", "no file of AWS's"])
def test_settings_of_aws_that_are_wrong_are_one_sentence(cloud, monkeypatch, tmp_path, config):
    (tmp_path / "config").write_text(config)
    for key in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(key)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/none")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_PROFILE", "misspelt")
    with pytest.raises(StoreError, match="AWS's settings cannot be used") as caught:
        Store.open(cloud.uri)
    assert "\n" not in str(caught.value)


def test_a_copy_of_a_folder_is_a_store(cloud, store, describe):
    """What was written to a file system is read from a bucket to which it was copied."""
    sweep = store.create_sweep(describe(), b"code")
    files = [path for path in store.path.rglob("*") if path.is_file()]
    target = SweepDir(path=Store.open(cloud.uri, create=True).path).path
    disk = Store.open(cloud.uri).disk
    disk.publish([(target / path.relative_to(store.path), path.read_bytes()) for path in files])
    assert [found.id for found in Store.open(cloud.uri).sweeps()] == [sweep.id]
    assert Store.open(cloud.uri).find().code() == b"code"
