"""Outcomes on the talk itself: who ends it, how many turns there are, what becomes of an interruption."""

from metrics.outcomes.seen import OutcomeFinding, Seen
from metrics.outcomes.words import what_follows
from simulator.floor.yields import barge_ins
from simulator.reading.outcomes import EndsOutcome, RecoversOutcome, TurnsOutcome
from simulator.score import Evidence


def ends(outcome: EndsOutcome, seen: Seen) -> OutcomeFinding:
    """Whether a party hung up, in time."""
    for event in seen.session.by_type.get("hung_up", ()):
        label = f"the {event.party} hung up at {seen.seconds(event.at):.2f} s"
        at = min(event.at, seen.session.duration)
        evidence = [Evidence(start=at, end=at, party=event.party, label=label)]
        in_time = outcome.before is None or event.at < outcome.before.samples(seen.rate)
        return OutcomeFinding(met=event.party == outcome.ends and in_time, evidence=evidence)
    return OutcomeFinding(
        met=False, evidence=[seen.whole(f"nobody hung up in {seen.seconds(seen.session.duration):.2f} s")]
    )


def turns(outcome: TurnsOutcome, seen: Seen) -> OutcomeFinding:
    """Whether parties took as many turns as they should: as `latency` counts them, backchannels and asides aside."""
    found = {party: seen.floor.side(party).turns for party in outcome.turns}
    met = all(count.holds(len(found[party])) for party, count in outcome.turns.items())
    label = ", ".join(f"the {party} took {len(taken)}" for party, taken in found.items())
    return OutcomeFinding(met=met, evidence=[seen.whole(label)])


def recovers(outcome: RecoversOutcome, seen: Seen) -> OutcomeFinding:
    """Whether the agent stopped at the user's n-th barge-in and went on with what the user now wants."""
    cases = barge_ins(seen.floor)
    if len(cases) < outcome.number:
        return OutcomeFinding(met=None, reason=f"the user barged in {len(cases)} times, not {outcome.number}")
    case = cases[outcome.number - 1]
    if case.outcome == "talked through":
        label = f"the agent talked through the interruption at {seen.seconds(case.by.start):.2f} s"
        return OutcomeFinding(
            met=False, evidence=[Evidence(start=case.by.start, end=case.stop, party="agent", label=label)]
        )
    return what_follows(outcome, seen, case.stop, case.by.end)
