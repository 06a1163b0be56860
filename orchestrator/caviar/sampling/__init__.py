"""Sampling without feedback: unit points and seeds, pure functions of sweep seed and trial number."""

from caviar.sampling.draws import Constraint, Draws
from caviar.sampling.grid import Grid, GridSampler
from caviar.sampling.halton import HaltonSampler
from caviar.sampling.identity import check_identity
from caviar.sampling.listed import List, ListSampler, typed
from caviar.sampling.sampler import Sampler
from caviar.sampling.seeds import trial_seeds
from caviar.sampling.sobol import SobolSampler
from caviar.sampling.spelling import SAMPLERS, USUAL_TRIALS, make_sampler, read_sampler, sampler_json, usual_trials
from caviar.sampling.uniform import RandomSampler

__all__ = [
    "SAMPLERS",
    "USUAL_TRIALS",
    "Constraint",
    "Draws",
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
    "typed",
    "usual_trials",
]
