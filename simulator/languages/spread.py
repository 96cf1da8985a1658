"""What `language:` of a scenario or a party fills in, in the plain data of a scenario, where nothing else is said.

language: de                                  both parties, and what they say by default
user: {kind: scripted, language: es, ...}     one party
A party's voice, its replies and its backchannels are of its own language, its recogniser hears the other's. What was
filled in stands in the resolved scenario, so a session is played again by what it was, whatever is filled in then.
"""

from collections.abc import Mapping
from typing import Any

from simulator.errors import ScenarioError
from simulator.events import PARTIES, Party, other_party
from simulator.languages.lookup import ENGLISH, MULTILINGUAL, plain, tongue, tongues
from simulator.languages.tongue import Tongue
from simulator.plugins import load

_SPEAKING_INJECTORS = ("interruption", "backchannel", "aside")
_SOURCES = ("say", "choose", "file")
OURS = "accent"
"""The key that kinds have which speak with a voice of ours."""


def spread(data: dict[str, Any]) -> None:
    """Fill in, in place. ScenarioError with the path: a language that is not known here."""
    spoken = {party: _language(data, party) for party in PARTIES}
    for party in PARTIES:
        if party in data and spoken[party]:
            _fill_party(data, party, spoken)
    _expand_accents(data, spoken)
    for party in PARTIES:
        if data.get(party) and spoken[party]:
            _fill_injectors(data, party, tongue(spoken[party]))
    if "recognizer" not in data and data.get("scorers") != []:
        _fill_recognizer(data, {code for code in spoken.values() if code})


def heard_by_default(code: str) -> dict[str, Any]:
    """Give the recogniser of a language other than English, as a scenario writes it."""
    return {**MULTILINGUAL, "language": code}


def _language(data: Mapping[str, Any], party: Party) -> str:
    said = data.get(party)
    said = said if isinstance(said, dict) else {}
    own = said.get("language")
    code, where = (own, f"$.{party}.language") if own is not None else (data.get("language"), "$.language")
    if not isinstance(code, str) or not code:
        return ""
    if own is not None and OURS not in _keys_of(str(said.get("kind"))):
        return plain(code) if plain(code) in tongues() else ""  # a far end knows languages that are not known here
    try:
        return tongue(code).code
    except ScenarioError as error:
        raise ScenarioError(f"{where}: {error}") from error


def _fill_party(data: dict[str, Any], party: Party, spoken: Mapping[Party, str]) -> None:
    own, other = tongue(spoken[party]), spoken[other_party(party)] or spoken[party]
    said = data[party]
    mapping: dict[str, Any] = {"kind": said} if isinstance(said, str) else said
    if not isinstance(mapping, dict) or not isinstance(mapping.get("kind"), str):
        return  # what is wrong with it is told when it is decoded
    data[party] = mapping
    mapping.setdefault("language", data.get("language") or own.code)
    keys = _keys_of(mapping["kind"])
    if OURS in keys and own.code != ENGLISH and not mapping.get("voice") and not mapping.get("accent"):
        mapping["voice"] = _voice_of(own, str(mapping["language"]), party)
    if "recognizer" in keys and other != ENGLISH and "recognizer" not in mapping:
        mapping["recognizer"] = heard_by_default(other)
    if own.replies and {"replies", "chat"} <= keys and not mapping.get("replies") and not mapping.get("chat"):
        mapping["replies"] = [{"match": match, "say": say} if match else {"say": say} for match, say in own.replies]
    if mapping.get("endpointing") and "endpointing" in keys and other != ENGLISH:
        mapping["endpointing"] = _hesitating(mapping["endpointing"], tongue(other))


def _voice_of(own: Tongue, code: str, party: Party) -> str:
    """Give the voice of a party that names none; a region (`pt-BR`) has its own where there is one."""
    region = code.lower().replace("_", "-")
    if region in {voice for voices in own.accents.values() for voice in voices}:
        return region if party == "user" else f"{region}+f2"
    return own.voice if party == "user" else own.second


def _hesitating(said: object, other: Tongue) -> object:
    """Give `vad_adaptive` the hesitations that it is to hear; other kinds know no words."""
    mapping = {"kind": said} if isinstance(said, str) else said
    if not isinstance(mapping, dict) or mapping.get("kind") != "vad_adaptive":
        return said
    return {"words": list(other.hesitations), "recognizer": heard_by_default(other.code), **mapping}


def _fill_injectors(data: Mapping[str, Any], party: Party, own: Tongue) -> None:
    injectors = data.get("injectors")
    for injector in injectors if isinstance(injectors, list) else ():
        if not isinstance(injector, dict) or injector.get("kind") not in _SPEAKING_INJECTORS:
            continue
        if injector.get("party", "user") != party:
            continue
        if injector["kind"] == "backchannel" and not any(injector.get(source) for source in _SOURCES):
            injector["choose"] = list(own.backchannels)
        voice = data[party].get("voice") if isinstance(data[party], dict) else None
        if not injector.get("voice") and not injector.get("file") and (voice or own.code != ENGLISH):
            injector["voice"] = voice or _voice_of(own, own.code, party)


def _fill_recognizer(data: dict[str, Any], codes: set[str]) -> None:
    """Name a recogniser for the scorers where one that hears the languages is on this machine; else they do without."""
    if codes <= {ENGLISH}:
        return
    asked = heard_by_default(next(iter(codes))) if len(codes) == 1 else dict(MULTILINGUAL)
    try:
        spec = load("recognizers", str(asked["kind"]))
        spec(**{name: value for name, value in asked.items() if name != "kind"}).check()
    except ScenarioError:
        return
    data["recognizer"] = asked


def _expand_accents(data: dict[str, Any], spoken: Mapping[Party, str]) -> None:
    """Turn a word into the voices that it stands for. ScenarioError: the language has no such accent."""
    for party in PARTIES:
        mapping = data.get(party)
        word = mapping.get("accent") if isinstance(mapping, dict) else None
        if not isinstance(mapping, dict) or not isinstance(word, str):
            continue
        own = tongue(spoken[party] or ENGLISH)
        if word not in own.accents:
            known = ", ".join(own.accents) or "none of its own"
            raise ScenarioError(
                f"$.{party}.accent: {own.name} has no accent {word!r} here; there are {known}, or a list of voices"
            )
        mapping["accent"] = list(own.accents[word])


def _keys_of(kind: str) -> set[str]:
    try:
        return set(getattr(load("actors", kind), "__struct_fields__", ()))
    except ScenarioError:
        return set()
