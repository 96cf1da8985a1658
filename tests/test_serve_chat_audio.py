"""Rules of the served chat protocol with audio, through real sockets on loopback."""

import base64
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from agents.chat_audio.server_request import read_request
from simulator.serving.listening import DoorSpec
from simulator.serving.service import Limits
from simulator.session import read_session
from tests.contracts.http_peers import Json, ask, served, sound_in, spoken_wav, wav
from tests.told_events import assert_events_known

PATH = "/v1/chat/completions"
ANSWERING: Json = {
    "kind": "turn_based",
    "endpoint": "300ms",
    "ears": "level",
    "responder": {"kind": "rules", "rules": [{"say": ["of course", "as I said", "for the third time"]}]},
}
FAST: Json = {"patience": "1s", "quiet": "300ms"}


def user(*parts: Any, role: str = "user") -> Json:
    """A message."""
    return {"role": role, "content": list(parts)}


def audio(data: str | None = None) -> Json:
    """A part that holds sound."""
    return {"type": "input_audio", "input_audio": {"data": data or spoken_wav(), "format": "wav"}}


def text(words: str) -> Json:
    """A part that holds text."""
    return {"type": "text", "text": words}


def reply(answer: Json) -> str:
    """The text of an answer, without its debug_info."""
    return str(answer["choices"][0]["message"]["content"]).partition("\n<debug_info>")[0]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """A server that lasts for the module, and its folder."""
    folder = tmp_path_factory.mktemp("served")
    with served(ANSWERING, "chat_audio", folder, limits=Limits(sessions=100), **FAST) as url:
        yield url, folder
    assert_events_known(folder)


@pytest.mark.parametrize("style", ["input_audio", "audio_url", "with text", "flac", "stereo 44.1 kHz"])
def test_a_spoken_turn_is_answered_with_both_channels(server: tuple[str, Path], style: str) -> None:
    """User left, agent right, from the turn's beginning; the reply follows the question."""
    parts = [audio()]
    if style == "audio_url":
        parts = [{"type": "audio_url", "audio_url": {"url": f"data:audio/wav;base64,{spoken_wav()}"}}]
    elif style == "with text":
        parts = [text("answer this"), audio()]
    elif style != "input_audio":
        samples, rate = sound_in(spoken_wav(rate=44_100 if "44.1" in style else 16_000))
        both = np.repeat(samples, 2, axis=1) if "stereo" in style else samples
        parts = [audio(wav(both, rate, format="FLAC" if style == "flac" else "WAV"))]
    status, answer = ask(
        server[0], PATH, {"model": "any", "messages": [user(text(style), role="system"), user(*parts)]}
    )
    assert (status, reply(answer), answer["object"]) == (200, "of course", "chat.completion")
    message = answer["choices"][0]["message"]
    sound, rate = sound_in(message["audio"]["data"])
    assert (message["audio"]["format"], message["audio"]["transcript"], rate) == ("wav", "of course", 24_000)
    left, right = (np.flatnonzero(np.abs(sound[:, channel]) > 0.003) for channel in (0, 1))
    assert left[0] < 4800 and 0 < right[0] - left[-1] < 12_000
    assert answer["usage"] == {"prompt_tokens": -1, "completion_tokens": 2, "total_tokens": -1}


def test_debug_info_is_in_the_content_and_beside_it(server: tuple[str, Path]) -> None:
    """Frames of 80 ms, each with the words that begin in it; lists of equal length."""
    _, answer = ask(server[0], PATH, {"messages": [user(audio())]})
    content = answer["choices"][0]["message"]["content"]
    inner = json.loads(content.partition("<debug_info>")[2].removesuffix("</debug_info>"))
    assert inner == answer["debug_info"]
    rows = inner["frame_alignment"]
    assert {len(values) for values in rows.values()} == {inner["total_frames"]}
    words = [word for word in rows["agent_stream_decoded"] if word != "<SPECIAL_12>"]
    assert words == [" of", " course"]
    assert rows["user_stream"][0] == "user_turn" and rows["user_stream"][-1] == "agent_response"
    assert (inner["session_id"], inner["stop_reason"]) == (answer["session_id"], "silence")


