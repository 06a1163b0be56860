"""Sampling without feedback: unit points and seeds, pure functions of sweep seed and trial number."""

from caviar.sampling.grid import Grid, GridSampler
from caviar.sampling.identity import check_identity
from caviar.sampling.sampler import SAMPLERS, Sampler, make_sampler
from caviar.sampling.seeds import trial_seeds
from caviar.sampling.sobol import SobolSampler
from caviar.sampling.uniform import RandomSampler

__all__ = [
    "SAMPLERS",
    "Grid",
    "GridSampler",
    "RandomSampler",
    "Sampler",
    "SobolSampler",
    "check_identity",
    "make_sampler",
    "trial_seeds",
]
