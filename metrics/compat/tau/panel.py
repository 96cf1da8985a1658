"""tau-voice's interaction panel: eight metrics over ticks, from runs of speech and what the other side did.

Source: tau-Voice (arXiv 2603.13686) and the panel of its public code. All times are whole ticks; windows are
int(seconds / tick length). A run is a maximal stretch of ticks in which one side speaks.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import msgspec

from metrics.compat.tau.ticks import Insert, InsertKind, Tick

YIELD_WINDOW_S = 2.0
"""How long after a user's interruption the agent may go silent for it to count as yielding."""
IGNORE_WINDOW_S = 1.0
"""How long the agent has to go on over a backchannel, a vocal tic or speech to somebody else."""
RESPONSE_WINDOW_S = 2.0
"""How long after a tic or speech to somebody else an agent's start counts as an answer to it."""


class SpeechRun(NamedTuple):
    """A run of speech, ticks [start, end), and whether the other side spoke in ticks `start` and `end`."""

    start: int
    end: int
    over_start: bool
    over_end: bool
    backchannel: bool = False
    inserts: frozenset[InsertKind] = frozenset()


class Tally(msgspec.Struct, frozen=True, kw_only=True):
    """What was counted in a simulation; latencies in seconds, selectivity as (correct, all)."""

    response_latencies_s: tuple[float, ...] = ()
    unanswered: int = 0
    yield_latencies_s: tuple[float, ...] = ()
    unyielded: int = 0
    agent_interruptions: int = 0
    backchannel: tuple[int, int] = (0, 0)
    vocal_tic: tuple[int, int] = (0, 0)
    non_directed: tuple[int, int] = (0, 0)


class PanelEvent(NamedTuple):
    """One thing that was judged: what, at which ticks, whether it was right, the latency if it has one."""

    kind: str
    start: int
    end: int
    correct: bool
    latency_s: float | None = None


def panel_events(ticks: Sequence[Tick], tick_s: float, *, strict: bool = False) -> list[PanelEvent]:
    """Find every event of a simulation.

    strict: a tic or an aside inside a real user turn that began in the agent's silence is no test of
    selectivity (answering the turn is right), and an agent that talks on through an insert outside the user's
    turns is credited.
    """
    ticks = without_farewell(ticks)
    user, agent = user_runs(ticks), agent_runs(ticks)
    events = [*_responses(user, agent, tick_s), *_over_agent(user, ticks, tick_s)]
    events += [PanelEvent("agent_interruption", run.start, run.end, False) for run in agent if run.over_start]
    if not strict:
        events += _in_silence(user, agent, tick_s)
    events += _outside_turns(inserts_outside_turns(ticks), agent, tick_s, credit_going_on=strict)
    return sorted(events, key=lambda event: event.start)


def without_farewell(ticks: Sequence[Tick]) -> Sequence[Tick]:
    """Drop a last tick in which the user starts to speak: the user simulator's stop signal, no speech."""
    return ticks[:-1] if len(ticks) > 1 and ticks[-1].user and not ticks[-2].user else ticks


def user_runs(ticks: Sequence[Tick]) -> list[SpeechRun]:
    """Give the user's runs, with the action of the first tick and the inserts that sounded in any."""
    return [
        SpeechRun(
            start,
            end,
            ticks[start].agent,
            end < len(ticks) and ticks[end].agent,
            backchannel=ticks[start].action == "backchannel",
            inserts=frozenset(insert.kind for tick in ticks[start:end] for insert in tick.inserts),
        )
        for start, end in stretches([tick.user for tick in ticks])
    ]


def agent_runs(ticks: Sequence[Tick]) -> list[SpeechRun]:
    """Give the agent's runs."""
    return [
        SpeechRun(start, end, ticks[start].user, end < len(ticks) and ticks[end].user)
        for start, end in stretches([tick.agent for tick in ticks])
    ]


def stretches(flags: Sequence[bool]) -> list[tuple[int, int]]:
    """Give the maximal stretches [start, end) of true flags."""
    edges = [
        index
        for index in range(len(flags) + 1)
        if (index < len(flags) and flags[index]) != (index > 0 and flags[index - 1])
    ]
    return list(zip(edges[::2], edges[1::2], strict=True))


def inserts_outside_turns(ticks: Sequence[Tick]) -> list[tuple[int, int, InsertKind]]:
    """Give the inserts that sound while the user is silent, as [start, end); user speech breaks them."""
    finished: list[tuple[int, int, InsertKind]] = []
    open_inserts: list[tuple[Insert, int]] = []
    for index, tick in enumerate([*ticks, Tick()]):
        sounding = [] if tick.user else list(tick.inserts)
        still_open: list[tuple[Insert, int]] = []
        for insert, start in open_inserts:
            if insert in sounding:
                sounding.remove(insert)
                still_open.append((insert, start))
            else:
                finished.append((start, index, insert.kind))
        open_inserts = still_open + [(insert, index) for insert in sounding]
    return sorted(finished)


