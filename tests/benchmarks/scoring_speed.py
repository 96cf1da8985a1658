"""How many seconds of session are scored in a CPU second, with every scorer of ours, on one core.

alone: a foreign stereo file of an hour, activity detection included. together: several files, their tracks heard
side by side. ready: from speech.json and events, without opening the audio beyond its header (as heard, and with
truth). Also the growth of memory while it all is annotated.

    python tests/benchmarks/scoring_speed.py [--minutes 60] [--together 8]
"""

import argparse
import json
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from simulator.annotation.annotate import annotate, annotate_many
from simulator.call.recording import Recorder
from simulator.events import Event
from simulator.frame import silence
from simulator.plugins import load
from simulator.scoring.scorer import DEFAULT_SCORERS
from simulator.session import Session, read_session
from simulator.speech import Speech
from tests.conversations import conversation, foreign

RATE = 24_000
BLOCK_S = 60


def long_session(folder: Path, minutes: int) -> Path:
    """Record a told conversation of so many minutes: one of a minute, again and again, with some noise on both."""
    talk = conversation(folder / "minute", 1, rate=RATE, duration=BLOCK_S)
    minute = talk.take.session()
    noisy = foreign(talk, folder / "noisy.wav", color="pink", snr_db=30)
    recorder = Recorder(folder / "long", msgspec.structs.replace(minute.meta, id="long"), "name: long\n", heard=False)
    length = minute.duration
    quiet = silence(length)
    for index in range(minutes):
        recorder.add(noisy.said("user"), noisy.said("agent"), quiet, quiet)
        events = [
            *minute.events,
            *(_understood(event) for event in minute.events if event.type == "speech_end"),
        ]
        recorder.add_events([_later(event, index, length) for event in sorted(events, key=lambda event: event.at)])
    recorder.close("completed")
    return folder / "long"


def _understood(ended: Event) -> Event:
    """What a cascade would have understood of an utterance."""
    since = ended.at - ended.data["said_samples"]
    data = {"id": "", "text": "speech of some sort", "heard_since": since, "heard_until": ended.at}
    return Event(ended.at, "recognised", "agent", data)


def _later(event: Event, index: int, length: int) -> Event:
    by = index * length
    data = {**event.data, "id": f"{event.data['id']}-{index}"}
    data |= {name: data[name] + by for name in ("heard_since", "heard_until") if name in data}
    if "words" in data:
        data["words"] = [[text, onset + by] for text, onset in data["words"]]
    return Event(event.at + by, event.type, event.party, data)


def score_all(session: Session) -> None:
    """Score with every scorer of ours."""
    for name in DEFAULT_SCORERS:
        load("scorers", name)().build().score(session)


def rate_of(work: Callable[[], Any], seconds: float, runs: int = 3) -> float:
    """The most seconds of session per CPU second of several runs."""
    best = float("inf")
    for _ in range(runs):
        begin = time.process_time()
        work()
        best = min(best, time.process_time() - begin)
    return round(seconds / best, 1)


def peak_mb() -> float:
    """The process's peak memory so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    """Measure and print JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=int, default=60)
    parser.add_argument(
        "--together", type=int, default=8, help="files scored together, of an eighth of the minutes each"
    )
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        print(json.dumps(measure(Path(folder), args.minutes, args.together), indent=2))


def measure(folder: Path, minutes: int, together: int) -> dict[str, float]:
    """Measure every way of scoring on sessions of `minutes` in total."""
    path = long_session(folder, minutes)
    seconds = minutes * BLOCK_S
    short = folder / "short"
    short.mkdir()
    part = long_session(short, max(1, minutes // together))
    annotate(Session.of_recording(part / "conversation.wav"), words=False)
    before = peak_mb()

    def alone() -> None:
        session = Session.of_recording(path / "conversation.wav")
        score_all(session.with_speech(annotate(session, words=False)))

    def side_by_side() -> None:
        sessions = [Session.of_recording(part / "conversation.wav") for _ in range(together)]
        for session, speech in zip(sessions, annotate_many(sessions, words=False), strict=True):
            score_all(session.with_speech(speech))

    found = {"alone": rate_of(alone, seconds, runs=2)}
    found["growth_mb"] = round(peak_mb() - before, 1)
    found["together"] = rate_of(side_by_side, max(1, minutes // together) * together * BLOCK_S, runs=2)
    speech = annotate(Session.of_recording(path / "conversation.wav"), words=False)
    told = annotate(read_session(path), words=False)
    for name, ready in (("ready_untold", speech), ("ready_told", _told(told, speech))):
        (path / "speech.json").write_bytes(msgspec.json.encode(ready))
        found[name] = rate_of(lambda: score_all(read_session(path)), seconds)
    found["segments"] = len(speech.user.segments) + len(speech.agent.segments)
    return found


def _told(told: Speech, heard: Speech) -> Speech:
    """What a noisy session of known speech holds: activity as heard, utterances and words as told.

    What a recogniser hears in the agent's utterances comes along.
    """
    user, agent = (
        msgspec.structs.replace(told.of(party), segments=heard.of(party).segments) for party in ("user", "agent")
    )
    recognised = tuple(msgspec.structs.replace(item, source="asr", text="speech") for item in agent.utterances)
    agent = msgspec.structs.replace(agent, recognised=recognised)
    return msgspec.structs.replace(told, user=user, agent=agent)


if __name__ == "__main__":
    main()