def test_text_alone_is_answered_too(server: tuple[str, Path]) -> None:
    """It is spoken to the actor."""
    status, answer = ask(server[0], PATH, {"messages": [{"role": "user", "content": "hello, who is there?"}]})
    assert (status, reply(answer)) == (200, "of course")
    sound, _ = sound_in(answer["choices"][0]["message"]["audio"]["data"])
    assert np.abs(sound[:, 0]).max() > 0.05


def test_sampling_settings_are_taken_and_noted(server: tuple[str, Path]) -> None:
    """They change nothing that an actor could be told, but the folder keeps them."""
    settings = {"max_tokens": 50, "temperature": 0.5, "top_p": 0.9, "seed": 7}
    _, answer = ask(server[0], PATH, {"messages": [user(text("x"), audio())], **settings})
    folder = server[1] / answer["id"].removeprefix("chatcmpl-").rpartition("-")[0]
    ask(server[0], f"/v1/sessions/{answer['session_id']}", method="DELETE")
    session = read_session(folder)
    assert session.by_type["client_message"][0].data["settings"] == settings
    assert session.meta.status == "completed"


def test_a_dialogue_goes_on_by_its_history(server: tuple[str, Path]) -> None:
    """The same actor answers the second turn, in the same session."""
    first = user(audio(spoken_wav("hello, this is history")))
    _, one = ask(server[0], PATH, {"messages": [first]})
    history = [first, {"role": "assistant", "content": reply(one)}, user(audio())]
    _, two = ask(server[0], PATH, {"messages": history})
    assert (reply(one), reply(two)) == ("of course", "as I said")
    assert two["session_id"] == one["session_id"]
    history += [{"role": "assistant", "content": reply(two)}, user(audio())]
    assert reply(ask(server[0], PATH, {"messages": history})[1]) == "for the third time"


def test_other_sound_is_another_dialogue(server: tuple[str, Path]) -> None:
    """Strangers whose texts are the same never go on with each other's talk."""
    mine, theirs = user(audio(spoken_wav("this is me"))), user(audio(spoken_wav("and this is me")))
    _, one = ask(server[0], PATH, {"messages": [mine]})
    said = {"role": "assistant", "content": reply(one)}
    _, other = ask(server[0], PATH, {"messages": [theirs, said, user(audio())]})
    assert reply(other) == "of course"
    assert other["session_id"] != one["session_id"]


def test_two_who_ask_the_very_same_have_a_dialogue_each(server: tuple[str, Path]) -> None:
    """Both go on with their own: each second turn is a second turn."""
    first = user(audio(spoken_wav("the very same words")))
    answers = [ask(server[0], PATH, {"messages": [first]})[1] for _ in range(2)]
    assert answers[0]["session_id"] != answers[1]["session_id"]
    following = [first, {"role": "assistant", "content": "of course"}, user(audio())]
    again = [ask(server[0], PATH, {"messages": following})[1] for _ in range(2)]
    assert [reply(answer) for answer in again] == ["as I said", "as I said"]
    assert {answer["session_id"] for answer in again} == {answer["session_id"] for answer in answers}


def test_who_was_never_given_the_reply_goes_on_with_nobodys_dialogue(server: tuple[str, Path]) -> None:
    """The same first question is not enough."""
    first = user(audio(spoken_wav("a question anybody asks")))
    _, one = ask(server[0], PATH, {"messages": [first]})
    stranger = [first, {"role": "assistant", "content": "something else"}, user(audio())]
    _, other = ask(server[0], PATH, {"messages": stranger})
    assert other["session_id"] != one["session_id"] and reply(other) == "of course"


@pytest.mark.parametrize("place", ["nested", "top level"])
def test_a_dialogue_goes_on_by_its_id(server: tuple[str, Path], place: str) -> None:
    """In a literal `extra_body`, or at top level."""
    _, one = ask(server[0], PATH, {"messages": [user(audio())]})
    named = {"session_id": one["session_id"]}
    extra: Json = {"extra_body": named} if place == "nested" else named
    _, two = ask(server[0], PATH, {"messages": [user(audio())], **extra})
    assert (reply(two), two["session_id"]) == ("as I said", one["session_id"])
    assert two["debug_info"]["turn"] == 2


