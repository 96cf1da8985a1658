"""Rules of the served Realtime protocol's core: events in, events out, no sockets and no clock."""

import base64
from typing import Any

import numpy as np
import pytest

from agents.openai.server_protocol import RealtimeServer
from simulator.frame import Samples, silence
from simulator.speaking.ears import LevelEarsSpec

RATE, FRAME = 24_000, 480
BETA: dict[str, Any] = {
    "input_audio_format": "g711_ulaw", "output_audio_format": "g711_ulaw", "turn_detection": None,
    "input_audio_transcription": {"model": "w"}, "modalities": ["audio"], "voice": "x", "temperature": 0.8,
}  # fmt: skip
"""Settings by their names from before general availability."""
LOUD: Samples = (0.3 * np.sin(np.arange(FRAME) * 2 * np.pi * 200 / RATE)).astype(np.float32)


class Client:
    """A client without a connection: sends events, plays frames both ways, keeps what it is sent."""

    def __init__(self, **detection: Any) -> None:
        self.server = RealtimeServer("any", LevelEarsSpec())
        self.events: list[Any] = []
        if detection:
            turns = None if detection.get("type") is None else detection
            self.send("session.update", session={"audio": {"input": {"turn_detection": turns}}})

    def send(self, type_: str, **fields: Any) -> list[Any]:
        """Send an event; gives what is answered at once."""
        self.server.receive({"type": type_, **fields})
        return self._taken()

    def append(self, seconds: float, loud: bool = True) -> None:
        """Append sound."""
        frame = LOUD if loud else silence(FRAME)
        data = (np.tile(frame, round(seconds * RATE / FRAME)) * 32767).astype("<i2").tobytes()
        self.send("input_audio_buffer.append", audio=base64.b64encode(data).decode())

    def play(self, seconds: float, agent: bool = False) -> list[Any]:
        """Let time go on, the agent speaking or silent."""
        got = len(self.events)
        for _ in range(round(seconds * RATE / FRAME)):
            self.server.say(LOUD if agent else silence(FRAME))
            self.server.hear(FRAME)
            self._taken()
        return self.events[got:]

    def item(self, name: str, role: str = "user", **more: Any) -> list[Any]:
        """Create a text item."""
        kind = "output_text" if role == "assistant" else "input_text"
        item = {"id": name, "type": "message", "role": role, "content": [{"type": kind, "text": f"I am {name}"}]}
        return self.send("conversation.item.create", item=item, **more)

    def _taken(self) -> list[Any]:
        taken = list(self.server.out.take())
        self.events += taken
        return taken


def named(events: list[Any], type_: str) -> list[Any]:
    """The events of a type."""
    return [event for event in events if event["type"] == type_]


def chain(events: list[Any]) -> list[str]:
    """The items in the order that `previous_item_id` tells, as a client rebuilds it."""
    order: list[str] = []
    for event in events:
        if event["type"] == "conversation.item.added":
            before = event["previous_item_id"]
            order.insert(order.index(before) + 1 if before else 0, event["item"]["id"])
        elif event["type"] == "conversation.item.deleted":
            order.remove(event["item_id"])
    return order


@pytest.mark.parametrize("role", ["user", "assistant", "system", "developer"])
def test_an_item_of_any_role_is_taken_with_its_id(role: str) -> None:
    """It is added and done, never an error, and what it says stands in the session's events."""
    client = Client()
    added, done = client.item("mine", role)
    assert (added["type"], done["type"]) == ("conversation.item.added", "conversation.item.done")
    assert added["item"]["id"] == done["item"]["id"] == "mine" and added["item"]["role"] == role
    assert "I am mine" in client.server.notes[0][1].values()


def test_items_go_where_they_are_put() -> None:
    """At the end, at the root, behind another; deleted and made again with the same id."""
    client = Client()
    client.item("b")
    client.item("d")
    client.item("a", previous_item_id="root")
    client.item("c", previous_item_id="b")
    assert chain(client.events) == ["a", "b", "c", "d"]
    client.send("conversation.item.delete", item_id="b")
    client.item("b", previous_item_id="a")
    assert chain(client.events) == ["a", "b", "c", "d"]


