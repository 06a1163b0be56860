"""The search space: parameters on their scales, and the one map from unit points to configurations."""

from caviar.errors import did_you_mean
from caviar.space.advice import repeat_advice, scale_advice
from caviar.space.choice import Choice, Kind
from caviar.space.constant import Constant
from caviar.space.float_parameter import Float
from caviar.space.int_parameter import Int
from caviar.space.parameter import FIELDS, Parameter, editable_range, live_range, parameter_from_json
from caviar.space.prior import Prior
from caviar.space.scale import SCALES, Scale
from caviar.space.space import Space
from caviar.space.terms import NO_DEFAULT
from caviar.space.tiers import check_listed, held_at, hold_lower_tiers
from caviar.store.storable import RESERVED_PREFIXES
from caviar_workers.tables import RESERVED_NAMES

__all__ = [
    "FIELDS",
    "NO_DEFAULT",
    "RESERVED_NAMES",
    "RESERVED_PREFIXES",
    "SCALES",
    "Choice",
    "Constant",
    "Float",
    "Int",
    "Kind",
    "Parameter",
    "Prior",
    "Scale",
    "Space",
    "check_listed",
    "did_you_mean",
    "editable_range",
    "held_at",
    "hold_lower_tiers",
    "live_range",
    "parameter_from_json",
    "repeat_advice",
    "scale_advice",
]