def test_sessions_are_listed_looked_at_and_deleted(server: tuple[str, Path]) -> None:
    """Ids are looked up, never made into a path."""
    _, one = ask(server[0], PATH, {"messages": [user(audio())]})
    name = one["session_id"]
    assert len(name) == 16 and int(name, 16) >= 0
    _, listed = ask(server[0], "/v1/sessions")
    assert listed["count"] == len(listed["sessions"])
    assert listed["ttl_seconds"] == 300
    assert name in [info["session_id"] for info in listed["sessions"]]
    status, info = ask(server[0], f"/v1/sessions/{name}")
    assert (status, info["turn_count"]) == (200, 1)
    status, gone = ask(server[0], f"/v1/sessions/{name}", method="DELETE")
    assert (status, gone["success"], gone["turn_texts"]) == (200, True, ["of course"])
    assert read_session(server[1] / gone["recorded_as"]).meta.status == "completed"
    for path, body, method in [
        (f"/v1/sessions/{name}", None, "GET"),
        (f"/v1/sessions/{name}", None, "DELETE"),
        ("/v1/sessions/..%2f..%2fetc", None, "GET"),
        (PATH, {"messages": [user(audio())], "session_id": name}, "POST"),
    ]:
        assert ask(server[0], path, body, method=method)[0] == 404


def test_without_sessions_there_are_none(tmp_path: Path) -> None:
    """404 for every one, and each request is answered by an actor of its own."""
    with served(ANSWERING, "chat_audio", tmp_path, sessions=False, **FAST) as url:
        _, one = ask(url, PATH, {"messages": [user(audio())]})
        assert "session_id" not in one
        history = [user(audio()), {"role": "assistant", "content": "of course"}, user(audio())]
        assert reply(ask(url, PATH, {"messages": history})[1]) == "of course"
        assert ask(url, "/v1/sessions")[0] == 404
        assert ask(url, "/v1/sessions/0123456789abcdef")[0] == 404
        assert ask(url, PATH, {"messages": [user(audio())], "extra_body": {"session_id": "x"}})[0] == 404
    assert len(list(tmp_path.glob("serve-*"))) == 2


def test_what_every_server_of_the_kind_has(server: tuple[str, Path]) -> None:
    """Its root, its health, its models."""
    assert PATH in ask(server[0], "/")[1]["endpoints"]
    status, health = ask(server[0], "/health")
    assert (status, health["status"], health["backend"]) == (200, "healthy", "turn_based")
    assert ask(server[0], "/v1/models")[1]["data"][0]["id"] == "turn_based"


