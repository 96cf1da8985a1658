"""The `tau` scorer: tau-voice's eight interaction metrics, pooled per domain."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, ClassVar, Literal

import msgspec

from metrics.compat.as_scorer import AsScorer, Sample, corpus_result
from metrics.compat.measured import Measured, skipped
from metrics.compat.options import SegmentSides, read_segments
from metrics.compat.places import Places
from metrics.compat.tau.panel import PanelEvent, counts, panel_events, shares, tally
from metrics.compat.tau.sessions import session_ticks
from metrics.compat.tau.ticks import TICK_S, Simulation, Tick, read_experiment
from simulator.annotation.annotate import annotated
from simulator.errors import ScenarioError, SessionError
from simulator.score import Definition, Score
from simulator.scoring.corpus import CorpusResult
from simulator.scoring.inputs import Input, InputKind, open_session
from simulator.session import Session

CARD = """\
tau-voice's interaction panel (arXiv 2603.13686) over ticks of 0.2 s: u, a = the user, the agent speaks in a
tick.
A last tick in which the user starts to speak is dropped. A run [s, e) is a maximal stretch of ticks of one
side.
response_rate (R_R): user runs that are no backchannel and end in the agent's silence; answered when an agent
run starts before the next such user run does, unanswered when the user is first, else not counted.
response_latency_mean (L_R): agent start - user end. yield_rate (R_Y): interruptions over the agent's speech
after which the agent falls silent within 2 s; yield_latency_mean (L_Y). agent_interruption_rate (I_A): agent
starts over the user's speech per counted turn; may exceed 1. selectivity_*: the agent goes on for 1 s over a
backchannel, a vocal tic or speech to somebody else, and does not answer the latter two within 2 s after they
end.
Rates are pooled over the simulations of a domain (one results.json); several domains: the plain mean of their
values, counts summed, with `<domain>:<metric>` besides. Undefined rates are null.
Quirks kept in mode=compat: a turn with a cough in it counts as an error when the agent answers it; going on
through an insert outside the user's turns is never credited, stopping within 1 s always debited, also when
the agent was done anyway; a turn answered before its end or in the very next tick vanishes. mode=strict drops
the first and credits the second. Our sessions: any sample of speech fills its tick; asides are the speech to
somebody else."""

_RESPONSES, _YIELDS = "user turns that were answered or left unanswered", "interruptions by the user"
_Better = Literal["higher", "lower"]
_PANEL: tuple[tuple[str, str, str, _Better, str], ...] = (
    # id, unit, title, better, what it needs
    ("response_rate", "share", "user turns that were answered", "higher", _RESPONSES),
    (
        "response_latency_mean",
        "s",
        "mean time from the user's end to the answer",
        "lower",
        "answered user turns",
    ),
    ("yield_rate", "share", "interruptions the agent yielded to", "higher", _YIELDS),
    (
        "yield_latency_mean",
        "s",
        "mean time until the agent yielded",
        "lower",
        "interruptions the agent yielded to",
    ),
    ("agent_interruption_rate", "share", "agent starts over the user, per turn", "lower", _RESPONSES),
    (
        "selectivity_backchannel",
        "share",
        "backchannels the agent talked on through",
        "higher",
        "backchannels",
    ),
    ("selectivity_vocal_tic", "share", "vocal tics the agent ignored", "higher", "vocal tics"),
    ("selectivity_non_directed", "share", "speech to others the agent ignored", "higher", "speech to others"),
)
_RATES = {metric for metric, unit, *_ in _PANEL if unit == "share"}
_MEANS = ("response_latency_mean", "yield_latency_mean")
_COUNTS = {
    "counts.n_simulations": "simulations",
    "counts.response_total": _RESPONSES,
    "counts.yield_total": _YIELDS,
    "counts.backchannel_total": "backchannels over the agent's speech",
    "counts.vocal_tic_total": "vocal tics",
    "counts.non_directed_total": "speech to others",
    "counts.agent_interrupts_count": "agent starts over the user",
}


class CorpusReading:
    """What one run of the scorer reads once and keeps: given segments, every sample's place and domain."""

    def __init__(self, segments: Mapping[str, SegmentSides]) -> None:
        """segments: stretches of speech by sample id, instead of annotation."""
        self.segments = segments
        self.places = Places()
        self.domains: list[str] = []


