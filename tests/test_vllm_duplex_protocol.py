"""Rules of the duplex client's core: message logs in, what it sends and says out."""

import base64
import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from agents.remote.peer_core import Send
from agents.vllm.duplex import VllmDuplexSpec
from agents.vllm.protocol import DuplexCore
from simulator.errors import RemoteError, ScenarioError
from simulator.sound import recordings
from simulator.spec import decode
from simulator.testing import burst, scenario_of
from tests.contracts.duplex_services import ABLE, BARGE_IN, listen, opened, over, speak, unit
from tests.contracts.peer_driver import Driver
from tests.contracts.peer_services import RATE, tone


def core(**spec: Any) -> DuplexCore:
    """A core that has not been greeted."""
    given = {"kind": "vllm_duplex", "model": "m", "jitter": "0s", **spec}
    return DuplexCore(decode(given, VllmDuplexSpec, source="test", folder=Path()).settings())


def driver(able: dict[str, Any] = ABLE, **spec: Any) -> Driver:
    """A core whose handshake is over, stepped once."""
    return Driver(core(**spec)).receive(*opened({}, able)).step()


def test_the_first_update_names_the_model_and_leaves_the_turns_to_it() -> None:
    """Turn detection is null, which says so here; history holds what was acknowledged."""
    (update,) = core(instructions="Be brief.", session={"temperature": 0.6}).opening()
    session = update["session"]
    assert (update["type"], session["model"], session["turn_detection"]) == ("session.update", "m", None)
    assert (session["overlap_policy"], session["playback_commit_policy"]) == ("listen_only", "ack_only")
    assert (session["input_audio_format"], session["sample_rate_hz"]) == ("pcm16", 16_000)
    assert session["audio"] == {"input": {"sample_rate_hz": 16_000}, "output": {"sample_rate_hz": 24_000}}
    assert (session["instructions"], session["temperature"]) == ("Be brief.", 0.6)
    assert "voice" not in session and "ref_audio" not in session


def test_a_detector_of_the_server_cuts_the_model_off() -> None:
    """Only what is given is sent; the policy goes with it."""
    (update,) = core(vad={"kind": "server", "silence": "400ms"}).opening()
    assert update["session"]["turn_detection"] == {"type": "server_vad", "silence_duration_ms": 400}
    assert update["session"]["overlap_policy"] == "barge_in_on_speech"


def test_a_voice_goes_along_as_a_wav(tmp_path: Path) -> None:
    """A data URL of 16 kHz, whatever the file is."""
    soundfile.write(tmp_path / "voice.flac", burst(48_000), 48_000)
    (update,) = core(ref_audio=str(tmp_path / "voice.flac")).opening()
    kind, data = update["session"]["ref_audio"].split(",")
    sound, rate = soundfile.read(io.BytesIO(base64.b64decode(data)))
    assert (kind, rate, sound.shape) == ("data:audio/wav;base64", 16_000, (16_000,))
    assert np.abs(sound - recordings.load(tmp_path / "voice.flac", 16_000)).max() < 1 / 32_000


@pytest.mark.parametrize(
    ("agent", "message"),
    [
        ({"speaks_first": True}, r"\.speaks_first: nobody can ask this model to speak"),
        ({"stall_timeout": "5s"}, r"\.stall_timeout: no answer is ever due from a model that may listen"),
        ({"ref_audio": "nowhere.wav"}, r"\$\.agent\.ref_audio: .*nowhere\.wav"),
        ({"ref_audio": "long.wav"}, r"\.ref_audio: .*long\.wav: holds 61\.0 s; a voice is shown in 60 s at most"),
    ],
)
def test_what_the_protocol_has_no_word_for_is_refused(agent: dict[str, Any], message: str, tmp_path: Path) -> None:
    """Before anything is dialled."""
    soundfile.write(tmp_path / "long.wav", np.zeros(61 * 8000), 8000)
    with pytest.raises(ScenarioError, match=message):
        scenario_of({"user": "silent", "agent": {"kind": "vllm_duplex", "model": "m", **agent}}, tmp_path)


def test_neither_commits_nor_responses_are_asked_for() -> None:
    """Speech and its end are sound and nothing else."""
    peer = driver().drop().step(20, speech=True).step(40)
    assert (peer.sent, peer.sounds) == ([], 61)


