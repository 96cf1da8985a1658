"""A scenario that plays a caller's take again as a script: no model, no endpoint, no key, for CI.

What a caller decided is a turn of the script, said or passed in silence, at the cue by which the caller's moment came.
Against the same other party it says the same samples at the same times. Against another it still waits for its cues,
and a turn that hears something else than the caller did is noted as `diverged`.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import yaml

from simulator.errors import SessionError
from simulator.events import PARTIES, Event, Party
from simulator.reading.yaml_file import read_yaml
from simulator.session import Session
from simulator.speaking.voice import FADE_S
from simulator.spec import Duration

SUFFIX = ".yaml"
READS_SPEECH = False

KEPT = ("latency", "speed")
"""Keys of a caller that a script has, too."""

Plain = dict[str, Any]


def export(session: Session) -> str:
    """Give the session's scenario with every caller as a script. SessionError: there is none, or no whole take."""
    callers = [party for party in PARTIES if session.meta.parties and _is_caller(session, party)]
    if not callers:
        raise SessionError(f"{session.folder}: has no caller whose take could be a script")
    if session.meta.status != "completed":
        raise SessionError(f"{session.folder}: is {session.meta.status}; only a completed take can be a script")
    scenario = read_yaml(session.folder / "scenario.yaml")
    for party in callers:
        scenario[party] = _script(session, party, scenario[party])
    return yaml.safe_dump(scenario, sort_keys=False, allow_unicode=True, width=110)


def _is_caller(session: Session, party: Party) -> bool:
    return party in session.meta.parties and session.meta.parties[party].kind == "caller"


def _script(session: Session, party: Party, caller: Mapping[str, Any]) -> Plain:
    own = [event for event in session.events if event.party == party]
    called = next((event.name for event in own if event.type == "tool_call"), None)
    if called is not None:
        raise SessionError(f"{session.folder}: the {party} called {called!r}; a script calls no tools")
    manner = next((event.data for event in own if event.type == "manner"), None)
    if manner is None:
        raise SessionError(f"{session.folder}: its events do not tell with which voice and ears the {party} called")
    script: Plain = {"kind": "scripted"}
    script |= {name: manner[name] for name in ("voice", "words_per_minute", "ears", "recognizer")}
    script |= {name: caller[name] for name in KEPT if name in caller}
    return {**script, "turns": list(_turns(own, session.sample_rate))}


def _turns(own: list[Event], rate: int) -> Iterator[Plain]:
    ends = {event.id: event for event in own if event.type == "speech_end"}
    yields = [event.at for event in own if event.type == "yielded"]
    starts = {event.id: event.at for event in own if event.type == "speech_start"}
    for event in own:
        if event.type != "decided" or "cue" not in event.data:
            continue
        turn: Plain = dict(event.data["cue"])
        if event.choice == "wait":
            turn["wait"] = True
        else:
            turn["say"] = event.data["say"]
            turn |= _as_it_went(event, starts, ends, yields, rate)
        if event.data.get("heard"):
            turn["hears"] = event.data["heard"]
        yield turn


def _as_it_went(
    event: Event, starts: Mapping[str, int], ends: Mapping[str, Event], yields: list[int], rate: int
) -> Plain:
    """What became of an utterance: in which role it was said, where it was stopped, whether the call was over then."""
    went: Plain = {}
    role = {"barge_in": "interruption", "backchannel": "backchannel"}.get(event.choice)
    if role is not None:
        went["role"] = role
    name = event.data["id"]
    end = ends.get(name)
    if end is not None and end.cut and any(starts[name] <= at <= end.at for at in yields):
        went["cut"] = Duration((end.said_samples - round(FADE_S * rate)) / rate).__encode__()
    if event.choice == "hang_up":
        went["hang_up"] = True
    return went
