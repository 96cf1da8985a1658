"""Stops in steady noise: an agent that cuts itself off although nobody but the noise spoke to it."""

from metrics.card import card, per_minute
from simulator.floor.floor import Floor
from simulator.floor.yields import YIELD_WITHIN_S, was_cut
from simulator.score import Evidence, Score, from_parts, undefined
from simulator.session import Session
from simulator.timeline import Timeline

STEADY = "noise"
"""The kind of channel whose sound is there from the first sample to the last."""

STEADY_STOPS = per_minute(
    "selectivity.steady_noise_stops_per_min",
    "Stops in steady noise",
    "lower",
    card(
        """How often per minute of the session the agent cut itself off although there was nothing to hear but steady
            noise (a `noise` channel on the line to the agent).""",
        """A stop: the agent's hold of the floor ends and its utterance was cut, by its own events or the far end's
            account of its audio (`audio_end`), and in the 2 s before nobody spoke: not the user in any role, no
            background talker, no noise burst. What the end of the session cuts off is no stop.""",
        """Undefined when there is no steady noise on the line to the agent, or the agent spoke and nobody told of any
            of its speech how it ended. Pooled: stops over minutes.""",
        """Others: none counts it; a barge-in score sees only what the agent does while the user speaks.""",
    ),
    "this project",
)


def steady_noise_stops(session: Session, floor: Floor) -> Score:
    """Count the stops of a session."""
    if not any(channel.get("kind") == STEADY for channel in session.meta.lines.get("user_to_agent", ())):
        return undefined(STEADY_STOPS, "no steady noise on what the agent heard")
    ends = [(hold, was_cut(floor, hold)) for hold in floor.agent.holds]
    if ends and all(cut is None for _, cut in ends):
        return undefined(STEADY_STOPS, "nobody told whether the agent's speech was cut or over")
    besides = _besides_noise(session, floor)
    reach = floor.samples(YIELD_WITHIN_S)
    stops = [
        hold
        for hold, cut in ends
        if cut and not floor.cut_off(hold.until) and not besides.covered(max(0, hold.until - reach), hold.until)
    ]
    evidence = [Evidence(start=hold.start, end=hold.end, party="agent", label="stopped") for hold in stops]
    parts = {"count": len(stops), "of": floor.minutes, "n": len(stops)}
    return from_parts(STEADY_STOPS, parts, evidence, reason="the session has no length")


def _besides_noise(session: Session, floor: Floor) -> Timeline:
    """Where there was something to hear beside the noise: the user, and what the line told of."""
    on_line = [
        (event.at, int(event.data["until"]))
        for type_ in ("talker", "noise_burst")
        for event in session.by_type.get(type_, ())
        if event.data.get("direction", "user_to_agent") == "user_to_agent" and "until" in event.data
    ]
    return floor.user.ipus | floor.user.told | Timeline(on_line)
