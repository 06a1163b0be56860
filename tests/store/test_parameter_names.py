"""Names that become columns of the store."""

import pytest

from caviar.errors import SpecError
from caviar.space import RESERVED_NAMES, RESERVED_PREFIXES, Float, Space
from caviar.store.storable import check_names
from caviar_workers.config_form import nested


def space_with(*names):
    return Space({name: Float(0, 1) for name in names})


@pytest.mark.parametrize("name", ["lr", "learning rate", "β", "lastly", "x" * 128, "select", "a.b", '"'])
def test_ordinary_names_are_allowed(name):
    assert space_with(name).names == (name,)


@pytest.mark.parametrize("name", sorted(RESERVED_NAMES))
def test_one_that_is_called_as_a_column_of_the_store_is_kept_in_a_room(name):
    for spelling in (name, name.upper()):
        space = space_with(spelling, "lr")
        assert space.names == (f"config.{spelling}", "lr")
        assert nested(dict.fromkeys(space, 1)) == {spelling: 1, "lr": 1}, "train gets it by its own name"
        assert Space.from_json(space.to_json()) == space
        with pytest.raises(SpecError, match="differ without regard to case"):
            space_with(name, name.upper())


@pytest.mark.parametrize("name", sorted(RESERVED_NAMES))
def test_columns_of_the_store_are_no_names_of_columns(name):
    with pytest.raises(SpecError, match="is a column of the store; rename it"):
        check_names([name])


@pytest.mark.parametrize("prefix", RESERVED_PREFIXES)
def test_prefixes_of_the_store_are_reserved_in_any_case(prefix):
    for name in (f"{prefix}lr", f"{prefix}lr".upper()):
        with pytest.raises(SpecError, match=f"must not begin with '{prefix}', got '{name}'"):
            space_with(name)


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("", "must not be empty, got ''"),
        ("x" * 129, "at most 128 characters, got 129"),
        ("a\nb", r"no control characters, got 'a\\nb'"),
        ("a\x00", r"no control characters, got 'a\\x00'"),
        ("\x1b[31m", "no control characters"),
        ("\ud800", r"no control characters, got '\\ud800'"),
        (3, r"must be text, got 3 \(int\)"),
    ],
)
def test_other_names_are_refused(name, sentence):
    with pytest.raises(SpecError, match=sentence):
        space_with(name)


def test_names_that_differ_only_in_case_collide():
    with pytest.raises(SpecError, match="differ without regard to case, got 'lr' and 'LR'"):
        space_with("lr", "beta", "LR")
