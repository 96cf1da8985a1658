"""Traps: what a scenario says that can be run and will not do what its author means; nothing is refused.

Only what can be known before anything is heard: ears that take a line's noise or their own echo for speech, lines that
let nothing pass or never come on, expectations of what nobody makes happen, cues that cannot fall due.
"""

import math
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from simulator.events import PARTIES, Party
from simulator.injector import SpeechInjectorSpec
from simulator.line import ChannelSpec
from simulator.reading.outcomes import JudgeOutcome, WorldOutcome
from simulator.scenario import DIRECTIONS, Scenario, kind_of
from simulator.speaking.cues import CueKeys
from simulator.speaking.ears import LevelEarsSpec

SLOWEST = 2.0
"""A text takes at most so many times what its words take at the nominal rate: numbers and long words are slow."""

Has = Callable[[Scenario], bool]


def traps(scenarios: Iterable[Scenario]) -> Iterator[str]:
    """Give the traps of scenarios, a sentence each."""
    for scenario in scenarios:
        found = (_deaf_ears, _vain_lines, _vain_expectations, _dead_cues, _untouched_worlds, _idle_judges)
        for sentence in (sentence for find in found for sentence in find(scenario)):
            yield f"{scenario.name}: {sentence}"


def _deaf_ears(scenario: Scenario) -> Iterator[str]:
    """Level ears compare with a fixed level: noise that reaches it is speech that never ends."""
    for party in PARTIES:
        ears = getattr(scenario.actor(party), "ears", None)
        if not isinstance(ears, LevelEarsSpec):
            continue
        channels = [part for channel in scenario.lines.heard_by(party) for part in channel.parts()]
        noises = [channel for channel in channels if kind_of(channel) == "noise"]
        loudest_db = min((float(getattr(noise, "snr_db", 100)) for noise in noises), default=100.0)
        if loudest_db <= ears.margin_db:
            yield (
                f"$.{party}.ears: level ears take noise at {loudest_db:g} dB for speech that never ends (they bear "
                f"more than {ears.margin_db:g} dB), and the conversation stalls; leave `ears` out, or say silero"
            )
        for echo in (channel for channel in channels if kind_of(channel) == "echo"):
            loss_db = float(getattr(echo, "loss_db", 100))
            if loss_db <= ears.margin_db:
                yield (
                    f"$.{party}.ears: level ears take its own echo at {loss_db:g} dB for the other's speech (they bear "
                    f"more than {ears.margin_db:g} dB) and may yield to themselves; that is a finding only if it is "
                    "meant"
                )


def _vain_lines(scenario: Scenario) -> Iterator[str]:
    """Channels that let nothing pass, lose nearly all, or never come on."""
    for direction in DIRECTIONS:
        for index, channel in enumerate(getattr(scenario.lines, direction)):
            reason = _never_on(scenario, channel) or _hardly_heard(channel)
            if reason:
                yield f"$.lines.{direction}[{index}]: {reason}"


def _never_on(scenario: Scenario, channel: ChannelSpec) -> str | None:
    if scenario.duration is not None and (channel.from_ or 0) >= scenario.duration.time:
        return f"never comes on: the session is over after {scenario.duration.time} at the latest"
    if channel.during is not None and scenario.dataset is None:
        party, speaking, least = channel.during.condition
        if not _speaks(scenario, party):
            return f"never comes on: the {party} is silent"
        if speaking and not scenario.injectors and least > _longest_s(scenario, party):
            return f"never comes on: nothing that the {party} says lasts so long"
    return None


def _hardly_heard(channel: ChannelSpec) -> str | None:
    kind = kind_of(channel)
    if kind == "mute" and not channel.windowed:
        return "is muted from beginning to end; say when by `from`, `until` or `during`"
    if kind == "jitter" and not getattr(channel, "adaptive", False) and getattr(channel, "trace", None) is None:
        mean, buffer = (getattr(channel, name) for name in ("mean", "buffer"))
        if mean >= buffer:
            return f"packets take {mean} on the average and are waited for {buffer} only: most come too late"
    return None