def test_what_is_heard_may_be_sent_as_floats() -> None:
    """To the bit, little-endian."""
    made = core(audio_format="pcm_f32le")
    made.hear(burst(320), 0)
    sends = [action for action in made.actions.take() if isinstance(action, Send)]
    sent = base64.b64decode(sends[0].message["audio"])
    assert np.array_equal(np.frombuffer(sent, "<f4"), burst(320))


def test_the_lease_is_kept_and_the_servers_journal_acknowledged() -> None:
    """A heartbeat every 30 s, what was received last every 5 s."""
    peer = driver().receive({"type": "rate_limits.updated", "server_event_seq": 7}).drop().step(1549)
    assert peer.types().count("session.heartbeat") == 1
    acks = [message for message in peer.sent if message["type"] == "session.event_ack"]
    assert [message["server_event_seq"] for message in acks] == [7] * 6


def test_acknowledgements_count_what_was_really_heard() -> None:
    """Cumulative, every 200 ms, and once more at the end: 500 ms of sound in 26 frames; padding counts nothing."""
    peer = driver().receive(*speak("r"), *unit("r", tone(0.5), "one"), *over("r")).drop().step(30)
    acks = [(message["played_ms"], message["committed_ms"]) for message in peer.sent]
    assert acks == [(200, 200), (400, 400), (500, 500)]
    assert {(message["response_id"], message["item_id"]) for message in peer.sent} == {("r", "item_r")}
    assert peer.noted("audio_end") == [{"id": "item_r", "said_samples": RATE // 2, "cut": False}]


def test_an_interruption_truncates_at_what_was_heard() -> None:
    """110 ms of an item were said in eight frames; the server is told so, and the rest is not said any more."""
    peer = driver().receive(*speak("r"), *unit("r", tone(0.11))).step(8).receive(*unit("r", tone(1.0))).drop()
    peer.receive(BARGE_IN, *over("r", "cancelled", "barge_in"), *unit("r", tone(1.0))).step(5)
    (ack,) = peer.sent
    assert (ack["type"], ack["played_ms"], ack["truncate"]) == ("playback.ack", 110, True)
    (end,) = peer.noted("audio_end")
    assert (end["said_samples"], end["cut"], end["dropped_samples"]) == (int(0.11 * RATE), True, RATE)
    assert peer.sound() == int(0.11 * RATE)
    assert peer.noted("response_end") == [{"id": "r", "status": "cancelled", "reason": "barge_in"}]
    assert peer.receive(*speak("s"), *unit("s", tone(0.1))).step(6).sound() == int(0.21 * RATE)


def test_a_model_that_cannot_truncate_is_not_asked_to() -> None:
    """Its capabilities say so."""
    peer = driver({"supports_audio_truncate": False}).receive(*speak("r"), *unit("r", tone(1.0))).step(5).drop()
    (ack,) = peer.receive(*over("r", "cancelled")).sent
    assert (ack["played_ms"], "truncate" in ack) == (100, False)


def test_a_decision_to_listen_comes_before_it_is_heard() -> None:
    """What was sent is said; nobody told whether the turn was over, so nothing is told of that either."""
    peer = driver().receive(listen(), listen(), *speak("r"), *unit("r", tone(0.4), "Well, "), listen(), listen())
    assert [(fields["by"], fields["choice"]) for fields in peer.noted("decision")] == [
        ("model", "listen"), ("model", "speak"), ("model", "listen")]  # fmt: skip
    assert peer.step(25).sound() == int(0.4 * RATE)
    assert peer.noted("audio_end") == [{"id": "item_r", "said_samples": int(0.4 * RATE)}]
    assert peer.noted("transcript") == [{"of": "agent", "id": "item_r", "text": "Well,"}]


def test_an_item_that_is_marked_as_the_turns_end_is_whole() -> None:
    """Also where no response.done ever comes."""
    peer = driver().receive(*speak("r"), *unit("r", tone(0.1), end_of_turn=True), listen()).step(8)
    assert peer.noted("audio_end") == [{"id": "item_r", "said_samples": int(0.1 * RATE), "cut": False}]


def test_a_server_that_waits_for_more_sound_is_no_decision() -> None:
    """Half a unit is buffered while the model speaks: it goes on."""
    peer = driver().receive(*speak("r"), *unit("r", tone(0.1)), listen("buffering"), *unit("r", tone(0.1)), *over("r"))
    assert [fields["choice"] for fields in peer.noted("decision")] == ["speak"]
    assert peer.step(12).noted("audio_end") == [{"id": "item_r", "said_samples": int(0.2 * RATE), "cut": False}]


def test_a_model_that_only_gives_way_by_itself_does_not_tell_whether_it_was_over() -> None:
    """It ends a turn that it gives up with the same words as one that it finished."""
    peer = driver({"supports_barge_in": False}).receive(
        *speak("r"), *unit("r", tone(0.1), end_of_turn=True), *over("r")
    )
    assert peer.step(8).noted("audio_end") == [{"id": "item_r", "said_samples": int(0.1 * RATE)}]


def test_the_same_decision_is_told_once() -> None:
    """The server's rule repeats itself with every append; a new turn of the model begins anew."""
    drop = {"type": "overlap.decision", "action": "drop", "reason": "short_ack", "policy": "listen_only"}
    peer = driver().receive(*speak("r"), drop, drop, BARGE_IN, *speak("s"), drop)
    assert [(fields["by"], fields["choice"], fields.get("id") or fields.get("reason"))
            for fields in peer.noted("decision")] == [
        ("model", "speak", "r"), ("overlap", "drop", "short_ack"),
        ("overlap", "barge_in", "server_vad_utterance_active"),
        ("model", "speak", "s"), ("overlap", "drop", "short_ack")]  # fmt: skip


def test_sound_at_another_rate_is_told_with_what_to_write() -> None:
    """Nemotron VoiceChat speaks at 22.05 kHz."""
    sound = unit("r", tone(0.1, 22_050), rate=22_050)
    with pytest.raises(RemoteError, match=r"speaks at 22050 Hz and not at 24000; write `output_rate: 22050`"):
        driver().receive(*sound)
    peer = driver(output_rate=22_050).receive(*speak("r"), *sound).step(8)
    assert peer.sound() == 2205


def test_speech_that_cannot_interrupt_is_told_at_the_handshake() -> None:
    """By the capabilities of the model, whatever its name."""
    made = core(vad={"kind": "server"})
    with pytest.raises(RemoteError, match=r"speech does not cut off \(supports_barge_in: false\); leave out `vad`"):
        made.receive(opened({}, {"supports_barge_in": False})[0], -1)


def test_functions_are_answered_and_no_response_asked_for() -> None:
    """The model goes on by itself."""
    item = {"type": "function_call", "call_id": "c", "name": "book", "arguments": '{"people": 3}'}
    peer = driver(tools=[{"name": "book", "answer": {"booked": True}}]).drop()
    peer.receive({"type": "response.output_item.done", "response_id": "f", "item": item}).step(2)
    assert [(message["type"], message["item"]["output"]) for message in peer.sent] == [
        ("conversation.item.create", '{"booked":true}')]  # fmt: skip
    assert peer.noted("tool_call")[0]["arguments"] == {"people": 3}


def test_the_goodbye_says_what_was_heard() -> None:
    """The last ack, then session.close; the answer to it is the end."""
    peer = driver().receive(*speak("r"), *unit("r", tone(1.0))).step(6).drop()
    made = peer.core
    made.close(peer.at)
    sent = [action.message for action in made.actions.take() if isinstance(action, Send)]
    assert [(message["type"], message.get("played_ms")) for message in sent] == [
        ("playback.ack", 120), ("session.close", None)]  # fmt: skip
    assert not made.ended
    made.receive({"type": "session.closed", "reason": "client_close"}, peer.at)
    assert made.ended


@pytest.mark.parametrize("type_", ["session.closed", "session.expired", "session.replaced"])
def test_a_session_that_the_server_ends_is_no_session_any_more(type_: str) -> None:
    """Its reason, or the word for it."""
    with pytest.raises(RemoteError, match=r"closed the session: (idle_ttl_expired|session\.replaced)"):
        driver().receive({"type": type_, **({} if "replaced" in type_ else {"reason": "idle_ttl_expired"})})
