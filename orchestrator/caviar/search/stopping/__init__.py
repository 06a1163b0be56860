"""Early stopping: pure policies that decide, from the rows that trials report, which trials go on."""

from caviar.search.stopping.asha import ASHA
from caviar.search.stopping.divergence import BY as DIVERGENCE
from caviar.search.stopping.divergence import DivergencePolicy
from caviar.search.stopping.explanation import sentence
from caviar.search.stopping.extrapolate import Extrapolate
from caviar.search.stopping.guard import Alarm, Guard, GuardWatch, guard_from_json
from caviar.search.stopping.hyperband import Hyperband
from caviar.search.stopping.median import MedianStop
from caviar.search.stopping.patience import Patience
from caviar.search.stopping.pbt import PBT
from caviar.search.stopping.policy import Judgement, Stopping, StopPolicy
from caviar.search.stopping.registry import KINDS, PAUSING, parse_stopping, stopping_text

__all__ = [
    "ASHA",
    "DIVERGENCE",
    "KINDS",
    "PAUSING",
    "PBT",
    "Alarm",
    "DivergencePolicy",
    "Extrapolate",
    "Guard",
    "GuardWatch",
    "Hyperband",
    "Judgement",
    "MedianStop",
    "Patience",
    "StopPolicy",
    "Stopping",
    "guard_from_json",
    "parse_stopping",
    "sentence",
    "stopping_text",
]
