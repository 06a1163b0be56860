"""One way to name a sweep and a trial, in all verbs; what an ambiguous name means to those that read and to others."""

import json
import shutil
from itertools import product

import pytest

from caviar import Result
from caviar.errors import NotFoundError
from caviar.search.samplers import make_sampler
from caviar.store import Store

from ..small_stores import add_digits, make_plan

OF_A_SWEEP = {
    "status": (),
    "best": (),
    "best --family": (),
    "curves": (),
    "plot -o {tmp}/x.svg --force": (),
    "export --to csv -o {tmp}/x.csv --force": (),
    "zoom --dry-run": (),
    "simulate --orders 2": (),
    "store info": (),
    "store check --dry-run": (),
}
OF_A_TRIAL = ("show", "explain", "logs")
READING = (*OF_A_SWEEP, *OF_A_TRIAL, "query")
CHANGING = ("rm --yes", "stop", "store compact", "resume --force")


@pytest.fixture(scope="module")
def twins(tmp_path_factory):
    """Path of a store with two sweeps called twin, and their ids, oldest first."""
    path = tmp_path_factory.mktemp("twins") / "store"
    store = Store.open(path, create=True)
    return str(path), [add_digits(store, make_plan("twin", 8)) for _ in range(2)]


def words(verb, sweep, tmp_path, *, option=False, trial="2"):
    """The command line of a verb on a sweep, named by its place or with --sweep."""
    given = [word.format(tmp=tmp_path) for word in verb.split()]
    if verb == "query":
        return [*given, "select distinct sweep from trials", "--sweep", sweep]
    own = [trial] if verb in OF_A_TRIAL else []
    return [*given, *own, "--sweep", sweep] if option else [*given, sweep, *own]


def as_json(verb, given):
    return given if verb.startswith("plot") else [*given, "--json"]


@pytest.mark.parametrize("verb", READING)
def test_who_reads_takes_the_newest_of_a_name_and_says_so_on_stderr(caviar, twins, tmp_path, verb):
    path, (older, newer) = twins
    given = as_json(verb, words(verb, "twin", tmp_path))
    got = caviar(*given, "--store", path)
    assert got.code == 0, got.err
    assert got.err.splitlines()[0] == f"twin: newest of 2 sweeps, {newer}"
    if not verb.startswith("plot"):
        json.loads(got.out)  # pure
        assert older not in got.out
    exact = caviar(*as_json(verb, words(verb, newer, tmp_path)), "--store", path)
    assert (exact.code, exact.out) == (0, got.out)
    assert "newest of" not in exact.err


@pytest.mark.parametrize(("verb", "ref"), list(product(CHANGING, ["twin", "the year", ""])))
def test_who_changes_refuses_an_ambiguous_name(caviar, twins, tmp_path, verb, ref):
    path, ids = twins
    ref = ids[0][:4] if ref == "the year" else ref
    got = caviar(*words(verb, ref, tmp_path), "--store", path)
    assert (got.code, got.out) == (4, "")
    assert got.err.count("\n") == 1
    if ref:
        assert all(sweep in got.err for sweep in ids)
    assert len(Store.open(path).sweeps()) == 2


def test_resume_goes_on_with_the_newest(caviar, tmp_path):
    store = Store.open(tmp_path / "store", create=True)
    plan = make_plan("twin", 4)
    identity = make_sampler(plan.sampler, plan.space, plan.seed, plan.trials).identity()
    said = {"plan": plan.to_json(), "provenance": {}, "sampler_identity": identity, "program": {"kind": "function"}}
    _, newer = (store.create_sweep(said, b"") for _ in range(2))
    first, second = caviar("resume", "twin", "--store", store.path).err.splitlines()
    assert first == f"twin: newest of 2 sweeps, {newer.id}"
    assert f"{newer.id} was started from functions that live in no file" in second


@pytest.mark.parametrize("verb", READING)
def test_the_option_means_the_same_as_the_place(caviar, filled, tmp_path, verb):
    one, other = (
        caviar(*as_json(verb, words(verb, "digits", tmp_path, option=option)), "--store", filled.path)
        for option in (False, True)
    )
    assert (one.code, one.out) == (0, other.out)


@pytest.mark.parametrize(("verb", "trial"), list(product(OF_A_TRIAL, ["t2", "2"])))
def test_a_trial_is_named_with_or_without_a_t(caviar, filled, tmp_path, verb, trial):
    given = words(verb, "digits", tmp_path, trial=trial)
    assert json.loads(caviar(*given, "--json", "--store", filled.path).out)["trial"] == 2


@pytest.mark.parametrize("verb", ["status", "rm --yes", "stop", "store compact", "best", "curves"])
def test_two_sweeps_are_one_too_many(caviar, filled, verb):
    for more in (["later"], ["--sweep", "later"]):
        got = caviar(*verb.split(), "digits", *more, "--store", filled.path)
        assert (got.code, got.out) == (2, "")
        assert got.err.count("\n") == 1


@pytest.mark.parametrize("verb", OF_A_TRIAL)
@pytest.mark.parametrize(
    "given", [["2", "digits"], ["digits"], ["a", "2", "3"], [], ["digits", "2", "--sweep", "later"]]
)
def test_a_wrong_way_to_name_a_trial_is_one_sentence(caviar, filled, verb, given):
    got = caviar(verb, *given, "--store", filled.path)
    assert (got.code, got.out) == (2, "")
    assert got.err.count("\n") == 1


def test_who_follows_a_trial_stays_with_its_sweep(caviar, twins):
    path, (_, newer) = twins
    assert caviar("logs", "twin", "2", "--follow", "--store", path).err == f"twin: newest of 2 sweeps, {newer}\n"


def test_rm_and_its_option(caviar, twins, tmp_path):
    path, (older, newer) = twins
    own = shutil.copytree(path, tmp_path / "store")
    assert caviar("rm", "--yes", "--sweep", older, "--store", str(own)).code == 0
    assert [sweep.id for sweep in Store.open(own).sweeps()] == [newer]


def test_python_takes_the_newest_with_a_warning(twins):
    path, (older, newer) = twins
    with pytest.warns(UserWarning, match=f"twin: newest of 2 sweeps, {newer}"):
        assert Result(path, "twin").id == newer
    assert Result(path, older).id == older
    with pytest.raises(NotFoundError):
        Result(path, "twain")


@pytest.mark.parametrize("verb", [*OF_A_SWEEP, *OF_A_TRIAL, "query", *CHANGING])
@pytest.mark.parametrize("cut", [slice(0, 1), slice(0, 3), slice(-1, None), slice(-3, None)], ids=str)
def test_a_few_characters_name_no_sweep(caviar, tmp_path, verb, cut):
    path = tmp_path / "store"
    sweep = Store.open(path, create=True).create_sweep({"plan": make_plan("x", 8).to_json(), "provenance": {}}, b"").id
    got = caviar(*words(verb, sweep[cut], tmp_path), "--store", str(path))
    assert (got.code, got.out) == (4, "")
    assert "at least" in got.err
    assert sweep in got.err
    assert [one.id for one in Store.open(path).sweeps()] == [sweep]


def test_an_end_of_four_characters_names_a_sweep_and_a_short_name_does_too(tmp_path):
    store = Store.open(tmp_path / "store", create=True)
    plan = make_plan("7", 8)
    sweep = store.create_sweep({"plan": plan.to_json(), "provenance": {}}, b"")
    for ref in ("7", sweep.id[-4:], sweep.id[:4], sweep.id[:13]):
        assert [one.id for one in store.named(ref)] == [sweep.id]