BAD_SOUND = base64.b64encode(b"this is no sound file").decode()


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        (b"no json", "the body is no JSON"),
        (b"[]", "the body is no JSON object"),
        (b"[" * 3000, "the body is no JSON"),
        ({}, "No messages provided"),
        ({"messages": []}, "No messages provided"),
        ({"messages": "hello"}, "No messages provided"),
        ({"messages": [{"role": "user", "content": " "}]}, "Request must have either text or audio input"),
        ({"messages": [{"role": "user"}]}, "Request must have either text or audio input"),
        ({"messages": [{"content": "hello"}]}, "messages[0]: expected an object with a role"),
        ({"messages": ["hello"]}, "messages[0]: expected an object with a role"),
        ({"messages": [{"role": "user", "content": 5}]}, "messages[0].content: expected a text or a list"),
        ({"messages": [user(text("x"), "hello")]}, "messages[0].content[1]: expected a part of type text"),
        ({"messages": [user({"type": "image_url"})]}, "messages[0].content[0]: expected a part of type text"),
        ({"messages": [user({"type": "input_audio"})]}, "input_audio.data: expected a text"),
        ({"messages": [user(audio("####"))]}, "input_audio.data: is not base64"),
        ({"messages": [user(audio(BAD_SOUND))]}, "the audio does not decode"),
        (
            {"messages": [user(audio(BAD_SOUND)), {"role": "assistant", "content": "x"}, user(text("y"))]},
            "the audio does not decode",
        ),
        ({"messages": [user(audio(wav(np.zeros(0))))]}, "the audio is empty"),
        ({"messages": [user(audio(wav(np.zeros(601 * 4_000), 4_000, format="FLAC")))]}, "the audio is 601 s long"),
        (
            {"messages": [user({"type": "audio_url", "audio_url": {"url": "http://127.0.0.1/x.wav"}})]},
            "only data: URLs",
        ),
        ({"messages": [user({"type": "audio_url", "audio_url": {"url": "file:///etc/passwd"}})]}, "only data: URLs"),
        (
            {"messages": [user({"type": "audio_url", "audio_url": {"url": "data:audio/wav,abc"}})]},
            "expected data:audio",
        ),
        ({"messages": [user(text("x"))], "stream": True}, "stream: answers are given whole"),
        (
            {"messages": [user(text("x"))], "temperature": "hot"},
            "temperature: expected a number from 0 to 2, found hot",
        ),
        ({"messages": [user(text("x"))], "max_tokens": 0}, "max_tokens: expected an integer of at least 1, found 0"),
        ({"messages": [user(text("x"))], "top_p": 2}, "top_p: expected"),
        ({"messages": [user(text("x"))], "seed": 1.5}, "seed: expected an integer, found 1.5"),
        ({"messages": [user(text("x"))], "session_id": 5}, "session_id: expected a text, found int"),
    ],
)
def test_what_is_wrong_is_refused_with_a_sentence(server: tuple[str, Path], body: Json | bytes, detail: str) -> None:
    """400 with `detail`, and no session is begun."""
    before = len(list(server[1].glob("serve-*")))
    status, answer = ask(server[0], PATH, body)
    assert status == 400
    assert detail in answer["detail"]
    assert len(list(server[1].glob("serve-*"))) == before


def test_an_actor_that_fails_is_500_and_ends_its_dialogue_only(tmp_path: Path) -> None:
    """The client is told in a sentence; the next request gets a new actor."""
    (tmp_path / "breaking_agent.py").write_text(
        "def answer(turn, history):\n    if history:\n        raise ValueError('lost the thread')\n    return 'fine'\n"
    )
    responder = {"kind": "function", "call": "breaking_agent:answer", "folder": str(tmp_path)}
    with served({**ANSWERING, "responder": responder}, "chat_audio", tmp_path / "runs", **FAST) as url:
        _, one = ask(url, PATH, {"messages": [user(audio())]})
        status, answer = ask(url, PATH, {"messages": [user(audio())], "session_id": one["session_id"]})
        assert (status, set(answer)) == (500, {"detail"})
        assert "ValueError: lost the thread" in answer["detail"]
        assert ask(url, f"/v1/sessions/{one['session_id']}")[0] == 404
        assert reply(ask(url, PATH, {"messages": [user(audio())]})[1]) == "fine"
    assert read_session(tmp_path / "runs" / "serve-chat-audio-0").meta.status == "failed"
    assert read_session(tmp_path / "runs" / "serve-chat-audio-1").meta.status == "completed"


def test_the_fallback_is_said_where_the_actor_says_nothing(tmp_path: Path) -> None:
    """After the client's sound, on the agent's channel."""
    with served(
        {"kind": "silent"}, "chat_audio", tmp_path, patience="300ms", fallback="Pardon me?", stamps=True
    ) as url:
        _, answer = ask(url, PATH, {"messages": [user(audio())]})
    assert reply(answer).startswith("<|") and "Pardon me?" in reply(answer)
    assert answer["debug_info"]["stop_reason"] == "fallback"