class TauSpec(AsScorer, frozen=True, kw_only=True, tag="tau"):
    """tau-voice's eight interaction metrics, on its experiments or on our sessions.

    tick_s: the grid for our sessions and stereo files; an experiment has its own. segments: stretches of
    speech of sessions instead of annotation. user_channel: the user's channel of a stereo file.
    """

    tick_s: Annotated[float, msgspec.Meta(gt=0, le=2)] = TICK_S
    segments: Path | None = None
    user_channel: Annotated[int, msgspec.Meta(ge=0, le=1)] = 0

    card: ClassVar[str] = CARD
    needs_words: ClassVar[bool] = False
    accepts: ClassVar[tuple[InputKind, ...]] = ("tau", "session", "wav")
    table: ClassVar[tuple[Definition, ...]] = (
        *(
            Definition(
                id=metric,
                unit=unit,
                title=title,
                better=better,
                statistic="fmean" if metric in _MEANS else "ratio",
            )
            for metric, unit, title, better, _ in _PANEL
        ),
        *(Definition(id=metric, unit="count", title=title, statistic="sum") for metric, title in _COUNTS.items()),
    )

    def prepare(self) -> CorpusReading:
        """Read what the options name."""
        return CorpusReading(read_segments(self.segments))

    def measure_each(self, item: Input, given: CorpusReading) -> Sequence[Sample]:
        """Measure every simulation of an experiment, or one session."""
        if item.kind != "tau":
            given.domains.append("sessions")
            return [(given.places.add(item, item.id), self._measured_session(item, given))]
        try:
            experiment = read_experiment(item.path)
        except SessionError as error:
            return self.refused(item, str(error), given)
        given.domains += [experiment.domain] * len(experiment.simulations)
        return [
            (given.places.add(item, one.id), self._measured_simulation(one, experiment.notes))
            for one in experiment.simulations
        ]

    def refused(self, item: Input, reason: str, given: CorpusReading) -> Sequence[Sample]:
        """Keep the place of an input that holds no simulation; it is of no domain."""
        given.domains.append("")
        return [(given.places.add_unreadable(item, reason), skipped(self.table, reason))]

    def measure_session(self, session: Session, given: CorpusReading) -> Measured:
        """Measure one session of ours on the grid of ticks."""
        return self._measured_on_grid(session, given.segments.get(session.id))

    def finish(self, result: CorpusResult, measured: Sequence[Sample], given: CorpusReading) -> CorpusResult:
        """Give samples names of their own, and average over domains where there are several."""
        return by_domain(self, given.places.named_apart(result), measured, given.domains)

    def _measured_simulation(self, one: Simulation, notes: Sequence[str]) -> Measured:
        if not one.ticks:
            return skipped(self.table, "; ".join(one.notes))
        return self._measured_ticks(one.ticks, one.tick_s, Measured(notes=list(notes)))

    def _measured_session(self, item: Input, given: CorpusReading) -> Measured:
        sides = given.segments.get(item.id, SegmentSides())
        try:
            session = open_session(item, self.user_channel)
            if sides.user is None or sides.agent is None:
                session = annotated(session, words=False)
        except (SessionError, ScenarioError) as error:
            return skipped(self.table, str(error))
        return self._measured_on_grid(session, sides)

    def _measured_on_grid(self, session: Session, sides: SegmentSides | None) -> Measured:
        into = Measured(sample_rate=session.sample_rate, notes=list(session.notes))
        return self._measured_ticks(session_ticks(session, self.tick_s, sides), self.tick_s, into)

    def _measured_ticks(self, ticks: Sequence[Tick], tick_s: float, measured: Measured) -> Measured:
        events = panel_events(ticks, tick_s, strict=self.mode == "strict")
        counted = tally(events)
        measured.parts = {
            "response_latency_mean": {"values": list(counted.response_latencies_s)},
            "yield_latency_mean": {"values": list(counted.yield_latencies_s)},
            **{metric: {"count": count, "of": of} for metric, (count, of) in shares(counted).items()},
            **{metric: {"count": count, "of": 1} for metric, count in counts(counted).items()},
        }
        measured.reasons = {metric: f"no {needed}" for metric, *_, needed in _PANEL}
        measured.lines = [_line(event, tick_s) for event in events]
        for event in events:
            _place(measured, event, tick_s)
        return measured


def _place(measured: Measured, event: PanelEvent, tick_s: float) -> None:
    """Say where an event lies: in its rate, and of its latency where it has one."""
    start_s, end_s = event.start * tick_s, event.end * tick_s
    metric = next(name for name in (f"{event.kind}_rate", f"selectivity_{event.kind}") if name in _RATES)
    measured.place(metric, start_s, end_s, "right" if event.correct else "wrong")
    if event.latency_s is not None:
        measured.place(f"{event.kind}_latency_mean", start_s, start_s + event.latency_s, value=event.latency_s)


def _line(event: PanelEvent, tick_s: float) -> str:
    latency = "" if event.latency_s is None else f", {event.latency_s:.3f} s"
    judged = "right" if event.correct else "wrong"
    return f"{event.kind} {event.start * tick_s:.2f}-{event.end * tick_s:.2f} s: {judged}{latency}"


def by_domain(
    scorer: AsScorer, pooled: CorpusResult, measured: Sequence[Sample], domains: Sequence[str]
) -> CorpusResult:
    """Replace pooled rates by their means over domains, and add every domain's own as `<domain>:<metric>`.

    domains: of every sample, in order, empty for none. Counts stay sums. With one domain nothing changes.
    """
    groups: dict[str, list[Sample]] = {}
    for domain, sample in zip(domains, measured, strict=True):
        if domain:
            groups.setdefault(domain, []).append(sample)
    if len(groups) < 2:
        return pooled
    tables = {domain: corpus_result(scorer, samples).metrics for domain, samples in groups.items()}
    metrics = {
        name: metric if name.startswith("counts.") else _mean(metric, [table[name] for table in tables.values()])
        for name, metric in pooled.metrics.items()
    }
    for domain, table in tables.items():
        metrics |= {f"{domain}:{name}": metric for name, metric in table.items()}
    return msgspec.structs.replace(pooled, metrics=metrics)


def _mean(pooled: Score, over: Sequence[Score]) -> Score:
    """Average the values that are defined; n is the number of domains that entered."""
    values = [metric.value for metric in over if metric.value is not None]
    if not values:
        return pooled
    return Score(id=pooled.id, value=sum(values) / len(values), unit=pooled.unit, n=len(values))
