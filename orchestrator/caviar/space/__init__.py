"""The search space: parameters on their scales, and the one map from unit points to configurations."""

from caviar.space.choice import Choice, Kind
from caviar.space.float_parameter import Float
from caviar.space.int_parameter import Int
from caviar.space.name import RESERVED_NAMES, RESERVED_PREFIXES
from caviar.space.parameter import Parameter, parameter_from_json
from caviar.space.scale import SCALES, Scale
from caviar.space.space import Space
from caviar.space.spelling import did_you_mean

__all__ = [
    "RESERVED_NAMES",
    "RESERVED_PREFIXES",
    "SCALES",
    "Choice",
    "Float",
    "Int",
    "Kind",
    "Parameter",
    "Scale",
    "Space",
    "did_you_mean",
    "parameter_from_json",
]
