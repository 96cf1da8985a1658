"""What every scorer keeps, over ours on takes of known truth; tests/test_scorers.py tries them on random ones."""

from simulator.scoring.scorer import DEFAULT_SCORERS
from simulator.testing import scorer_contract

TestOurScorers = scorer_contract([{"kind": kind} for kind in DEFAULT_SCORERS])
