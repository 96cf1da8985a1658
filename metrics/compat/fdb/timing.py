"""Full-Duplex-Bench v1.5, timing: how long both speak, and how long the user waits for the agent."""

from collections.abc import Sequence
from typing import ClassVar

from metrics.compat.detection import Spans, merge
from metrics.compat.fdb.scorer import FdbScorer, OpenSample
from metrics.compat.measured import Measured
from simulator.score import Definition
from simulator.scoring.inputs import InputKind

USER_GAP_S = 0.6
AGENT_GAP_S = 0.5
RESPONSE_SLACK_S = 0.6
_DECIMALS = 3

Interval = tuple[float, float]

CARD = """\
Both tracks at 16 kHz (windowed sinc), Silero's defaults; user segments joined over gaps up to 0.6 s,
agent segments up to 0.5 s. Stop intervals: where both speak. Response intervals: from a user segment's
end to the next agent segment that starts later; of several with the same start the shortest. Times
rounded to 1 ms.
The original writes the two lists and aggregates nothing. stop_s.pooled and response_s.pooled are the
mean length over all intervals of the whole files (one third-party reading): the answer to the first
question and talking over it are in. stop_s.event and response_s.event look at the overlap alone
(metadata.json; both are ours): the first stop interval that intersects it, the first response interval
that starts at its end - 0.6 s or later.
compat and strict are the same. Sessions: every interruption, backchannel and aside of the user is an
overlap.
Undefined: no such interval; stereo sound (the original crashes).
Source: Full-Duplex-Bench v1.5, arXiv 2507.23159."""


class TimingSpec(FdbScorer, frozen=True, kw_only=True, tag="fdb:timing"):
    """Stop and response intervals, pooled and at the overlap.

    user_channel: of stereo recordings, 0 or 1.
    """

    user_channel: int = 0

    card: ClassVar[str] = CARD
    table: ClassVar[tuple[Definition, ...]] = (
        Definition(id="stop_s.pooled", unit="s", title="time both speak, all intervals", better="lower"),
        Definition(
            id="response_s.pooled",
            unit="s",
            title="time until the agent speaks, all intervals",
            better="lower",
        ),
        Definition(id="stop_s.event", unit="s", title="time both speak at the overlap", better="lower"),
        Definition(
            id="response_s.event",
            unit="s",
            title="time until the agent speaks after the overlap",
            better="lower",
        ),
    )
    accepts: ClassVar[tuple[InputKind, ...]] = ("fdb", "session", "wav")
    needs_words: ClassVar[bool] = False
    extras: ClassVar[tuple[str, ...]] = (
        "stop_intervals",
        "response_intervals",
        "user_segments",
        "agent_segments",
        "user_vad_samples",
        "agent_vad_samples",
    )

    def measure_sample(self, sample: OpenSample) -> None:
        """Detect both sides and list the intervals."""
        user_found, user_spans = sample.segments("user")
        agent_found, agent_spans = sample.segments("agent")
        user, agent = merge(user_spans, USER_GAP_S), merge(agent_spans, AGENT_GAP_S)
        stops, responses = stop_intervals(user, agent), response_intervals(user, agent)
        sample.measured.shown |= {
            "stop_intervals": stops,
            "response_intervals": responses,
            "user_segments": user,
            "agent_segments": agent,
            "user_vad_samples": user_found,
            "agent_vad_samples": agent_found,
        }
        sample.measured.written["latency_intervals.json"] = {
            "latency_stop_list": stops,
            "latency_resp_list": responses,
        }
        _enter(sample.measured, "stop_s.pooled", stops, "both speak")
        _enter(sample.measured, "response_s.pooled", responses, "the user waits for the agent")
        overlaps = sample.files.overlaps
        if not overlaps:
            sample.measured.undefined(["stop_s.event", "response_s.event"], "no overlap is marked (metadata.json)")
        for overlap in overlaps:
            self._measure_event(sample.measured, overlap, stops, responses)

    def _measure_event(
        self, measured: Measured, overlap: Interval, stops: Sequence[Interval], responses: Sequence[Interval]
    ) -> None:
        start, end = overlap
        stopped = [item for item in stops if item[0] < end and start < item[1]][:1]
        answered = [item for item in responses if item[0] >= end - RESPONSE_SLACK_S][:1]
        _enter(measured, "stop_s.event", stopped, f"both speak at the overlap {start:.3f}-{end:.3f} s")
        _enter(measured, "response_s.event", answered, f"answer to the overlap {start:.3f}-{end:.3f} s")


def stop_intervals(user: Spans, agent: Spans) -> list[Interval]:
    """Give where both speak, by end; of several that end in the same millisecond the shortest."""
    shortest: dict[int, Interval] = {}
    for user_start, user_end in user:
        for agent_start, agent_end in agent:
            start, end = max(user_start, agent_start), min(user_end, agent_end)
            if end <= start:
                continue
            key = round(end * 1000)
            if key not in shortest or end - start < shortest[key][1] - shortest[key][0]:
                shortest[key] = (start, end)
    return [_rounded(item) for item in sorted(shortest.values(), key=lambda item: item[1])]


def response_intervals(user: Spans, agent: Spans) -> list[Interval]:
    """Give from each user segment's end to the next agent start; of several with one start the shortest."""
    latest: dict[int, Interval] = {}
    for _, user_end in user:
        start = next((start for start, _ in agent if start > user_end), None)
        if start is None:
            continue
        key = round(start * 1000)
        if key not in latest or round(user_end, _DECIMALS) > latest[key][0]:
            latest[key] = _rounded((user_end, start))
    return sorted(latest.values(), key=lambda item: item[1])


def _rounded(item: Interval) -> Interval:
    return round(item[0], _DECIMALS), round(item[1], _DECIMALS)


def _enter(measured: Measured, metric: str, intervals: Sequence[Interval], what: str) -> None:
    for start, end in intervals:
        measured.add(metric, end - start)
        measured.place(metric, start, end, what, value=end - start)
        measured.lines.append(f"{what}: from {start:.3f} to {end:.3f} s, {end - start:.3f} s")
    if not intervals:
        measured.undefined([metric], "no such interval")
