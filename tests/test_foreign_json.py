"""Rules of reading what strangers send: a wrong shape is the far end's fault, told in a sentence."""

import json
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.gemini.protocol import GeminiCore
from agents.openai.live import OpenAILiveSpec
from agents.openai.live_protocol import LiveCore
from agents.openai.realtime import OpenAIRealtimeSpec
from agents.openai.realtime_protocol import RealtimeCore
from agents.remote.foreign_json import number
from agents.remote.peer_core import deliver
from simulator.errors import RemoteError
from simulator.plugins import load

SHAPES: st.SearchStrategy[Any] = st.recursive(
    st.sampled_from([None, True, -1, 1e308, float("inf"), float("nan"), "7", "x", "AAA=", [], {}]),
    lambda inside: st.lists(inside, max_size=2)
    | st.dictionaries(
        st.sampled_from(["error", "response", "item", "usage", "status_details", "output", "delta", "code", "message",
                         "audio_start_ms", "content_index", "seconds", "input_token_details", "text_tokens", "event",
                         "model_turn", "parts", "inline_data", "data", "id", "item_id"]),
        inside, max_size=4),
    max_leaves=8,
)  # fmt: skip
NAMES = ["error", "input_audio_buffer.speech_started", "input_audio_buffer.speech_stopped", "response.created",
         "response.output_audio.delta", "response.output_audio.done", "response.done", "response.output_item.done",
         "conversation.item.input_audio_transcription.completed", "rate_limits.updated", "response.event",
         "session.usage.updated", "session.delegation.created", "session.output_audio.delta"]  # fmt: skip
KEYS = ["server_content", "tool_call", "tool_call_cancellation", "usage_metadata", "go_away",
        "session_resumption_update"]  # fmt: skip


def gemini() -> GeminiCore:
    """A core of a Gemini session that stands."""
    core: GeminiCore = GeminiCore(load("actors", "gemini_live")().settings())
    core.receive({"setup_complete": {}}, 0)
    return core


def live() -> LiveCore:
    """A core of a Live session that stands."""
    core = LiveCore(OpenAILiveSpec().settings())
    core.receive({"type": "session.started"}, 0)
    return core


def realtime() -> RealtimeCore:
    """A core of a Realtime session that stands."""
    core = RealtimeCore(OpenAIRealtimeSpec().settings())
    core.receive({"type": "session.updated"}, 0)
    return core


@pytest.mark.parametrize("make", [realtime, live, gemini])
@given(
    message=st.dictionaries(
        st.sampled_from(
            [
                *KEYS,
                "error",
                "response",
                "item",
                "usage",
                "delta",
                "event",
                "audio_start_ms",
                "audio_end_ms",
                "content_index",
                "delegation",
            ]
        ),
        SHAPES,
        max_size=4,
    ),
    type_=st.sampled_from(NAMES),
)
@settings(max_examples=150, deadline=None)  # fmt: skip
def test_a_malformed_message_is_no_crash(make: Callable[[], Any], message: dict[str, Any], type_: str) -> None:
    """Whatever stands where a number, an object or a list is expected is left out, or a RemoteError says so."""
    core = make()
    with suppress(RemoteError):
        deliver(core, {**message, "type": type_}, 0)


@pytest.mark.parametrize(("given_", "expected"), [
    (3, 3.0), ("4.5", 4.5), ("NaN", 0.0), (float("inf"), 0.0), (10**400, 0.0), ([], 0.0), (None, 0.0), ("", 0.0),
])  # fmt: skip
def test_a_number_is_one_that_can_be_counted_with(given_: Any, expected: float) -> None:
    """Or 0."""
    assert number({"n": given_}, "n") == expected
    assert json.dumps(number({"n": given_}, "n"))
