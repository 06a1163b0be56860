"""Sampling without feedback: unit points and seeds, pure functions of sweep seed and trial number."""

from caviar.search.samplers.accepted_points import AcceptedPoints, Constraint
from caviar.search.samplers.grid import Grid, GridSampler
from caviar.search.samplers.halton import HaltonSampler
from caviar.search.samplers.listed import List, ListSampler, typed
from caviar.search.samplers.random import RandomSampler
from caviar.search.samplers.registry import (
    SAMPLERS,
    USUAL_TRIALS,
    make_sampler,
    read_sampler,
    sampler_json,
    usual_trials,
)
from caviar.search.samplers.sampler import Sampler, check_identity
from caviar.search.samplers.seeds import trial_seeds, trials_with
from caviar.search.samplers.sobol import SobolSampler

__all__ = [
    "SAMPLERS",
    "USUAL_TRIALS",
    "AcceptedPoints",
    "Constraint",
    "Grid",
    "GridSampler",
    "HaltonSampler",
    "List",
    "ListSampler",
    "RandomSampler",
    "Sampler",
    "SobolSampler",
    "check_identity",
    "make_sampler",
    "read_sampler",
    "sampler_json",
    "trial_seeds",
    "trials_with",
    "typed",
    "usual_trials",
]
