"""Languages that nobody would understand: refused where a scenario says what is spoken, told where a voice does.

Told, too, is a voice of another language than its party's: it reads every text, and makes it up from its own sounds.
"""

from collections.abc import Iterable, Iterator

from simulator.actor import ActorSpec
from simulator.engines.kinds import RecognizerSpec, VoiceSpec, languages_heard
from simulator.errors import ScenarioError
from simulator.events import PARTIES, Party, other_party
from simulator.languages.lookup import ENGLISH, known, plain, tongues
from simulator.languages.spread import heard_by_default
from simulator.plugins import load
from simulator.scenario import Scenario
from simulator.speaking.accent import spoken_by


def check_languages(scenario: Scenario) -> None:
    """Refuse a party whose recogniser does not hear what the other is said to speak. ScenarioError."""
    for party in PARTIES:
        code = said_of(scenario.actor(other_party(party)))
        for ear in _ears(scenario.actor(party)):
            if code and not hears(ear, code):
                raise ScenarioError(f"{scenario.name}: $.{party}.recognizer: {_deaf(ear, code, other_party(party))}")


def foreign(scenarios: Iterable[Scenario]) -> Iterator[str]:
    """Say which voices speak another language than their party, and who does not hear what is spoken."""
    for scenario in scenarios:
        for party in PARTIES:
            yield from _strange_voices(scenario, party)
            other = other_party(party)
            code = said_of(scenario.actor(other)) or _voice_of(scenario.actor(other))
            for ear in _ears(scenario.actor(party)):
                if code and not hears(ear, code):
                    yield f"{scenario.name}: $.{party}.recognizer: {_deaf(ear, code, other)}"
        codes = dict.fromkeys(said_of(spec) or _voice_of(spec) for spec in map(scenario.actor, PARTIES))
        unheard = [code for code in codes if code and not hears(scenario.recognizer, code)]
        if unheard and scenario.scorers != []:
            yield (
                f"{scenario.name}: $.recognizer: {scenario.recognizer.label} does not hear "
                f"{' and '.join(map(_named, unheard))}, so the words that nobody tells are not found and their metrics "
                f"stay undefined; {_remedy(unheard[0])}"
            )


def _strange_voices(scenario: Scenario, party: Party) -> Iterator[str]:
    spec = scenario.actor(party)
    code = said_of(spec)
    voices = [voice for voice in (getattr(spec, "voice", None), *(getattr(spec, "accent", None) or ()))
              if isinstance(voice, VoiceSpec)]  # fmt: skip
    own = {code, *(plain(name) for names in known(code).accents.values() for name in names)}  # Cantonese is Chinese
    for voice in voices:
        spoken = spoken_by(voice)
        if code and spoken and spoken not in own:
            where = f"{scenario.name}: $.{party}.{'voice' if len(voices) == 1 else 'accent'}"
            yield f"{where}: {voice.label} speaks {_named(spoken)}, and the {party} {_named(code)}"


def said_of(spec: ActorSpec) -> str:
    """Give the code of what a party is said to speak; empty where nothing is said."""
    return plain(spec.language) if spec.language else ""


def _voice_of(spec: ActorSpec) -> str:
    voice = getattr(spec, "voice", None)
    return spoken_by(voice) if isinstance(voice, VoiceSpec) else ""


def _ears(spec: ActorSpec) -> list[RecognizerSpec]:
    """The recognisers that a party answers through; a script listens where a turn `hears`."""
    found = [part for part in spec.parts() if isinstance(part, RecognizerSpec)]
    own = getattr(spec, "recognizer", None)
    turns = getattr(spec, "turns", None)
    if (
        isinstance(own, RecognizerSpec)
        and isinstance(turns, list)
        and any(getattr(turn, "hears", "") for turn in turns)
    ):
        found.append(own)
    return found


def hears(recognizer: RecognizerSpec, code: str) -> bool:
    """Say whether a recogniser hears a language, as far as it tells. code: ISO 639."""
    heard = languages_heard(recognizer.label)
    own = getattr(recognizer, "language", "")
    if own and own != "auto":
        return plain(own) == code
    return not heard or code in heard


def _deaf(ear: RecognizerSpec, code: str, other: Party) -> str:
    return f"{ear.label} does not hear {_named(code)}, which the {other} speaks; {_remedy(code)}"


def _remedy(code: str) -> str:
    """Say which recogniser hears a language here, and what is to be installed for it."""
    if code == ENGLISH:
        return "`moonshine` hears it"
    asked = heard_by_default(code)
    kind, model = asked["kind"], asked["model"]
    hears = f"{{kind: {kind}, model: {model}, language: {code}}} hears it"
    try:
        load("recognizers", kind)(model=model, language=code).check()
    except ScenarioError as error:
        return f"{hears}: {error}"
    return hears


def _named(code: str) -> str:
    found = tongues().get(code)
    return f"{found.name} ({code})" if found else code
