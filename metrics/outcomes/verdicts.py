"""Outcomes that others decide: a judge, or a world.

A world decides of calls and state by its own verdict; its words are looked for in what the agent said.
"""

import re
from collections.abc import Sequence

from metrics.outcomes.seen import OutcomeFinding, Seen, Within
from metrics.outcomes.words import chosen, shown_spots, spots, unknown_speech
from simulator.judging.calibration import why_not_believed
from simulator.judging.rubric import Criterion
from simulator.judging.sentence import criterion_of
from simulator.reading.outcomes import JudgeOutcome, WorldOutcome
from simulator.speaking.numbers import text_in_digits
from simulator.world.record import WorldVerdict


def judged(outcome: JudgeOutcome, seen: Seen) -> OutcomeFinding:
    """Ask the scenario's judge; undefined where it gives no verdict."""
    if seen.sitting is None:
        return OutcomeFinding(met=None, reason="the scenario names no judge")
    ballot = seen.sitting.ballot(criterion_of(outcome), outcome.votes)
    met = ballot.met()
    reason = ballot.problem or "" if met is None else ""
    return OutcomeFinding(met=met, evidence=ballot.evidence(seen.session.duration, met), reason=reason)


def succeeded(_outcome: WorldOutcome, seen: Seen) -> OutcomeFinding:
    """Whether calls and state are as the world wants them, and the agent said what it had to, in which way it had to.

    Undefined where words are not known, and where the way is left, of which nobody can tell but a judge.
    """
    verdict = seen.world.verdict if seen.world is not None else None
    if verdict is None:
        return OutcomeFinding(met=None, reason="the session's world has no verdict of its own")
    if verdict.reward < 1:
        label = f"calls and state: {verdict.reward:g} of 1 ({', '.join(verdict.basis)})"
        return OutcomeFinding(met=False, evidence=[seen.whole(label)])
    said = _communicated(verdict, seen)
    return _judged(verdict.language, seen) if said.met and verdict.language else said


def _judged(criteria: Sequence[str], seen: Seen) -> OutcomeFinding:
    """Whether the scenario's judge finds all of them; one that may not gate is asked nothing."""
    sitting, count = seen.sitting, len(criteria)
    if sitting is None:
        return OutcomeFinding(met=None, reason=f"{count} criteria of language need a judge, the first: {criteria[0]}")
    ballots = []
    for criterion in [Criterion(criterion=text) for text in criteria]:
        doubt = why_not_believed(sitting.spec, criterion)
        if doubt is not None:
            return OutcomeFinding(
                met=None, reason=f"of {count} criteria of language the first needs a judge whose word counts: {doubt}"
            )
        ballots.append(sitting.ballot(criterion))
    verdicts = [ballot.met() for ballot in ballots]
    met = False if False in verdicts else None if None in verdicts else True
    deciding = [ballot for ballot, verdict in zip(ballots, verdicts, strict=True) if verdict == met]
    evidence = [item for ballot in deciding for item in ballot.evidence(seen.session.duration, met)]
    return OutcomeFinding(met=met, evidence=evidence, reason=(deciding[0].problem or "") if met is None else "")


def _communicated(verdict: WorldVerdict, seen: Seen) -> OutcomeFinding:
    """Whether the agent said every text that it had to: in any case, commas and the spelling of numbers aside."""
    window = Within(start=0, end=seen.session.duration + 1)
    transcripts = chosen(seen, "agent", "both") if verdict.communicate else []
    found = {text: spots(transcripts, pattern_of(text), window) for text in verdict.communicate}
    missing = [text for text, places in found.items() if not places]
    if not missing:
        return OutcomeFinding(met=True, evidence=shown_spots("agent", [places[0] for places in found.values()]))
    unknown = unknown_speech(seen, "agent", transcripts[:1], window)
    if unknown:
        return OutcomeFinding(met=None, reason=unknown)
    return OutcomeFinding(met=False, evidence=[seen.whole(f"the agent did not say {missing[0]!r}")])


def pattern_of(text: str) -> str:
    """Give the pattern that finds a text, whose numbers may have been said in words, and written with commas."""
    plain = text_in_digits(text.replace(",", ""))
    return r"\W+".join(re.escape(word) for word in plain.split())
