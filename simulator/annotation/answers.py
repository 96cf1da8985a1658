"""The agent's answer in a session of ours, as a text: what it told that it says, or what a recogniser hears of it."""

from typing import NamedTuple

from simulator.annotation.transcribe import sounded
from simulator.events import Party
from simulator.session import Session


class Answer(NamedTuple):
    """An answer's text, and what is to be known of it."""

    text: str
    notes: tuple[str, ...] = ()


def answer_of(session: Session, *, heard: bool) -> Answer:
    """Give the agent's answer, annotated session given; empty where it said nothing.

    An agent that tells no text is heard instead, which is noted.
    """
    if heard:
        return Answer(heard_answer(session))
    told = " ".join(told_texts(session))
    if told or not session.speech.agent.segments:
        return Answer(told)
    return Answer(heard_answer(session), ("the agent told no text: what was heard of it was scored",))


def told_texts(session: Session) -> list[str]:
    """Give what the agent told that it says: the texts of its utterances, else the transcripts of its speech."""
    texts = [utterance.text for utterance in session.speech.agent.utterances if utterance.text]
    return texts or transcripts(session, of="agent")


def heard_answer(session: Session) -> str:
    """Give what the recogniser hears of the agent's speech, stretch by stretch."""
    speech = session.speech.agent
    known = [item.text for item in speech.recognised] or [word.text for word in speech.words if word.source == "asr"]
    texts = known or [item.text for item in sounded(session, "agent", speech.timeline())]
    return " ".join(text for text in texts if text)


def transcripts(session: Session, *, of: Party) -> list[str]:
    """Give the texts a remote system told of a party's speech; fragments are joined as they are."""
    texts: list[str] = []
    joins = False
    for event in session.by_type.get("transcript", []):
        if event.data.get("of") != of:
            continue
        text = str(event.data.get("text", ""))
        fragment = bool(event.data.get("fragment"))
        if fragment and joins:
            texts[-1] += text
        else:
            texts.append(text)
        joins = fragment
    return [text for text in texts if text.strip()]
