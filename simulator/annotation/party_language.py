"""Languages of parties, as their session tells them: what is said of a party, else what its voice speaks."""

from simulator.engines.kinds import voice_of
from simulator.errors import ScenarioError
from simulator.events import Party
from simulator.languages.lookup import ENGLISH, plain
from simulator.session import Session


def said_language(session: Session, party: Party) -> str:
    """Give the code that the scenario says of a party; empty where it says none."""
    meta = session.meta.parties.get(party)
    said = meta.spec.get("language") if meta else None
    return plain(said) if isinstance(said, str) and said else ""


def voice_language(session: Session, party: Party) -> str:
    """Give the code of the voice that a party's spec names, where it is one of ours; else empty."""
    meta = session.meta.parties.get(party)
    said = meta.spec.get("voice") if meta else None
    try:
        return plain(voice_of(said).speaks()) if said else ""
    except ScenarioError:
        return ""


def speaks_english(session: Session, party: Party) -> bool:
    """Say whether a party speaks English, as far as anybody knows."""
    return (said_language(session, party) or voice_language(session, party) or ENGLISH) == ENGLISH