def test_the_dialogue_that_waited_longest_makes_room(tmp_path: Path) -> None:
    """By capacity or by places; the TTL ends one too. Every folder is finished."""
    with served(ANSWERING, "chat_audio", tmp_path, capacity=2, **FAST) as url:
        names = [
            ask(url, PATH, {"messages": [user(audio(spoken_wav(words)))]})[1]["session_id"]
            for words in ("one", "two and more", "three of them")
        ]
        kept = [info["session_id"] for info in ask(url, "/v1/sessions")[1]["sessions"]]
        assert kept == names[1:]
    with served(ANSWERING, "chat_audio", tmp_path / "places", limits=Limits(sessions=1), **FAST) as url:
        for words in ("one", "two and more"):
            assert ask(url, PATH, {"messages": [user(audio(spoken_wav(words)))]})[0] == 200
        assert ask(url, "/v1/sessions")[1]["count"] == 1
    with served(ANSWERING, "chat_audio", tmp_path / "ttl", ttl="100ms", limits=Limits(idle_s=0.2), **FAST) as url:
        name = ask(url, PATH, {"messages": [user(audio())]})[1]["session_id"]
        for _ in range(100):
            if ask(url, f"/v1/sessions/{name}")[0] == 404:
                break
            threading.Event().wait(0.02)
        else:
            pytest.fail("it outlived its ttl")
    for folder in tmp_path.rglob("session.json"):
        assert read_session(folder.parent).meta.status == "completed"


def test_turns_of_one_dialogue_wait_for_each_other(server: tuple[str, Path]) -> None:
    """Four at once in the same session: four turns, one after the other."""
    _, one = ask(server[0], PATH, {"messages": [user(audio())]})
    numbers: list[int] = []

    def go_on() -> None:
        _, answer = ask(server[0], PATH, {"messages": [user(audio())], "session_id": one["session_id"]})
        numbers.append(answer["debug_info"]["turn"])

    threads = [threading.Thread(target=go_on) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert sorted(numbers) == [2, 3, 4, 5]


def test_the_openai_package_talks_to_it(server: tuple[str, Path]) -> None:
    """With its own way to write a nested extra_body."""
    from openai import OpenAI

    with OpenAI(base_url=f"{server[0]}/v1", api_key="none") as client:
        create: Any = client.chat.completions.create
        one = create(model="any", messages=[user(audio())])
        assert one.choices[0].message.audio.transcript == "of course"
        two = create(model="any", messages=[user(audio())], extra_body={"extra_body": {"session_id": one.session_id}})
        assert two.choices[0].message.audio.transcript == "as I said"


def test_a_token_is_demanded_everywhere_but_at_health(tmp_path: Path) -> None:
    """401, before a body is looked at."""
    with served({"kind": "silent"}, "chat_audio", tmp_path, door=DoorSpec(token="right"), patience="200ms") as url:
        assert ask(url, "/health")[0] == 200
        assert ask(url, "/v1/models")[0] == ask(url, PATH, b"nonsense")[0] == 401
        assert ask(url, PATH, {"messages": [user(audio())]}, headers={"Authorization": "Bearer right"})[0] == 200


def test_keys_tell_role_text_and_sound() -> None:
    """16 hex digits; what differs in any of them differs in the key, and parts cannot run into each other."""
    bodies = [
        [{"role": "user", "content": "ab"}],
        [{"role": "user", "content": "a"}, {"role": "user", "content": "b"}],
        [{"role": "assistant", "content": "ab"}],
        [user(text("ab"), audio(spoken_wav("x")))],
        [user(text("ab"), audio(spoken_wav("y")))],
        [{"role": "user", "content": 'ab",["'}],
    ]
    keys = [read_request(json.dumps({"messages": messages}).encode()).key for messages in bodies]
    assert len(set(keys)) == len(keys)
    assert all(len(key) == 16 and int(key, 16) >= 0 for key in keys)


@pytest.mark.parametrize("told", ["with debug_info", "by audio id"])
def test_a_reply_may_come_back_as_it_was_given(server: tuple[str, Path], told: str) -> None:
    """A client that repeats the whole content, or the sound's id, goes on with its own dialogue."""
    first = user(audio(spoken_wav(f"a question {told}")))
    _, one = ask(server[0], PATH, {"messages": [first]})
    message = one["choices"][0]["message"]
    back = {"content": message["content"]} if "debug" in told else {"audio": {"id": message["audio"]["id"]}}
    _, two = ask(server[0], PATH, {"messages": [first, {"role": "assistant", **back}, user(audio())]})
    assert (reply(two), two["session_id"]) == ("as I said", one["session_id"])
