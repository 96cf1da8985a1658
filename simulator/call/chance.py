"""Chance: one seed a session, and a generator of its own for every actor, injector and channel."""

import numpy as np

from simulator.events import PARTIES, Party

ACTORS, INJECTORS, CHANNELS, DRAWINGS = 0, 1, 2, 3
"""Groups of generators. The numbers are part of what a seed means: another order is another session."""


def generator(seed: int, group: int, party: Party, index: int = 0) -> np.random.Generator:
    """Spawn a generator from the session's seed by group, party and position."""
    return np.random.default_rng([seed, group, PARTIES.index(party), index])


def drawing(seed: int, index: int = 0) -> np.random.Generator:
    """Spawn a generator for what is drawn beside sessions: resamples of what they came to."""
    return np.random.default_rng([seed, DRAWINGS, index])
