"""A duplex model served frame by frame, through real sockets on loopback."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from agents.chat_audio.server import ChatAudioServerSpec
from agents.duplex.model import Mask, ModelSpec, Placement, StepAudio, StepOutput
from agents.duplex_model import DuplexModelSpec
from simulator.errors import ScenarioError
from simulator.frame import Samples
from simulator.plugins import load
from simulator.session import read_session
from simulator.spec import decode
from simulator.testing import play_session
from tests.contracts.counter_model import CounterSpec
from tests.contracts.http_peers import Json, ask, served, sound_in, wav
from tests.scripted_model import SAID, ScriptedModel, ScriptedModelSpec, ScriptedPrompt

PATH = "/v1/chat/completions"
MODEL = ScriptedModelSpec(says={15: "<s>", 16: " hello", 17: " there", 18: "</s>", 40: " again"}, hears={5: " yes"},
                          loud=(15, 20))  # fmt: skip
LOOP: Json = {"silence_padding_sec": 0, "response_end_detection_mode": "eos", "num_frames_per_inference": 1}
SECOND = wav(np.full(16_000, 0.25))


class PairSpec(ModelSpec, frozen=True, kw_only=True, tag="pair"):
    """A model of two frames a step that nobody can change."""

    def audio(self) -> StepAudio:
        """Two frames of 80 ms."""
        return ScriptedModelSpec(frames_per_step=2).audio()


class GrowingSpec(ScriptedModelSpec, frozen=True, kw_only=True, tag="growing"):
    """A voice that is louder with every frame since it began."""

    def load(self, placement: Placement) -> "GrowingModel":
        """Make one."""
        return GrowingModel(self, placement.slots)


class GrowingModel(ScriptedModel):
    """Says 0.01 more with every frame."""

    def __init__(self, spec: ScriptedModelSpec, slots: int) -> None:
        super().__init__(spec, slots)
        self._level = np.zeros((slots, 1), np.float32)

    def open(self, slot: int, prompt: ScriptedPrompt, seed: int) -> int:
        """Begin a row, and its voice."""
        self._level[slot] = 0
        return super().open(slot, prompt, seed)

    def begin_turn(self, slot: int) -> None:
        """Begin the voice anew."""
        self._level[slot] = 0

    def step(self, pcm: Samples, active: Mask) -> StepOutput:
        """The script's pieces in that voice."""
        self._level[active] += 0.01
        output = super().step(pcm, active)
        return StepOutput(output.pcm + self._level, output.pieces)


def asked(*sounds: str, **more: Any) -> Json:
    """A request whose user message has so many sounds."""
    parts = [{"type": "input_audio", "input_audio": {"data": data, "format": "wav"}} for data in sounds]
    return {"messages": [{"role": "user", "content": parts}], **more}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """A server of the scripted model, with its folder of artifacts."""
    folder = tmp_path_factory.mktemp("loop")
    settings: Json = {**LOOP, "session_artifacts_dir": str(folder / "kept")}
    with served(DuplexModelSpec(model=MODEL), "chat_audio", folder / "runs", **settings) as url:
        yield url, folder


def test_a_turn_is_heard_and_answered_in_the_models_own_frames(server: tuple[str, Path]) -> None:
    """13 frames of sound, then silence up to the tenth padding behind the closing mark."""
    status, answer = ask(server[0], PATH, asked(SECOND))
    debug, message = answer["debug_info"], answer["choices"][0]["message"]
    told = [debug[name] for name in ("start_frame_idx", "turn_frames", "response_frames", "stop_reason", "asr_text")]
    assert (status, told) == (200, [0, 13, 16, "eos", "yes"])
    assert message["content"].startswith("<|1.2|> hello there<$1.44$>\n<debug_info>{")
    assert message["audio"]["transcript"] == debug["turn_texts"][0] == "<|1.2|> hello there<$1.44$>"
    sound, rate = sound_in(message["audio"]["data"])
    loud = np.flatnonzero(np.abs(sound[:, 1]) > 0.5)
    assert (rate, len(sound), loud[0], loud[-1]) == (22_050, 29 * SAID, 15 * SAID, 20 * SAID - 1)
    assert np.abs(sound).max() == pytest.approx(0.95, abs=1e-3)
    assert answer["usage"] == {"prompt_tokens": -1, "completion_tokens": 4, "total_tokens": -1}


