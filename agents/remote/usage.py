"""Usage: what a remote session used up, told as `usage` events that add up (priced in simulator/reading/cost.py).

Token counts are told when the service tells them, seconds of sound every ten seconds and at the end. Every
event holds what came since the one before, so a session's use is the sum of its events, whenever it ended.
Kinds of tokens do not overlap: what was read from a cache is not counted as read.
"""

from collections.abc import Mapping
from typing import Any

from agents.remote.foreign_json import inner, listed, number
from agents.remote.peer_core import Actions

EVERY_S = 10.0

Counts = dict[str, int]


class UsageTally:
    """Tells of a session's seconds: session time, sound sent and sound received, at the rates given.

    model: the name that the prices stand under; None: there are none, and nothing is told.
    """

    def __init__(self, actions: Actions, model: str | None, input_rate: int, output_rate: int) -> None:
        self._actions = actions
        self._model = model
        self._rates = (input_rate, input_rate, output_rate)
        self._counted = [0, 0, 0]
        self._told = [0, 0, 0]

    def heard(self, samples: int, sent: int, at: int) -> None:
        """Count a frame that was heard (session time) and how much sound was sent because of it."""
        self._counted[0] += samples
        self._counted[1] += sent
        if self._counted[0] - self._told[0] >= EVERY_S * self._rates[0]:
            self.tell(at)

    def received(self, samples: int) -> None:
        """Count sound that was received."""
        self._counted[2] += samples

    def tokens(self, counts: Mapping[str, int], at: int, model: str | None = None) -> None:
        """Tell of tokens by kind (`input_audio` ...); nothing when there were none."""
        if any(counts.values()) and (model or self._model):
            fields = {f"{kind}_tokens": count for kind, count in counts.items() if count}
            self._actions.note(at, "usage", model=model or self._model, **fields)

    def seconds(self, at: int, *, model: str, input_s: float) -> None:
        """Tell of sound that another model of the service (a recogniser) was fed."""
        if input_s > 0:
            self._actions.note(at, "usage", model=model, input_s=round(input_s, 3))

    def tell(self, at: int) -> None:
        """Tell of the seconds since the last time."""
        fresh = [counted - told for counted, told in zip(self._counted, self._told, strict=True)]
        self._told = list(self._counted)
        seconds = [round(samples / rate, 3) for samples, rate in zip(fresh, self._rates, strict=True)]
        if any(seconds) and self._model:
            self._actions.note(
                at, "usage", model=self._model, session_s=seconds[0], input_s=seconds[1], output_s=seconds[2]
            )


def openai_counts(usage: Mapping[str, Any]) -> Counts:
    """Give the tokens of a Realtime or Responses answer by kind; cached ones are part of the input there."""
    given = inner(usage, "input_token_details") or inner(usage, "input_tokens_details")
    cached = inner(given, "cached_tokens_details") or {"text_tokens": _count(given, "cached_tokens")}
    spoken = inner(usage, "output_token_details")
    counts: Counts = {}
    for kind in ("text", "audio", "image"):
        from_cache = _count(cached, f"{kind}_tokens")
        counts[f"input_{kind}"] = max(0, _count(given, f"{kind}_tokens") - from_cache)
        counts[f"cached_{kind}"] = from_cache
    counts["output_text"] = _count(spoken, "text_tokens")
    counts["output_audio"] = _count(spoken, "audio_tokens")
    counts["input_text"] += max(0, _count(usage, "input_tokens") - _sum(counts, "input_", "cached_"))
    counts["output_text"] += max(0, _count(usage, "output_tokens") - _sum(counts, "output_"))
    return counts


def gemini_counts(usage: Mapping[str, Any]) -> Counts:
    """Give the tokens of a Gemini Live turn by kind: each turn is charged with its whole context again."""
    counts: Counts = dict.fromkeys(
        (
            "input_text",
            "input_audio",
            "input_image",
            "cached_text",
            "cached_audio",
            "cached_image",
            "output_text",
            "output_audio",
        ),
        0,
    )
    for modality, count in _modalities(usage, "cache_tokens_details"):
        counts[f"cached_{modality}"] += count
    for modality, count in (
        *_modalities(usage, "prompt_tokens_details"),
        *_modalities(usage, "tool_use_prompt_tokens_details"),
    ):
        counts[f"input_{modality}"] += count
    for modality, count in _modalities(usage, "response_tokens_details"):
        counts["output_audio" if modality == "audio" else "output_text"] += count
    for kind in ("text", "audio", "image"):
        counts[f"input_{kind}"] = max(0, counts[f"input_{kind}"] - counts[f"cached_{kind}"])
    prompt = _count(usage, "prompt_token_count") + _count(usage, "tool_use_prompt_token_count")
    counts["input_text"] += max(0, prompt - _sum(counts, "input_", "cached_"))
    said = _count(usage, "response_token_count")
    counts["output_text"] += max(0, said - _sum(counts, "output_")) + _count(usage, "thoughts_token_count")
    return counts


def _modalities(usage: Mapping[str, Any], name: str) -> list[tuple[str, int]]:
    known = {"AUDIO": "audio", "IMAGE": "image", "VIDEO": "image"}
    return [(known.get(str(part.get("modality")), "text"), _count(part, "token_count")) for part in listed(usage, name)]


def _count(usage: Mapping[str, Any], name: str) -> int:
    return max(0, int(number(usage, name)))


def _sum(counts: Counts, *prefixes: str) -> int:
    return sum(count for kind, count in counts.items() if kind.startswith(prefixes))
