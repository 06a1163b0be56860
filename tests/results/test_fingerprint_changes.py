"""What two fingerprints have not in common."""

from dataclasses import replace

from caviar.results.fingerprint_changes import changes
from caviar_workers.messages import DataDigest, Fingerprint, Machine

THEN = Fingerprint(
    host="a",
    machine=Machine(python="3.11.9", cpu="EPYC 9654", cores=8, gpus=("H200", "H200"), cudnn="90100"),
    distributions={"numpy": "2.1", "torch": "2.4"},
    data=DataDigest(sha256="aa", bytes=8),
)


def test_the_same_on_another_host_has_not_changed() -> None:
    assert changes(THEN, replace(THEN, host="b")) == ()


def test_each_change_is_named_with_what_it_was() -> None:
    machine = replace(THEN.machine, python="3.12.1", gpus=("H200",), cudnn="90200")
    now = replace(
        THEN,
        machine=machine,
        distributions={"numpy": "2.2", "scipy": "1.17"},
        data=DataDigest(sha256="bb", bytes=8),
    )
    assert changes(THEN, now) == (
        "data",
        "numpy 2.1 → 2.2",
        "torch 2.4 is gone",
        "scipy 1.17 is new",
        "Python 3.11.9 → 3.12.1",
        "GPU H200, H200 → H200",
        "cuDNN 90100 → 90200",
    )


def test_what_one_of_them_does_not_know_has_not_changed() -> None:
    unknown = Fingerprint(host="b", data=DataDigest(why="it is larger than 1,024 MiB"))
    assert changes(THEN, unknown) == changes(unknown, THEN) == ()