def _responses(user: Sequence[SpeechRun], agent: Sequence[SpeechRun], tick_s: float) -> Iterable[PanelEvent]:
    """Judge user turns that ended in the agent's silence: did the agent speak before the user did again?"""
    turns = [run for run in user if not run.backchannel and not run.over_end]
    for index, turn in enumerate(turns):
        answer = next((run.start for run in agent if run.start >= turn.end), None)
        again = turns[index + 1].start if index + 1 < len(turns) else None
        if answer is not None and (again is None or answer <= again):
            # The original subtracts times in seconds, a turn's end being its start plus its length.
            end_s = turn.start * tick_s + (turn.end - turn.start) * tick_s
            yield PanelEvent("response", turn.end, answer, True, answer * tick_s - end_s)
        elif again is not None:
            yield PanelEvent("response", turn.end, again, False)


def _over_agent(user: Sequence[SpeechRun], ticks: Sequence[Tick], tick_s: float) -> Iterable[PanelEvent]:
    """Judge user runs that began over the agent's speech: only an interruption should silence it."""
    for run in user:
        if not run.over_start:
            continue
        kind = _kind_over_agent(run)
        window = int((YIELD_WINDOW_S if kind == "yield" else IGNORE_WINDOW_S) / tick_s)
        last = min(run.start + window, len(ticks))
        silent = next((index for index in range(run.start, last) if not ticks[index].agent), None)
        if kind != "yield":
            yield PanelEvent(kind, run.start, run.end, silent is None)
        elif silent is not None:
            yield PanelEvent(kind, run.start, silent, True, (silent - run.start) * tick_s)
        else:
            yield PanelEvent(kind, run.start, last, False)


def _kind_over_agent(run: SpeechRun) -> str:
    if run.backchannel:
        return "backchannel"
    if "vocal_tic" in run.inserts:
        return "vocal_tic"
    return "non_directed" if "non_directed" in run.inserts else "yield"


def _in_silence(user: Sequence[SpeechRun], agent: Sequence[SpeechRun], tick_s: float) -> Iterable[PanelEvent]:
    """Judge user runs with an insert that began in the agent's silence: any answer in time is wrong."""
    for run in user:
        if run.over_start or not run.inserts:
            continue
        kind = "vocal_tic" if "vocal_tic" in run.inserts else "non_directed"
        yield PanelEvent(kind, run.start, run.end, not _answered(run.start, run.end, agent, tick_s))


def _outside_turns(
    inserts: Iterable[tuple[int, int, InsertKind]],
    agent: Sequence[SpeechRun],
    tick_s: float,
    *,
    credit_going_on: bool,
) -> Iterable[PanelEvent]:
    """Judge inserts outside the user's turns: the agent should neither stop for them nor answer them."""
    for start, end, kind in inserts:
        over = next((run for run in agent if run.start <= start < run.end), None)
        if over is None:
            yield PanelEvent(kind, start, end, not _answered(start, end, agent, tick_s))
        elif (over.end - start) * tick_s <= IGNORE_WINDOW_S:
            yield PanelEvent(kind, start, over.end, False)
        elif credit_going_on:
            yield PanelEvent(kind, start, end, True)


def _answered(start: int, end: int, agent: Sequence[SpeechRun], tick_s: float) -> bool:
    latest = end + int(RESPONSE_WINDOW_S / tick_s)
    return any(start <= run.start <= latest for run in agent)


def tally(events: Iterable[PanelEvent]) -> Tally:
    """Count events."""
    by_kind: dict[str, list[PanelEvent]] = {}
    for event in events:
        by_kind.setdefault(event.kind, []).append(event)

    def latencies(kind: str) -> tuple[float, ...]:
        return tuple(event.latency_s for event in by_kind.get(kind, ()) if event.latency_s is not None)

    def correct_of_all(kind: str) -> tuple[int, int]:
        found = by_kind.get(kind, [])
        return sum(event.correct for event in found), len(found)

    return Tally(
        response_latencies_s=latencies("response"),
        unanswered=sum(not event.correct for event in by_kind.get("response", ())),
        yield_latencies_s=latencies("yield"),
        unyielded=sum(not event.correct for event in by_kind.get("yield", ())),
        agent_interruptions=len(by_kind.get("agent_interruption", ())),
        backchannel=correct_of_all("backchannel"),
        vocal_tic=correct_of_all("vocal_tic"),
        non_directed=correct_of_all("non_directed"),
    )


def shares(counted: Tally) -> dict[str, tuple[int, int]]:
    """Give the six rates of a tally as (count, of)."""
    answered, yielded = len(counted.response_latencies_s), len(counted.yield_latencies_s)
    turns = answered + counted.unanswered
    return {
        "response_rate": (answered, turns),
        "yield_rate": (yielded, yielded + counted.unyielded),
        "agent_interruption_rate": (counted.agent_interruptions, turns),
        "selectivity_backchannel": counted.backchannel,
        "selectivity_vocal_tic": counted.vocal_tic,
        "selectivity_non_directed": counted.non_directed,
    }


def counts(counted: Tally) -> dict[str, int]:
    """Give the numbers of cases behind the rates, under the original's names, of one simulation."""
    cases = shares(counted)
    return {
        "counts.n_simulations": 1,
        "counts.response_total": cases["response_rate"][1],
        "counts.yield_total": cases["yield_rate"][1],
        "counts.backchannel_total": cases["selectivity_backchannel"][1],
        "counts.vocal_tic_total": cases["selectivity_vocal_tic"][1],
        "counts.non_directed_total": cases["selectivity_non_directed"][1],
        "counts.agent_interrupts_count": counted.agent_interruptions,
    }