def test_a_second_turn_goes_on_in_the_same_frames(server: tuple[str, Path]) -> None:
    """It begins at frame 29 of the model; the word in its frame 40 is 0.88 s into the turn; both files are kept."""
    url, folder = server
    _, one = ask(url, PATH, asked(SECOND))
    _, two = ask(url, PATH, asked(wav(np.full(1280, 0.25)), extra_body={"session_id": one["session_id"]}))
    debug = two["debug_info"]
    assert (debug["start_frame_idx"], debug["turn_frames"], debug["final_frame_idx"]) == (29, 1, 51)
    assert debug["turn_texts"] == ["<|1.2|> hello there<$1.44$>", "again"]
    _, info = ask(url, f"/v1/sessions/{one['session_id']}")
    assert (info["frame_idx"], info["turn_count"]) == (51, 2)
    assert (info["has_llm_cache"], info["has_input_embeds_history"]) == (True, False)
    kept = sorted(path.name[:6] + path.name[22:] for path in (folder / "kept" / one["session_id"]).iterdir())
    ends = ["_input.json", "_input.wav", "_output.json", "_output.wav"]
    assert kept == [f"turn{number:02d}{end}" for number in (0, 1) for end in ends]
    told = json.loads(Path(two["saved_json_path"]).read_text())
    assert (told["text"], told["audio_path"]) == ("again", two["saved_audio_path"])
    assert told["debug_info"]["final_frame_idx"] == 51 and told["generation_time_ms"] > 0
    _, gone = ask(url, f"/v1/sessions/{one['session_id']}", method="DELETE")
    assert (gone["success"], gone["turn_count"], gone["turn_texts"]) == (True, 2, debug["turn_texts"])
    whole, rate = soundfile.read(gone["session_audio_path"])
    frames = 22_050 + 29 * SAID + SAID + 22 * SAID + 4 * 11_025  # each side of both turns, half a second after each
    assert (rate, len(whole)) == (22_050, frames)
    assert read_session(folder / "runs" / gone["recorded_as"]).meta.sample_rate == 16_000


def test_a_voice_begins_anew_with_each_turn_and_the_model_goes_on(tmp_path: Path) -> None:
    """A voice that grows by as much with every frame ends both turns as many times louder as they have frames."""
    actor = DuplexModelSpec(model=GrowingSpec(says=MODEL.says))
    with served(actor, "chat_audio", tmp_path, **LOOP) as url:
        _, one = ask(url, PATH, asked(SECOND))
        _, two = ask(url, PATH, asked(wav(np.full(1280, 0.25)), extra_body={"session_id": one["session_id"]}))
    assert (one["debug_info"]["final_frame_idx"], two["debug_info"]["final_frame_idx"]) == (29, 51)
    for answer, frames in ((one, 29), (two, 22)):
        sound, _ = sound_in(answer["choices"][0]["message"]["audio"]["data"])
        assert sound[-1, 1] / sound[0, 1] == pytest.approx(frames, rel=0.01)


def test_a_dialogue_between_its_turns_keeps_nobody_waiting(server: tuple[str, Path]) -> None:
    """Strangers in the same batch are answered while it waits for its client, and it goes on after them."""
    one, *others = [ask(server[0], PATH, asked(SECOND))[1] for _ in range(3)]
    _, again = ask(server[0], PATH, asked(SECOND, session_id=one["session_id"]))
    assert [other["debug_info"]["start_frame_idx"] for other in others] == [0, 0]
    assert again["debug_info"]["start_frame_idx"] == 29


def test_the_oldest_dialogue_makes_room_in_the_model(tmp_path: Path) -> None:
    """Two slots, three dialogues: the third is answered at once, and the first is no more."""
    with served(DuplexModelSpec(model=MODEL, slots=2), "chat_audio", tmp_path, **LOOP) as url:
        ids = [ask(url, PATH, asked(SECOND))[1]["session_id"] for _ in range(3)]
        assert [ask(url, f"/v1/sessions/{id_}")[0] for id_ in ids] == [404, 200, 200]


def test_the_last_sound_of_the_history_is_the_turn(server: tuple[str, Path]) -> None:
    """Of two in a message the second is played."""
    _, answer = ask(server[0], PATH, asked(SECOND, wav(np.zeros(3 * 1280))))
    assert answer["debug_info"]["turn_frames"] == 3


