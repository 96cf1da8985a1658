"""Voice ids: whose voice a party speaks in, as its spec in session.json tells it."""

from collections.abc import Mapping
from pathlib import PurePath
from typing import Any

from simulator.events import PARTIES, Party
from simulator.results.row import agent_label
from simulator.session import SessionMeta
from simulator.speaking.voice import DEFAULT_VOICES
from simulator.spec import encode

_NAMES = ("name", "voice", "file", "path", "model", "speaker")
"""Keys of a voice's spec that tell it from others of its kind, in this order."""


def voices_of(meta: SessionMeta) -> dict[str, str]:
    """Give both parties' voice ids. Equal ids are one voice; parties whose voice nobody tells have their kind's."""
    return {party: _voice(meta, party) for party in PARTIES}


def _voice(meta: SessionMeta, party: Party) -> str:
    known = meta.parties.get(party)
    if known is None:
        return party
    spec = known.spec
    prompt = spec.get("voice_prompt") or _prompted(spec)
    if prompt:
        return f"{agent_label(known.kind, spec)}:{prompt}".replace(" ", ":")
    if "voice" in spec:
        voice = spec["voice"]
        return _named(encode(DEFAULT_VOICES[party]) if voice is None else voice)
    sound = spec.get("file") or meta.sample.get("id")
    if known.kind in ("player", "replay") and sound:
        return f"recording:{PurePath(str(sound)).stem}"
    return agent_label(known.kind, spec).replace(" ", ":")


def _prompted(spec: Mapping[str, Any]) -> str:
    model = spec.get("model")
    prompt = model.get("prompt") if isinstance(model, Mapping) else None
    return str(prompt.get("voice") or "") if isinstance(prompt, Mapping) else ""


def _named(voice: Any) -> str:
    if not isinstance(voice, Mapping):
        return str(voice)
    name = next((str(voice[key]) for key in _NAMES if voice.get(key)), "")
    return ":".join(part for part in (str(voice.get("kind", "")), PurePath(name).name) if part)