def _untouched_worlds(scenario: Scenario) -> Iterator[str]:
    """A world whose tools nobody can call, and a party that says what it cannot."""
    for party in PARTIES:
        tools = scenario.world.tools(party) if scenario.world is not None else ()
        served = party == "agent" and scenario.world is not None and scenario.world.serve is not None
        if tools and not served and not scenario.actor(party).traits().calls_tools:
            yield (
                f"$.world: {', '.join(tool.name for tool in tools[:3])} will hardly be called: the {party} "
                f"({kind_of(scenario.actor(party))}) calls no tools"
            )


def _idle_judges(scenario: Scenario) -> Iterator[str]:
    """A judge that nothing asks, and votes that cannot differ."""
    judge = scenario.judge
    if judge is None:
        return
    asks = any(hasattr(spec, "with_judge") for spec in scenario.scorers or ())
    if not asks and not any(isinstance(item.outcome, JudgeOutcome | WorldOutcome) for item in scenario.expect):
        yield "$.judge: nothing asks it; a scorer `{kind: judge, ...}` does, or an expectation `{judge: ...}`"
    if judge.votes > 1 and judge.temperature == 0:
        yield f"$.judge.temperature: at 0 its {judge.votes} votes are one vote said again; leave it out, or raise it"


def _injects(kind: str) -> Has:
    return lambda scenario: (
        not _is_plain(scenario)
        or any(kind_of(injector) == kind and injector.party == "user" for injector in scenario.injectors)
    )


def _carries(kind: str) -> Has:
    return lambda scenario: any(
        kind_of(part) == kind for channel in scenario.lines.user_to_agent for part in channel.parts()
    )


def _interrupts(scenario: Scenario) -> bool:
    """Whether something of the user's is timed to fall over the agent's speech, or may fall anywhere."""
    anywhere = {"agent_speaking", "agent_pausing", "at", "random"}
    turns = getattr(scenario.user, "turns", [])
    # The first turn without a cue comes at a time, whoever speaks then.
    at_once = _may_open(scenario) and bool(turns) and (isinstance(turns[0], str) or not turns[0].conditions())
    cued = any(not anywhere.isdisjoint(turn.conditions()) for _, turn in _turns(scenario.user))
    return at_once or cued or _injects("interruption")(scenario)


def _may_open(scenario: Scenario) -> bool:
    """Whether the agent may be speaking when the user's first turn comes, or while the user pauses in it."""
    silent_at_first = kind_of(scenario.agent) in ("cascade", "silent") and not getattr(scenario.agent, "opening", "")
    return not silent_at_first or _pauses(scenario)


def _pauses(scenario: Scenario) -> bool:
    return not _is_plain(scenario) or any(not isinstance(text, str) for text in _texts(scenario.user))


def _speaks(scenario: Scenario, party: Party) -> bool:
    return kind_of(scenario.actor(party)) != "silent" or any(one.party == party for one in scenario.injectors)


def _converse(scenario: Scenario) -> bool:
    return all(_speaks(scenario, party) for party in PARTIES)


NEEDS: tuple[tuple[str, Has, str], ...] = (
    ("selectivity.aside_", _injects("aside"), "an injector of the kind aside"),
    ("selectivity.talker_", _carries("talker"), "a talker on the line to the agent"),
    ("selectivity.noise_", _carries("burst"), "a burst on the line to the agent"),
    ("selectivity.steady_noise_", _carries("noise"), "noise on the line to the agent"),
    ("latency.response_", _converse, "a user and an agent that speak"),
    ("barge_in.", lambda scenario: _speaks(scenario, "agent"), "an agent that speaks"),
    ("barge_in.", _interrupts, "an interruption, or a turn at an `agent_speaking` cue"),
    ("backchannel.kept_floor", _injects("backchannel"), "an injector of the kind backchannel"),
    ("backchannel.resumed", _injects("backchannel"), "an injector of the kind backchannel"),
    ("backchannel.derailed", _injects("backchannel"), "an injector of the kind backchannel"),
    ("takeover.in_pause", _pauses, "a turn of the user with a pause in it"),
    ("expect.interruption-", _interrupts, "an interruption, or a turn at an `agent_speaking` cue"),
)
"""Which metrics need something of a scenario: what their ids begin with, whether it is there, what it is."""