def test_without_sessions_a_request_is_played_to_the_end_of_its_padding(tmp_path: Path) -> None:
    """5 s of it; two frames a step are the model's own; text alone has no sound; two sounds are refused."""
    settings: Json = {"sessions": False, "num_frames_per_inference": 2, "no_decode_audio": True,
                      "session_artifacts_dir": str(tmp_path / "kept")}  # fmt: skip
    with served(DuplexModelSpec(model=MODEL), "chat_audio", tmp_path / "runs", **settings) as url:
        _, answer = ask(url, PATH, asked(SECOND))
        status, refused = ask(url, PATH, asked(SECOND, SECOND))
    assert answer["debug_info"]["total_frames"] == 76
    assert answer["debug_info"]["frame_alignment"]["agent_stream_token"][15:18] == [115, 116, 117]
    assert set(answer["choices"][0]["message"]) == {"role", "content"} and "saved_audio_path" not in answer
    assert (status, refused["detail"]) == (400, "2 sounds in one request; without sessions 1 is allowed")
    kept = [path.name[15:] for path in (tmp_path / "kept" / answer["id"].removeprefix("chatcmpl-")).iterdir()]
    assert sorted(kept) == ["_input.json", "_input.wav", "_output.json"]
    recorded = read_session(tmp_path / "runs" / "serve-chat-audio-0")
    assert recorded.meta.parties["agent"].spec["model"]["frames_per_step"] == 2


def test_a_step_of_the_loop_may_be_several_of_the_models(tmp_path: Path) -> None:
    """A model at 8 kHz, one frame a step, its token the frame's number: 13 frames of sound are seven steps of two."""
    settings: Json = {"sessions": False, "silence_padding_sec": 0, "num_frames_per_inference": 2}
    with served(DuplexModelSpec(model=CounterSpec()), "chat_audio", tmp_path, **settings) as url:
        _, answer = ask(url, PATH, asked(SECOND))
    debug = answer["debug_info"]
    assert debug["total_frames"] == 14 and debug["frame_alignment"]["agent_stream_token"] == list(range(14))
    sound, rate = sound_in(answer["choices"][0]["message"]["audio"]["data"])
    assert (rate, len(sound)) == (8_000, 14 * 640)


@pytest.mark.parametrize("ignored", [True, False])
def test_a_clients_system_text_is_the_models_prompt_unless_ignored(tmp_path: Path, ignored: bool) -> None:
    """The scripted model says its prompt in its second frame."""
    body = asked(SECOND)
    body["messages"].insert(0, {"role": "system", "content": " be kind"})
    with served(DuplexModelSpec(model=MODEL), "chat_audio", tmp_path, ignore_system_prompt=ignored, **LOOP) as url:
        _, answer = ask(url, PATH, body)
    assert answer["debug_info"]["turn_texts"][0].startswith("<|1.2|>" if ignored else "be kind<|1.2|>")


@pytest.mark.parametrize(
    ("actor", "settings", "sentence"),
    [
        (
            "silent",
            {"eos_detection_window": 3},
            "silent is not served frame by frame; a duplex_model whose frames last",
        ),
        ("pair", {"num_frames_per_inference": 3}, "num_frames_per_inference is 3; pair takes 2 frames a step"),
        ("model", {"response_end_detection_mode": "vad"}, "choose one of audio_energy, energy, eos"),
        ("model", {"silence_padding_sec": -1}, "silence_padding_sec"),
        ("model", {"session_artifacts_dir": "taken"}, "taken is no folder"),
    ],
)
def test_what_cannot_be_served_is_refused_in_a_sentence(
    tmp_path: Path, actor: str, settings: Json, sentence: str
) -> None:
    """Before the door opens."""
    (tmp_path / "taken").write_text("")

    specs = {"silent": load("actors", "silent")(), "model": DuplexModelSpec(model=MODEL),
             "pair": DuplexModelSpec(model=PairSpec())}  # fmt: skip
    with pytest.raises(ScenarioError, match=sentence):
        decode(settings, ChatAudioServerSpec, source="--set", folder=tmp_path).check(specs[actor])


def test_our_own_client_hears_the_reply_where_the_loop_has_it(server: tuple[str, Path], tmp_path: Path) -> None:
    """Its words come without stamps; 400 ms of sound, as far behind the question's end as the model said it."""
    agent = {"kind": "turn_based", "ears": "level", "endpoint": "300ms",
             "responder": {"kind": "chat_audio", "base_url": f"{server[0]}/v1", "model": "m"}}  # fmt: skip
    user = {"kind": "scripted", "turns": [{"at": "100ms", "say": "hello"}]}
    session = play_session({"user": user, "agent": agent, "duration": "4s", "scorers": []}, tmp_path)
    assert session.meta.status == "completed", session.meta.problem
    (told,) = [event for event in session.by_type["speech_start"] if event.party == "agent"]
    assert told.data["text"] == "hello there"
    assert np.count_nonzero(np.abs(session.said("agent")) > 0.5) == pytest.approx(5 * 1920, abs=100)
