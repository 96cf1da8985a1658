"""Rules of the function responder: any Python function answers."""

from pathlib import Path

import numpy as np
import pytest

from simulator.errors import ScenarioError
from simulator.session import Session
from simulator.testing import play_session, scenario_of

MODULE = """
import numpy as np
from simulator.clock import sleep
from simulator.speaking.dialogue import Reply

def plain(turn, history):
    assert turn.samples.dtype == np.float32 and turn.sample_rate == 24000
    return f"turn {len(history) // 2 + 1}"

async def later(turn, history):
    return "later"

def pieces(turn, history):
    yield "one"
    yield "two"

async def streamed(turn, history):
    yield "one"
    yield Reply(text="two")

async def slowly(turn, history):
    yield "This is the first of two sentences, and it takes some time to say."
    await sleep(1.0)
    yield "And this is the second."

def sound(turn, history):
    return np.full(4000, 0.1, np.float32), 8000

def nothing(turn, history):
    return None

def wrong(turn, history):
    return 5

class Agent:
    @staticmethod
    def answer(turn, history):
        return "inside"

constant = 7
"""


def talk(folder: Path, call: str) -> Session:
    """A session of a user who speaks once with a function."""
    name = f"functions_of_{call.lower().replace('.', '_')}"
    (folder / f"{name}.py").write_text(MODULE)
    responder = {"kind": "function", "call": f"{name}:{call}", "folder": str(folder)}
    agent = {"kind": "turn_based", "ears": "level", "endpoint": "300ms", "responder": responder}
    turns = [{"at": "100ms", "say": "hello there"}, {"after": "agent_turn", "say": "really?"}]
    scenario = {"user": {"kind": "scripted", "turns": turns}, "agent": agent, "duration": "6s", "scorers": []}
    return play_session(scenario, folder)


def said(session: Session) -> list[str]:
    """The agent's utterances."""
    assert session.meta.status == "completed", session.meta.problem
    return [event.data["text"] for event in session.by_type["speech_start"] if event.party == "agent"]


@pytest.mark.parametrize(
    ("call", "texts"),
    [("plain", ["turn 1", "turn 2"]), ("later", ["later"] * 2), ("pieces", ["one", "two"] * 2),
     ("streamed", ["one", "two"] * 2), ("Agent.answer", ["inside"] * 2)],
)  # fmt: skip
def test_plain_async_and_streaming_functions_answer(tmp_path: Path, call: str, texts: list[str]) -> None:
    """Text, piece by piece where there are several."""
    assert said(talk(tmp_path, call)) == texts


def test_sound_is_said_as_it_is(tmp_path: Path) -> None:
    """(samples, rate), resampled to the session."""
    session = talk(tmp_path, "sound")
    said(session)
    assert np.count_nonzero(np.abs(session.said("agent") - 0.1) < 0.01) == pytest.approx(24_000, rel=0.02)


def test_none_is_silence(tmp_path: Path) -> None:
    """The turn is heard, nothing is said."""
    session = talk(tmp_path, "nothing")
    assert session.meta.status == "completed"
    assert not session.said("agent").any()


def test_anything_else_fails_with_a_sentence(tmp_path: Path) -> None:
    """What came, and what is allowed."""
    problem = talk(tmp_path, "wrong").meta.problem or ""
    assert "answered with int;" in problem
    assert "a text, (samples float32 (n,), rate), a Reply or None are allowed" in problem


@pytest.mark.parametrize(
    ("call", "complaint"),
    [
        ("no_colon", r"\$.agent.responder.call: expected package.module:function, found 'no_colon'"),
        ("no_such_module_here:f", "'no_such_module_here' cannot be imported"),
        ("json:nothing", "'json' has no function 'nothing'"),
        ("string:digits", "'string' has no function 'digits'"),
    ],
)
def test_a_function_that_is_not_there_is_refused_before_the_run(tmp_path: Path, call: str, complaint: str) -> None:
    """With its place in the file."""
    agent = {"kind": "turn_based", "responder": {"kind": "function", "call": call}}
    with pytest.raises(ScenarioError, match=complaint):
        scenario_of({"user": "silent", "agent": agent}, tmp_path)


@pytest.mark.slow
def test_a_backchannel_does_not_cut_off_what_is_still_to_come(tmp_path: Path) -> None:
    """On the wall clock a streamed answer goes on over an mm-hm; a barge-in ends all of it, and is answered."""
    (tmp_path / "functions_slow.py").write_text(MODULE)
    agent = {"kind": "turn_based", "ears": "level", "endpoint": "300ms",
             "responder": {"kind": "function", "call": "functions_slow:slowly", "folder": str(tmp_path)}}  # fmt: skip
    texts = {}
    for name, interjection in (("backchannel", "mm-hm"), ("interruption", "No, wait, stop, I meant another one.")):
        injector = {"kind": name, "cue": {"agent_speaking": "300ms", "times": 1}, "say": interjection}
        scenario = {"user": {"kind": "scripted", "turns": [{"at": "100ms", "say": "hello there"}]}, "agent": agent,
                    "injectors": [injector], "duration": "14s", "scorers": [], "clock": "wall"}  # fmt: skip
        texts[name] = said(play_session(scenario, tmp_path / name))
    first, second = texts["backchannel"]
    assert texts["interruption"] == [first, first, second], "the second answer is whole, the first one is not"
