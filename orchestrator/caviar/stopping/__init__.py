"""Early stopping: pure policies that decide, from published rows, which trials go on."""

from caviar.stopping.asha import ASHA
from caviar.stopping.divergence import BY as DIVERGENCE
from caviar.stopping.divergence import StopOnDivergence
from caviar.stopping.extrapolate import Extrapolate
from caviar.stopping.hyperband import Hyperband
from caviar.stopping.judgement import Judgement
from caviar.stopping.median import MedianStop
from caviar.stopping.patience import Patience
from caviar.stopping.policy import Stopping, StopPolicy
from caviar.stopping.sentence import sentence
from caviar.stopping.spelling import KINDS, PAUSING, parse_stopping, stopping_text

__all__ = [
    "ASHA",
    "DIVERGENCE",
    "KINDS",
    "PAUSING",
    "Extrapolate",
    "Hyperband",
    "Judgement",
    "MedianStop",
    "Patience",
    "StopOnDivergence",
    "StopPolicy",
    "Stopping",
    "parse_stopping",
    "sentence",
    "stopping_text",
]
