"""Callers against far ends, on the wall clock, and inside other people's models."""

from pathlib import Path
from typing import Any

import pytest

from agents.remote.persona import Persona, instructions, tools_of
from simulator.errors import ScenarioError
from simulator.testing import play_session, scenario_of
from tests.callers import AGENT, CALL, CALLER
from tests.contracts.http_peers import Got
from tests.contracts.http_peers import scripted as chat_server
from tests.test_caller_endpoint import chunks, reply

pytest.importorskip("sphn", reason="needs the moshi extra")

from tests.contracts.moshi_peers import served


def test_a_caller_talks_to_a_moshi_server(tmp_path: Path) -> None:
    """Over loopback, on the virtual clock: it hears what the server says with silero ears, and answers it."""
    with served(AGENT, tmp_path / "server") as url:
        agent = {"kind": "moshi", "url": url}
        session = play_session({**CALL, "agent": agent, "duration": "22s"}, tmp_path)
    assert session.meta.status == "completed", session.meta.problem
    (manner,) = session.by_type["manner"]
    assert manner.ears == "silero"
    said = [event for event in session.by_type["decided"] if event.choice == "say"]
    assert len(said) >= 2 and all(event.heard for event in said)


@pytest.mark.slow
def test_on_the_wall_clock_a_caller_thinks_while_it_listens(tmp_path: Path) -> None:
    """Its words come when the endpoint has answered, and not at all where the other has gone on meanwhile."""

    def slow(got: Got) -> None:
        got.stream(*chunks(reply(say=f"Answer {got.number}.")))

    agent = {"kind": "scripted", "turns": ["Good evening.", {"after": "user_turn", "say": "What is your name?"}]}
    with chat_server(slow) as (url, seen):
        user = {**CALLER, "llm": {"base_url": f"{url}/v1", "model": "test"}}
        session = play_session({**CALL, "user": user, "agent": agent, "clock": "wall", "duration": "9s"}, tmp_path)
    assert session.meta.status == "completed", session.meta.problem
    texts = [event.text for event in session.by_type["speech_start"] if event.party == "user"]
    assert texts[:2] == ["Answer 0.", "Answer 1."]
    assert len(seen) >= 2


PERSONA: dict[str, Any] = {
    "persona": "A tired parent.",
    "goal": "A table for three.",
    "facts": {"name": "Ann Miller"},
    "stages": ["a table", "outside, if there is one"],
    "opening": "Hi, it's me.",
    "manner": {"preset": "impatient", "backchannels": "6/min"},
}


def test_a_remote_persona_is_told_what_a_caller_is(tmp_path: Path) -> None:
    """Persona, facts, stages, first words and manner are in its instructions; `who` means the same as before."""
    scenario = scenario_of({"user": {"kind": "gemini_live", "api_key_env": "X", "persona": PERSONA}, "agent": "silent",
                            "clock": "wall"}, tmp_path)  # fmt: skip
    told = scenario.user.told()  # type: ignore[attr-defined]  # a remote peer's
    for text in (
        "A tired parent.",
        "- name: Ann Miller",
        "2. outside",
        '"Hi, it\'s me."',
        "cut in",
        "mm-hm",
        "hang_up",
    ):
        assert text in told
    one, other = (instructions("", Persona(goal="x", **{key: "Ann"})) for key in ("who", "persona"))
    assert one == other


def test_a_persona_that_may_not_hang_up_cannot(tmp_path: Path) -> None:
    """By its own key, or by its manner's."""
    assert [tool.name for tool in tools_of([], Persona(goal="x"))] == ["hang_up"]
    assert not tools_of([], Persona(goal="x", hang_up=False))
    scenario = {"kind": "openai_realtime", "persona": {"goal": "x", "manner": {"hang_up": False}}}
    user = scenario_of({"user": scenario, "agent": "silent", "clock": "wall"}, tmp_path).user
    assert "hang_up" not in user.told()  # type: ignore[attr-defined]


def test_a_persona_whose_facts_nobody_can_ask_for_is_refused(tmp_path: Path) -> None:
    """As a caller's are."""
    user = {"kind": "gemini_live", "api_key_env": "X", "persona": {"goal": "x", "facts": {"the": "Ann"}}}
    with pytest.raises(ScenarioError, match=r"\$\.user\.persona: .*can never be asked for"):
        scenario_of({"user": user, "agent": "silent", "clock": "wall"}, tmp_path)
