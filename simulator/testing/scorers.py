"""The scorer suite: what reports, pooled values and gates rely on, whatever is measured."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from simulator.score import Score, add_parts, from_parts, value_of
from simulator.scoring.scorer import AnyScorer, Scorer, ScorerSpec
from simulator.session import Session
from simulator.spec import decode
from simulator.testing.cases import Case, names_of, over
from simulator.testing.take import Take

Conversation = Callable[[Take], object]
"""Fills a take: says what is said in it."""


def scorer_contract(
    cases: Sequence[Case], *, conversations: Mapping[str, Conversation] | None = None
) -> type["ScorerContract"]:
    """Give the tests that every scorer passes: `TestMine = scorer_contract([{"kind": "mine"}])`.

    conversations: what it is tried on beside the suite's own ones, by name; name some in which its metrics are
    defined, or only the reasons for undefined ones are tried.
    """
    return over(ScorerContract, cases, names_of(cases), conversations={**CONVERSATIONS, **(conversations or {})})


class ScorerContract:
    """Pure; a score per card, in order; undefined has a reason; parts give the value, in a session and pooled."""

    conversations: Mapping[str, Conversation]

    def test_a_score_per_card_in_their_order(self, case: Case, tmp_path: Path) -> None:
        """Whatever the session holds, `score` gives one score for each of `definitions`, all of it plain data."""
        for name, scorer, session in self._tried(case, tmp_path):
            scores = scorer.score(session)
            assert [score.id for score in scores] == list(scorer.definitions), f"on {name!r}"
            for score in scores:
                assert score.unit == scorer.definitions[score.id].unit, f"{score.id} has the unit {score.unit!r}"
            msgspec.json.encode(scores)

    def test_its_cards_are_known_before_it_runs(self, case: Case, tmp_path: Path) -> None:
        """A scorer is built without I/O and without a session: what it measures is told by `simulate explain`."""
        spec = _spec(case)
        known = {card.id for card in getattr(spec, "cards", ())}
        assert set(spec.build().definitions) <= known or not known, "a metric has no card among the spec's `cards`"

    def test_the_same_session_has_the_same_scores(self, case: Case, tmp_path: Path) -> None:
        """Scoring is a pure function: again, by another one just built, and after other sessions."""
        tried = self._tried(case, tmp_path)
        first = [scorer.score(session) for _, scorer, session in tried]
        shared = _spec(case).build()
        again = [shared.score(session) for _, _, session in reversed(tried)][::-1]
        assert first == again, "a session has other scores when others were scored before it"

    def test_undefined_has_a_reason(self, case: Case, tmp_path: Path) -> None:
        """A value that cannot be measured is None with a reason, never made up; a value has none."""
        for name, score in self._scores(case, tmp_path):
            if score.value is None:
                assert score.reason, f"{score.id} is undefined without a reason on {name!r}"

    def test_evidence_lies_in_the_session(self, case: Case, tmp_path: Path) -> None:
        """What a score rests on can be shown: stretches of the session, in samples."""
        for name, scorer, session in self._tried(case, tmp_path):
            for score in scorer.score(session):
                inside = all(0 <= item.start <= item.end <= session.duration for item in score.evidence)
                assert inside, f"{score.id} shows something outside of {name!r}"

    def test_parts_give_the_value_and_add_up(self, case: Case, tmp_path: Path) -> None:
        """A session's parts give its value; those of all sessions, added in any order, give the pooled value."""
        definitions = _spec(case).build().definitions
        by_metric: dict[str, list[Score]] = {}
        for name, score in self._scores(case, tmp_path):
            definition = definitions[score.id]
            alone = from_parts(definition, score.parts, reason="none")
            assert alone.value == score.value, (
                f"the parts of {score.id} give {alone.value}, not {score.value}, on {name!r}"
            )
            assert alone.n == score.n, f"the parts of {score.id} count {alone.n}, not {score.n}, on {name!r}"
            by_metric.setdefault(score.id, []).append(score)
        for metric, scores in by_metric.items():
            parts = [score.parts for score in scores]
            forward, backward = (value_of(definitions[metric], add_parts(order)) for order in (parts, parts[::-1]))
            near = forward == backward or abs((forward or 0) - (backward or 0)) < 1e-9 * max(1, abs(forward or 0))
            assert near, f"{metric} pooled is {forward} or {backward}, as sessions are ordered"

    def _tried(self, case: Case, folder: Path) -> list[tuple[str, Scorer, Session]]:
        return [(name, _spec(case).build(), _session(talk, folder / name)) for name, talk in self.conversations.items()]

    def _scores(self, case: Case, folder: Path) -> list[tuple[str, Score]]:
        return [(name, score) for name, scorer, session in self._tried(case, folder) for score in scorer.score(session)]


def _spec(case: Case) -> ScorerSpec:
    return decode(dict(case), AnyScorer, source="case", folder=Path())


def _session(talk: Conversation, folder: Path) -> Session:
    folder.mkdir(exist_ok=True)
    take = Take(folder / "take")
    talk(take)
    return take.annotated()


def _turns(take: Take) -> None:
    for start in (1.0, 7.0, 13.0):
        take.say("user", start, start + 2.0, pauses=((start + 0.8, start + 1.1),))
        take.say("agent", start + 2.7, start + 5.0)


def _overlaps(take: Take) -> None:
    take.say("user", 1.0, 3.0)
    take.say("agent", 2.6, 6.0, cut=True, planned=9.0)
    take.say("user", 5.0, 7.0, role="interruption")
    take.say("agent", 8.0, 14.0)
    take.say("user", 9.5, 9.9, role="backchannel")
    take.say("user", 11.0, 12.0, role="aside")


def _agent_alone(take: Take) -> None:
    take.say("agent", 1.0, 4.0)


def _heard_only(take: Take) -> None:
    take.sound("user", 1.0, 3.0)
    take.sound("agent", 3.5, 6.0)
    take.sound("user", 5.5, 8.0)


def _nothing(_take: Take) -> None:
    """Nobody says anything."""


CONVERSATIONS: dict[str, Any] = {
    "turns": _turns,
    "overlaps": _overlaps,
    "agent alone": _agent_alone,
    "heard only": _heard_only,
    "nothing": _nothing,
}
"""What every scorer is tried on: told and not told, one party and none, all roles, cut and whole."""
