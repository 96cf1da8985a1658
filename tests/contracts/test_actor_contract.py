"""What every actor and every injector keeps, over all of ours that need nothing but this process."""

from pathlib import Path
from typing import Any

import soundfile

from simulator.plugins import load
from simulator.testing import actor_contract, burst, injector_contract
from tests.distributions import own_kinds

LOCAL: list[dict[str, Any]] = [
    {"kind": "silent"},
    {"kind": "player", "file": "speech.wav"},
    {"kind": "scripted", "turns": ["Hello there.", {"choose": ["Yes.", "No."], "repeat": True}]},
    {"kind": "cascade", "opening": "Good evening.", "replies": [{"say": "I see."}]},
    {
        "kind": "turn_based",
        "responder": {"kind": "rules", "rules": [{"say": "I see."}]},
        "opening": "Good evening.",
    },
    {"kind": "replay", "file": "speech.wav"},
    {"kind": "caller", "goal": "A table for two.", "llm": {"kind": "rules"}, "manner": "rambling"},
]
"""A small spec of every kind that needs no other program."""

ELSEWHERE = {
    "moshi", "openai_realtime", "openai_live", "gemini_live", "vllm_duplex", "websocket", "twilio", "pipecat", "webrtc",
    "livekit", "replay_trace",
    "duplex_model", "human",
}  # fmt: skip
"""Kinds with suites of their own: they need a server, a model or a person."""

INJECTORS: list[dict[str, Any]] = [
    {"kind": "interruption", "cue": {"agent_speaking": "800ms"}, "say": "Wait, stop."},
    {"kind": "backchannel", "cue": {"agent_speaking": "500ms", "every": "1s"}, "choose": ["mm-hm", "right"]},
    {"kind": "aside", "party": "agent", "cue": {"user_speaking": "300ms"}, "say": "Not now, please."},
    {"kind": "interruption", "cue": {"random": {"per_minute": 40}}, "file": "speech.wav"},
    {"kind": "sound", "sound": "cough", "cue": {"at": "1s"}},
    {"kind": "keys", "press": "12#", "cue": {"at": "1s"}},
]


def recorded(folder: Path) -> None:
    """Write the recording that the cases name."""
    soundfile.write(folder / "speech.wav", burst(16_000), 16_000)


TestOurActors = actor_contract(LOCAL, prepare=recorded)
TestOurInjectors = injector_contract(INJECTORS, prepare=recorded)


def test_each_of_our_kinds_is_under_a_contract() -> None:
    """A kind that is added is added here or to a suite of its own."""
    assert set(own_kinds("actors")) - ELSEWHERE == {case["kind"] for case in LOCAL}
    assert set(own_kinds("injectors")) == {case["kind"] for case in INJECTORS}


def test_a_kind_is_tagged_with_its_name() -> None:
    """Kinds are entry points: the name is the YAML kind, the value the spec class."""
    for group in ("actors", "injectors", "channels"):
        for name in own_kinds(group):
            assert load(group, name).__struct_config__.tag == name