def _vain_expectations(scenario: Scenario) -> Iterator[str]:
    for index, expectation in enumerate(scenario.expect):
        for prefix, has, what in NEEDS:
            if expectation.metric.startswith(prefix) and scenario.dataset is None and not has(scenario):
                yield (
                    f"$.expect[{index}]: {expectation.metric} will hardly have a value: it needs {what}, and there is "
                    "none"
                )


def _dead_cues(scenario: Scenario) -> Iterator[str]:
    for index, injector in enumerate(scenario.injectors):
        if isinstance(injector, SpeechInjectorSpec):
            reason = _never_true(scenario, injector.cue) or _too_late(scenario, injector.cue)
            if reason:
                yield f"$.injectors[{index}].cue: can never fall due: {reason}"
    for party in PARTIES:
        for index, turn in _turns(scenario.actor(party)):
            # Any other cue of a script is followed at last (`at_latest`).
            reason = _too_late(scenario, turn)
            if reason:
                yield f"$.{party}.turns[{index}].at: can never fall due: {reason}"


def _too_late(scenario: Scenario, cue: CueKeys) -> str | None:
    if cue.at is None or scenario.duration is None:
        return None
    last_s = scenario.duration.time
    return f"the session is over after {last_s} at the latest" if cue.at + (cue.delay or 0) >= last_s else None


def _never_true(scenario: Scenario, cue: CueKeys) -> str | None:
    """Why a cue about a party cannot come true, whatever the other does; None where it may."""
    if cue.at_latest is not None:
        return None
    for party in PARTIES:
        speaking, pausing = getattr(cue, f"{party}_speaking"), getattr(cue, f"{party}_pausing")
        if speaking is None and pausing is None and cue.after != f"{party}_turn":
            continue
        if kind_of(scenario.actor(party)) == "silent" and scenario.dataset is None:
            return f"the {party} is silent"
        if speaking is not None and speaking + (cue.delay or 0) > _longest_s(scenario, party):
            return f"nothing that the {party} says lasts so long"
    return None


def _longest_s(scenario: Scenario, party: Party) -> float:
    """How long a scripted party speaks at most without stopping; any other may speak for ever."""
    spec = scenario.actor(party)
    parts = [part for text in _texts(spec) for part in ([text] if isinstance(text, str) else text)]
    words = [_words(part) for part in parts if isinstance(part, str)]
    return 1.0 + SLOWEST * 60 * max(words) / float(getattr(spec, "words_per_minute", 150)) if words else math.inf


def _words(text: str) -> int:
    """How many words a text has, at most: one per letter in scripts without spaces, which lie beyond U+2E80."""
    return max(len(text.split()), sum(letter >= "\u2e80" for letter in text))


def _turns(spec: Any) -> list[tuple[int, CueKeys]]:
    """The turns of a scripted party that name a cue or might, by their place; none of any other party."""
    return [(index, turn) for index, turn in enumerate(getattr(spec, "turns", ())) if isinstance(turn, CueKeys)]


def _texts(spec: Any) -> list[Any]:
    """What a scripted party may say: a text, or texts with pauses between them."""
    texts: list[Any] = [turn for turn in getattr(spec, "turns", ()) if isinstance(turn, str)]
    for _, turn in _turns(spec):
        texts += getattr(turn, "choose", []) or [getattr(turn, "say", "")]
    return texts


def _is_plain(scenario: Scenario) -> bool:
    """Whether all that the user says is in the scenario: others (people, models, recordings) may do anything."""
    return kind_of(scenario.user) in ("scripted", "silent")
