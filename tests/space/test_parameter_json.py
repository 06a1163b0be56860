"""Reading parameters back: what is not understood is refused, not guessed."""

import pytest

from caviar.errors import SpecError
from caviar.space import Float, parameter_from_json


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        ({"type": "flaot", "low": 0, "high": 1}, r"no type 'flaot'; did you mean 'float'\?"),
        ({"low": 0, "high": 1}, r"no type None; choose from"),
        ({"type": ["float"]}, r"no type \['float'\]"),
        ({"type": "float", "low": 0}, r"needs the field 'high', got only \['low'\]"),
        ({"type": "float", "low": 0, "high": 1, "base": 2}, r"no field 'base'; choose from"),
        ({"type": "int", "low": 0, "high": 9, "scael": "log"}, r"no field 'scael'; did you mean 'scale'\?"),
        ({"type": "choice"}, r"needs the field 'options'"),
        ({"type": "choice", "options": "abc"}, r"needs a list of options, got 'abc'"),
        ([1, 2], r"an object with a type, got \[1, 2\]"),
    ],
)
def test_malformed_json_is_refused(data, sentence):
    with pytest.raises(SpecError, match=sentence):
        parameter_from_json(data)


def test_scale_and_kind_may_be_left_out():
    assert parameter_from_json({"type": "float", "low": 0, "high": 1}) == Float(0, 1)