@pytest.mark.parametrize(("event", "code", "param"), [
    ({"type": "conversation.item.create", "item": {"id": "x", "type": "message", "role": "user"}},
     "item_create_duplicate_item_id", "item.id"),
    ({"type": "conversation.item.create", "previous_item_id": "no", "item": {"type": "message", "role": "user"}},
     "item_create_invalid_previous_item_id", "previous_item_id"),
    ({"type": "conversation.item.retrieve", "item_id": "no"}, "item_retrieve_invalid_item_id", "item_id"),
    ({"type": "conversation.item.delete", "item_id": []}, "item_delete_invalid_item_id", "item_id"),
    ({"type": "response.create", "response": {"modalities": ["text"]}}, "unknown_parameter", "response.modalities"),
    ({"type": "response.create", "response": {"metadata": {"n": 1}}}, "invalid_value", "response.metadata"),
    *(({"type": "session.update", "session": {name: value}}, "unknown_parameter", f"session.{name}")
      for name, value in BETA.items()),
    ({"type": "session.update", "session": {"audio": {"input": {"format": {"type": "audio/pcm", "rate": 16000}}}}},
     "invalid_value", "session.audio.input.format.rate"),
    ({"type": "session.update", "session": {"audio": {"output": {"speed": 1.5}}}},
     "invalid_value", "session.audio.output.speed"),
    ({"type": "session.update", "session": {"audio": {"input": {"turn_detection": {"idle_timeout_ms": 5000}}}}},
     "invalid_value", "session.audio.input.turn_detection.idle_timeout_ms"),
])  # fmt: skip
def test_what_cannot_be_honoured_is_named(event: dict[str, Any], code: str, param: str) -> None:
    """An error names the event and the parameter, and nothing else of the event holds."""
    client = Client()
    client.item("x")
    before = client.server.settings
    (answer,) = client.send(**{"type_": event["type"], **{k: v for k, v in event.items() if k != "type"}}, event_id="e")
    error = answer["error"]
    assert (answer["type"], error["code"], error["param"], error["event_id"]) == ("error", code, param, "e")
    assert client.server.settings == before


def test_an_item_is_retrieved() -> None:
    """With its text, and after a turn of sound with what was understood."""
    client = Client()
    client.item("x")
    (got,) = client.send("conversation.item.retrieve", item_id="x")
    assert got["item"]["content"] == [{"type": "input_text", "text": "I am x"}]


def test_one_chain_over_both_sides() -> None:
    """Turns, answers and items in the order they came; a question stands before its answer."""
    client = Client()
    client.item("context", "system")
    client.append(1.0)
    client.play(1.25)
    client.play(1.0, agent=True)  # sooner than 500 ms of silence have made the turn's end sure
    client.play(1.0)
    order = chain(client.events)
    roles = [event["item"]["role"] for event in named(client.events, "conversation.item.added")]
    assert roles == ["system", "user", "assistant"]
    assert order == [event["item"]["id"] for event in named(client.events, "conversation.item.added")]


def test_what_was_asked_of_a_response_is_told_back() -> None:
    """Metadata in response.created and .done; `conversation: none` adds no item and belongs to no conversation."""
    client = Client()
    (created,) = client.send("response.create", response={
        "metadata": {"k": "v"}, "conversation": "none", "instructions": "Greet."})  # fmt: skip
    client.play(0.5, agent=True)
    (done,) = named(client.play(0.6), "response.done")
    for event in (created, done):
        assert event["response"]["metadata"] == {"k": "v"} and event["response"]["conversation_id"] is None
    assert not named(client.events, "conversation.item.added")
    assert ("client_message", {"system": "Greet."}) in client.server.notes


def test_words_alone() -> None:
    """`output_modalities: [text]`: the words come, the sound does not, and no blank leads."""
    client = Client()
    client.send("response.create", response={"output_modalities": ["text"]})
    client.play(0.1, agent=True)
    client.server.told(" Hello")
    client.server.told(" there")
    client.play(0.6)
    deltas = [event["delta"] for event in named(client.events, "response.output_text.delta")]
    (done,) = named(client.events, "response.output_text.done")
    assert "".join(deltas) == done["text"] == "Hello there"
    assert not named(client.events, "response.output_audio.delta")


def test_transcripts_carry_no_leading_blank() -> None:
    """The pieces together are the transcript."""
    client = Client()
    client.server.told(" Good")
    client.play(0.1, agent=True)
    client.server.told(" morning")
    client.play(0.6)
    deltas = [event["delta"] for event in named(client.events, "response.output_audio_transcript.delta")]
    (done,) = named(client.events, "response.output_audio_transcript.done")
    assert "".join(deltas) == done["transcript"] == "Good morning"


@pytest.mark.parametrize("when", ["at once", "while it is said", "when it was said"])
def test_a_commit_is_answered_by_its_answer(when: str) -> None:
    """A response asked for by a commit holds what the agent says after it heard the question, not its opening."""
    client = Client(type=None)
    client.append(1.0)
    client.send("input_audio_buffer.commit")
    client.play(0.5, agent=True)  # the opening, over the question
    client.play(1.0)
    assert not named(client.events, "response.created")
    if when == "at once":
        client.send("response.create")
    client.play(0.5, agent=True)
    if when == "while it is said":
        client.send("response.create")
    client.play(0.3, agent=True)
    client.play(0.6)
    if when == "when it was said":
        client.send("response.create")
    (done,) = named(client.events, "response.done")
    sound = sum(
        len(base64.b64decode(event["delta"])) // 2 for event in named(client.events, "response.output_audio.delta")
    )
    assert done["response"]["status"] == "completed" and len(done["response"]["output"]) == 1
    assert 0.8 <= sound / RATE <= 1.6


