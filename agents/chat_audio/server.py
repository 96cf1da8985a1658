"""Serves an actor as an OpenAI-compatible chat endpoint with audio parts, as the NeMo-Skills unified server is one.

    GET  /  /health  /v1/models  /v1/sessions  /v1/sessions/{id}      DELETE /v1/sessions/{id}
    POST /v1/chat/completions

A request's turn is the last user message: its sound, or its text spoken where it has none. It is played to the actor
on the virtual clock and the answer holds both channels, user left and agent right, from the turn's beginning. A request
goes on with a dialogue by `session_id` (at top level or in a literal `extra_body`) or by its history: role, text and
sound of every message tell dialogues apart, so strangers never continue each other's.

    400   no messages, nothing asked, sound that does not decode, http or file URLs
    404   a session that is not there; with `sessions: off` any
    500   the actor failed        503   not ready yet, stopping, or every place taken by a turn
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar

from msgspec import Meta

from agents.chat_audio.frame_loop import MOST_RESPONSE_S, EndMode, LoopRules
from agents.chat_audio.server_artifacts import Artifacts
from agents.chat_audio.server_front import ChatFront, FrontRules
from agents.chat_audio.server_loop import LoopTurns, loop_model, with_frames
from agents.chat_audio.server_sessions import SessionRules
from agents.chat_audio.server_turn import TurnPlayer, WholeTurns
from agents.serve.turn import TurnServerSpec
from simulator.actor import ActorSpec
from simulator.engines.espeak import EspeakSpec
from simulator.engines.kinds import AnyVoice
from simulator.errors import ScenarioError
from simulator.scenario import kind_of
from simulator.serving.service import Service
from simulator.speaking.voice import check_voice
from simulator.spec import Duration

if TYPE_CHECKING:
    from starlette.routing import BaseRoute

LOOP_KEYS = ("response_end_detection_mode", "eos_detection_window", "silence_padding_sec", "num_frames_per_inference")


class ChatAudioServerSpec(TurnServerSpec, frozen=True, kw_only=True, tag="chat_audio"):
    """OpenAI-compatible chat completions with audio, for NeMo-Skills clients.

    sessions: keep dialogues between requests; the one that waited longest makes room for a new one. capacity: so many
    at most (and a model's slots). ttl: so long after a last turn.

    text_voice: speaks a turn that is only text. stamps: put NeMo's `<|t|>` stamps into the text.

    The others are named as that server's own; the first four are the frame loop's, which a duplex model with frames of
    80 ms is served by. response_end_detection_mode: energy or eos. eos_detection_window: steps of padding.
    silence_padding_sec: behind each turn. num_frames_per_inference: frames of 80 ms per step. no_decode_audio: answers
    are text alone; ignore_system_prompt: a client's system text does not reach the model; session_artifacts_dir: where
    turns are kept beside the session folders.
    """

    path: ClassVar[str] = "/v1"

    sessions: bool = True
    capacity: Annotated[int, Meta(ge=1)] = 100
    ttl: Duration = Duration(300.0)
    text_voice: AnyVoice = EspeakSpec(name="en-gb-x-rp")
    stamps: bool = False
    response_end_detection_mode: EndMode | None = None
    eos_detection_window: Annotated[int, Meta(ge=1)] | None = None
    silence_padding_sec: Annotated[float, Meta(ge=0, le=600)] | None = None
    num_frames_per_inference: Annotated[int, Meta(ge=1, le=70)] | None = None
    no_decode_audio: bool = False
    ignore_system_prompt: bool = False
    session_artifacts_dir: Path | None = None

    def check(self, actor: ActorSpec) -> None:
        """Refuse an actor that cannot be served, unknown voices, and keys of the frame loop where there is none."""
        TurnServerSpec.check(self, actor)
        check_voice(self.text_voice, "--set text_voice")
        if loop_model(actor) is None:
            for key in LOOP_KEYS:
                if getattr(self, key) is not None:
                    raise ScenarioError(
                        f"--set {key}: {kind_of(actor)} is not served frame by frame; a duplex_model whose frames last "
                        "80 ms is"
                    )
        self._player(self.offered(actor))
        folder = self.session_artifacts_dir
        if folder is not None and folder.exists() and not folder.is_dir():
            raise ScenarioError(f"--set session_artifacts_dir: {folder} is no folder")

    def offered(self, actor: ActorSpec) -> ActorSpec:
        """The actor with as many frames a step as asked for, where its model can change that."""
        return with_frames(actor, self.num_frames_per_inference)

    def routes(self, service: Service) -> "Sequence[BaseRoute]":
        """The paths of the protocol."""
        from starlette.routing import Route

        folder = self.session_artifacts_dir
        host = service.actor.traits().host  # a dialogue keeps its place in the model between its turns
        capacity = self.capacity if host is None else min(self.capacity, host.places)
        rules = FrontRules(
            sessions=SessionRules(capacity=capacity, ttl_s=float(self.ttl)) if self.sessions else None,
            longest_turn=self.longest_turn,
            text_voice=self.text_voice,
            system_prompt=not self.ignore_system_prompt,
            decode=not self.no_decode_audio,
            artifacts=None if folder is None else Artifacts(folder),
        )
        front = ChatFront(rules, self._player(service.actor), service)
        return [
            Route("/", front.root),
            Route("/health", front.health),
            Route("/v1/models", front.models),
            Route("/v1/sessions", front.sessions),
            Route("/v1/sessions/{id}", front.session, methods=["GET", "DELETE"]),
            Route("/v1/chat/completions", front.complete, methods=["POST"]),
        ]

    def _player(self, actor: ActorSpec) -> TurnPlayer:
        """How turns are played: frame by frame where the actor is a model with frames of 80 ms."""
        model = loop_model(actor)
        if model is None:
            return WholeTurns(self.rules(), stamps=self.stamps)
        default = LoopRules()
        mode, window, padding_s = self.response_end_detection_mode, self.eos_detection_window, self.silence_padding_sec
        rules = LoopRules(
            sessions=self.sessions,
            mode=default.mode if mode is None else mode,
            window=default.window if window is None else window,
            padding_s=default.padding_s if padding_s is None else padding_s,
            decode=not self.no_decode_audio,
            longest_s=min(MOST_RESPONSE_S, self.longest_reply),
        )
        return LoopTurns(model, rules, self.num_frames_per_inference)
