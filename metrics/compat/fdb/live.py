"""Scorers of Full-Duplex-Bench whose judge is asked about sessions of ours, one after the other."""

from typing import Any

from metrics.compat.as_scorer import AsScorer
from simulator.cassettes.cassette import Cassette
from simulator.score import Score
from simulator.session import Session


class LiveJudging:
    """Scores sessions by a judge that is opened with the first. used: what it was asked and answered so far."""

    def __init__(self, spec: AsScorer) -> None:
        self.used: list[Cassette] = []
        self.definitions = spec.definitions
        self._spec = spec
        self._judge: Any = None

    def score(self, session: Session) -> list[Score]:
        """Score one session: one score per definition; undefined ones say why."""
        if self._judge is None:
            self._judge = self._spec.prepare()
        scores = self._spec.scores(self._spec.measure_session(session, self._judge))
        self.used = [] if self._judge is None else self._judge.used
        return scores