def test_a_turn_is_answered_unasked_only_where_the_client_wants_that() -> None:
    """`create_response: false`: turns are found, and the answer waits for response.create."""
    client = Client(type="server_vad", create_response=False)
    client.append(1.0)
    client.play(1.2)
    client.play(0.5, agent=True)
    client.play(0.6)
    assert named(client.events, "input_audio_buffer.committed") and not named(client.events, "response.created")
    answer = client.send("response.create")
    assert [answer[0]["type"], answer[-1]["type"]] == ["response.created", "response.done"]


@pytest.mark.parametrize(("interrupt", "statuses"), [(True, ["cancelled"]), (False, ["completed"])])
def test_speech_cancels_a_response_only_where_the_client_wants_that(interrupt: bool, statuses: list[str]) -> None:
    """`interrupt_response: false`: the agent's response goes on under the client's speech."""
    client = Client(type="server_vad", interrupt_response=interrupt)
    client.play(0.5, agent=True)
    client.append(0.5)
    client.play(0.5, agent=True)
    client.play(1.0)
    assert [event["response"]["status"] for event in named(client.events, "response.done")] == statuses


def test_a_truncation_to_nothing_is_taken() -> None:
    """0 ms of an item is an amount as any other; its words are forgotten with its sound."""
    client = Client()
    client.server.told(" Hello")
    client.play(0.5, agent=True)
    client.play(0.6)
    (item,) = [event["item"]["id"] for event in named(client.events, "conversation.item.added")]
    (answer,) = client.send("conversation.item.truncate", item_id=item, content_index=0, audio_end_ms=0)
    assert (answer["type"], answer["audio_end_ms"]) == ("conversation.item.truncated", 0)
    (got,) = client.send("conversation.item.retrieve", item_id=item)
    assert got["item"]["content"][0]["transcript"] == ""


@pytest.mark.parametrize("type_", ["output_audio_buffer.clear", "transcription_session.update", "no.such", None, ["x"]])
def test_no_event_ends_a_session(type_: Any) -> None:
    """Whatever the type, it is answered and the session goes on."""
    client = Client()
    assert len(client.send(type_, session={}, event_id={"no": "text"})) == 1
    assert client.item("x")[0]["type"] == "conversation.item.added"


def test_function_tools_and_their_outputs_are_taken() -> None:
    """Tools are told back; an output is an item."""
    client = Client()
    tool = {"type": "function", "name": "f", "parameters": {"type": "object"}}
    (updated,) = client.send("session.update", session={"type": "realtime", "tools": [tool]})
    assert updated["session"]["tools"] == [tool]
    output = {"type": "function_call_output", "call_id": "c", "output": "done"}
    assert client.send("conversation.item.create", item=output)[1]["type"] == "conversation.item.done"


def test_sound_cut_anywhere_is_heard_whole() -> None:
    """Pieces of an odd number of bytes are joined to the samples they were cut from."""
    client = Client(type=None)
    data = (np.tile(LOUD, 10) * 32767).astype("<i2").tobytes()
    for start in range(0, len(data), 333):
        client.send("input_audio_buffer.append", audio=base64.b64encode(data[start : start + 333]).decode())
    client.send("input_audio_buffer.commit")
    heard = np.concatenate([client.server.hear(FRAME) for _ in range(10)])
    assert (heard * 32768).astype("<i2").tobytes() == data


def test_fifteen_mebibytes_are_taken_at_once() -> None:
    """The original's limit of an append, five and a half minutes; more is an error, told before it is decoded."""
    client = Client()
    largest = base64.b64encode(bytes(15 * 2**20)).decode()
    assert client.send("input_audio_buffer.append", audio=largest) == []
    (answer,) = client.send("input_audio_buffer.append", audio=largest + "AAAAAAAA")
    assert answer["error"]["code"] == "audio_too_large"


def test_ten_thousand_items_cost_no_more_each_than_ten() -> None:
    """Items are linked, not searched: what is one too many is refused, and nothing slows down before."""
    client = Client()
    for number in range(10_000):
        client.item(f"i{number}", previous_item_id="root")
    (answer,) = client.item("more")
    assert answer["error"]["code"] == "conversation_full"
