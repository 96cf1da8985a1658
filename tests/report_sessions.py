"""Synthetic session and run folders for the tests and benchmarks of the pages: every kind of event, no actors needed.

The sound is not speech but moves like it: voiced bursts per word with pauses, at the nominal level, on two
channels.
"""

from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import soundfile

from simulator.events import Event, Party, encode_event, other_party
from simulator.score import Definition, Evidence, Score, share, spread
from simulator.session import FORMAT, PartyMeta, SessionMeta
from simulator.speech import PartySpeech, Segment, Speech, SpokenWord
from simulator.timeline import Timeline

RATE = 24_000

USER_LINES = (
    "Hi, I'd like to book a table for tonight.",
    "Two people, around eight if that works.",
    "Actually, make it three people please.",
    "Do you have anything near the window?",
    "That sounds good, thank you very much.",
)
AGENT_LINES = (
    "Good evening, how can I help you?",
    "Certainly. Let me check what we have free this evening, one moment please.",
    "Of course, three people then. I have a table at eight or at half past nine.",
    "There is one by the window, but it is quite close to the kitchen door.",
    "Lovely, that is booked for you. Is there anything else I can do?",
)

RESPONSE = Definition(
    id="latency.response_p50_s",
    unit="s",
    statistic="p50",
    title="Response latency, median",
    better="lower",
    card="From the end of a user turn to the agent's first sound.\nUndefined when the agent never answered.",
    source="written for the tests",
)
YIELD_RATE = Definition(
    id="barge_in.yield_rate",
    unit="ratio",
    statistic="ratio",
    title="Barge-ins yielded to",
    better="higher",
    card="Share of interruptions after which the agent falls silent within two seconds.",
)
FTO = Definition(
    id="turns.fto_p50_s",
    unit="s",
    statistic="p50",
    title="Floor transfer offset, median",
    card="Next start minus previous end, over floor transfers: a gap is positive, an overlap negative.",
)
ASIDE = Definition(
    id="selectivity.aside_ignored_rate",
    unit="ratio",
    statistic="ratio",
    title="Asides ignored",
    better="higher",
    card="Share of asides that the agent does not answer.",
)


class _Take:
    """A session in the making: what both parties say, and what is known about it."""

    def __init__(self, duration: int, rate: int, seed: int) -> None:
        self.rate = rate
        self.duration = duration
        self.rng = np.random.default_rng(seed)
        self.audio = np.zeros((duration, 2), np.int16)
        self.events: list[tuple[int, int, Event]] = []
        self.utterances: dict[str, list[Segment]] = {"user": [], "agent": []}
        self.segments: dict[str, list[Segment]] = {"user": [], "agent": []}
        self.words: dict[str, list[SpokenWord]] = {"user": [], "agent": []}
        self._bank: dict[tuple[str, Party], Any] = {}

    def note(self, at: int, type_: str, party: str, **data: Any) -> None:
        at = min(at, self.duration - 1)
        self.events.append((at, len(self.events), Event(at, type_, party, data)))  # type: ignore[arg-type]

    def say(self, party: Party, text: str, start: int, *, role: str = "turn", cut: int | None = None) -> int:
        """Say a text from `start` on, up to `cut` samples of it; give the sample after its last."""
        sound, onsets = self._spoken(text, party)
        length = min(len(sound), cut or len(sound), self.duration - start)
        if length <= 0:
            return start
        end = start + length
        self.audio[start:end, 0 if party == "user" else 1] += sound[:length]
        name = f"{party}-{len(self.utterances[party])}"
        words = text.split()
        self.note(
            start,
            "speech_start",
            party,
            id=name,
            role=role,
            text=text,
            planned_samples=len(sound),
            words=[[word, start + onset] for word, onset in zip(words, onsets, strict=True)],
        )
        self.note(end, "speech_end", party, id=name, said_samples=length, cut=length < len(sound), since=end)
        self.utterances[party].append(Segment(start=start, end=end, source="truth", id=name, role=role, text=text))
        self.segments[party].append(Segment(start=start + self.rate // 100, end=end, source="vad"))
        edges = [*onsets, len(sound)]
        for word, onset, until in zip(words, edges, edges[1:], strict=False):
            if onset < length:
                self.words[party].append(
                    SpokenWord(
                        text=word,
                        start=start + onset,
                        end=start + min(until, length),
                        source="truth" if party == "user" else "asr",
                        id=name,
                        cut=until > length,
                    )
                )
        return end

    def _spoken(self, text: str, party: Party) -> tuple[np.ndarray, list[int]]:
        if (text, party) not in self._bank:
            self._bank[text, party] = _burst(text, party, self.rate, self.rng)
        return self._bank[text, party]  # type: ignore[no-any-return]


def _burst(text: str, party: Party, rate: int, rng: np.random.Generator) -> tuple[np.ndarray, list[int]]:
    """Give int16 sound for a text, a voiced burst per word, and the onset of each word in samples."""
    pieces: list[np.ndarray] = []
    onsets: list[int] = []
    total = 0
    for word in text.split():
        length = int(rate * (0.10 + 0.045 * len(word)))
        time = np.arange(length) / rate
        pitch = (118 if party == "agent" else 195) * (1 + 0.08 * np.sin(2 * np.pi * 1.3 * time + rng.uniform(0, 6)))
        phase = 2 * np.pi * np.cumsum(pitch) / rate
        voiced = sum(np.sin(k * phase + rng.uniform(0, 6)) / k**1.2 for k in range(1, 14))
        hiss = rng.standard_normal(length) * np.exp(-time * 30)
        envelope = np.sin(np.pi * np.linspace(0.04, 0.97, length)) ** 0.6 * rng.uniform(0.5, 1.0)
        onsets.append(total)
        pause = int(rate * (0.18 if word[-1] in ",.?" else 0.02))
        pieces += [(voiced * 0.09 + hiss * 0.06) * envelope, np.zeros(pause)]
        total += length + pause
    return (np.concatenate(pieces) * 20_000).astype(np.int16), onsets


def _talk(take: _Take) -> dict[str, list[Evidence]]:
    """Let the two talk until the time is up; give what happened, by kind, as evidence."""
    rng, rate = take.rng, take.rate
    found: dict[str, list[Evidence]] = {"response": [], "yield": [], "fto": [], "aside": []}
    at, party, turn = rate // 2, "user", 0
    while at < take.duration - rate:
        lines = USER_LINES if party == "user" else AGENT_LINES
        text = lines[turn // 2 % len(lines)]
        end = take.say(party, text, at)  # type: ignore[arg-type]
        if party == "user":
            take.note(end + rate // 2, "turn_heard", "agent", heard_since=at, heard_until=end)
            take.note(
                end + rate // 2,
                "recognised",
                "agent",
                text=_misheard(text, turn),
                heard_since=at,
                heard_until=end,
            )
        elif turn % 6 == 3 and end < take.duration - rate:
            end = _interrupted(take, at, end, found)
        elif turn % 6 == 5 and end - at > rate * 2:
            take.say("user", "Mm-hm.", at + int(rate * 1.6), role="backchannel")
        offset = int(rate * rng.normal(0.35, 0.28))
        start = max(end + offset, at + rate // 2)
        value = round((start - end) / rate, 4)
        found["fto"].append(Evidence(start=min(start, end), end=max(start, end), party=_other(party), value=value))
        if party == "user":
            found["response"].append(Evidence(start=end, end=max(start, end + 1), party="agent", value=max(0.0, value)))
        at, party, turn = start, _other(party), turn + 1
    return found


def _interrupted(take: _Take, start: int, end: int, found: dict[str, list[Evidence]]) -> int:
    """Let the user barge in on the agent's running turn; every other time the agent yields."""
    onset = start + int(take.rate * 1.3)
    take.say("user", "Wait, stop.", onset, role="interruption")
    yields = len(found["yield"]) % 2 == 0
    stop = onset + int(take.rate * 0.42) if yields else end
    if yields:
        take.audio[stop:end, 1] = 0
        name = take.utterances["agent"][-1].id
        take.events = [item for item in take.events if (item[2].type, item[2].data.get("id")) != ("speech_end", name)]
        take.note(stop, "yielded", "agent", heard_since=onset, said_text="Of course")
        take.note(stop, "speech_end", "agent", id=name, said_samples=stop - start, cut=True, since=stop)
        for kept in (take.utterances, take.segments):
            kept["agent"][-1] = msgspec.structs.replace(kept["agent"][-1], end=stop)
        take.words["agent"] = [word for word in take.words["agent"] if word.start < stop]
    label = "yielded" if yields else "talked through"
    found["yield"].append(
        Evidence(
            start=onset,
            end=stop,
            party="agent",
            label=label,
            value=round((stop - onset) / take.rate, 3) if yields else None,
        )
    )
    return max(stop, onset + take.rate)


def _misheard(text: str, turn: int) -> str:
    return text.replace("three", "free").replace("table", "cable" if turn % 4 == 0 else "table").lower().strip(".?")


def _other(party: str) -> Party:
    return other_party(party)  # type: ignore[arg-type]


def _troubles(take: _Take) -> None:
    """Add what can go wrong, what a line does, and a type that no reader knows."""
    for second in range(8, take.duration // take.rate, 37):
        at = second * take.rate
        take.note(at, "underrun", "agent", size=take.rate * 6 // 100, since=at - 960)
        take.note(at + 3 * take.rate, "cue_missed", "user", turn=2)
        take.note(at + 5 * take.rate, "talker", "line", direction="user_to_agent", until=at + 6 * take.rate,
                  text="somebody else")  # fmt: skip
        take.note(at + 7 * take.rate, "warp_core_breach", "line", loss=0.25, note="unknown to every reader")


def make_session(
    folder: Path,
    *,
    duration_s: float = 30,
    seed: int = 0,
    rate: int = RATE,
    heard: bool = False,
    trial: int = 0,
    scenario: str = "book a table",
    bare: bool = False,
) -> dict[str, Any]:
    """Write a session folder and give its row for results.jsonl; `bare` leaves out annotation and scores."""
    folder.mkdir(parents=True, exist_ok=True)
    take = _Take(round(duration_s * rate), rate, seed)
    found = _talk(take)
    _troubles(take)
    soundfile.write(folder / "conversation.wav", take.audio, rate, "PCM_16")
    lines = {
        "user_to_agent": [
            {"kind": "noise", "color": "babble", "snr_db": 15},
            {"kind": "codec", "name": "mulaw"},
        ]
    }
    if heard:
        _write_heard(folder, take)
    meta = SessionMeta(
        format=FORMAT,
        id=folder.name,
        scenario=scenario,
        trial=trial,
        sample_rate=rate,
        frame_ms=20,
        seed=seed,
        duration_samples=take.duration,
        lines=lines if heard else {},
        status="completed",
        parties={
            "user": PartyMeta(kind="scripted", spec={"kind": "scripted", "voice": "en-gb-x-rp"}),
            "agent": PartyMeta(kind="cascade", spec={"kind": "cascade", "voice": "en-us"}),
        },
        versions={"duplex-simulator": "0.1.0", "numpy": np.__version__},
    )
    (folder / "session.json").write_bytes(msgspec.json.encode(meta))
    (folder / "scenario.yaml").write_text(f"name: {scenario}\nseed: {seed}\n", encoding="utf-8")
    take.events.sort(key=lambda item: item[:2])
    (folder / "events.jsonl").write_bytes(b"".join(encode_event(event) for _, _, event in take.events))
    scores = _scores(found, take)
    if not bare:
        (folder / "speech.json").write_bytes(msgspec.json.encode(_speech(take)))
        judged = {"scores": scores, "expectations": expectations(scores)}
        (folder / "scores.json").write_bytes(msgspec.json.encode(judged))
    return {
        "id": folder.name,
        "scenario": scenario,
        "trial": trial,
        "seed": seed,
        "status": "completed",
        "problem": None,
        "scores": {score.id: msgspec.to_builtins(score) for score in scores},
    }


def add_decisions(folder: Path) -> None:
    """Have the user of a session be a caller: it decided its second turn, and at 3 s to wait."""
    events = folder / "events.jsonl"
    lines = [msgspec.json.decode(line) for line in events.read_bytes().splitlines()]
    begins = [line for line in lines if line["type"] == "speech_start" and line["party"] == "user"]
    told = {"type": "decided", "party": "user"}
    lines.append({**told, "at": begins[1]["at"], "choice": "hang_up", "reason": "has it all", "id": begins[1]["id"]})
    lines.append({**told, "at": 3 * RATE, "choice": "wait", "reason": "the other's sentence is not finished"})
    lines.sort(key=lambda line: int(line["at"]))
    events.write_bytes(b"".join(msgspec.json.encode(line) + b"\n" for line in lines))


def _write_heard(folder: Path, take: _Take) -> None:
    noise = (take.rng.standard_normal(min(take.duration, take.rate * 20)) * 160).astype(np.int16)
    worse = take.audio.copy()
    worse[:, 1] = take.audio[:, 0] + np.resize(noise, take.duration)
    worse[:, 0] = take.audio[:, 1]
    soundfile.write(folder / "heard.wav", worse, take.rate, "PCM_16")


def _speech(take: _Take) -> Speech:
    parts = {}
    for party in ("user", "agent"):
        spoken = Timeline((segment.start, segment.end) for segment in take.segments[party])
        parts[party] = PartySpeech(
            segments=tuple(Segment(start=start, end=end, source="vad") for start, end in spoken),
            utterances=tuple(take.utterances[party]),
            words=tuple(take.words[party]),
        )
    return Speech(**parts, detector="silero", recognizer="moonshine")


def _scores(found: dict[str, list[Evidence]], take: _Take) -> list[Score]:
    yields = found["yield"]
    return [
        spread(FTO, [item.value or 0.0 for item in found["fto"]], found["fto"], reason="nobody took the floor"),
        spread(
            RESPONSE,
            [item.value or 0.0 for item in found["response"]],
            found["response"],
            reason="no answers",
        ),
        share(
            YIELD_RATE,
            sum(item.label == "yielded" for item in yields),
            len(yields),
            yields,
            reason="no barge-ins",
        ),
        share(ASIDE, 0, 0, reason="no asides were said"),
    ]


def expectations(scores: list[Score]) -> list[dict[str, Any]]:
    """Judge two expectations against the scores, one of which seldom holds."""
    by_id = {score.id: score.value for score in scores}
    return [
        _judge(by_id, RESPONSE.id, "<", 1.2),
        _judge(by_id, YIELD_RATE.id, ">=", 0.9),
        _judge(by_id, ASIDE.id, ">=", 0.9),
    ]


def _judge(values: dict[str, float | None], metric: str, op: str, bound: float) -> dict[str, Any]:
    found = values[metric]
    passed = found is not None and (found < bound if op == "<" else found >= bound)
    return {
        "text": f"{metric} {op} {bound}",
        "metric": metric,
        "op": op,
        "bound": bound,
        "found": found,
        "passed": passed,
        "reason": None if found is not None else "undefined: no asides were said",
    }


def make_run(folder: Path, *, sessions: int = 6, duration_s: float = 12, seed: int = 0) -> list[dict[str, Any]]:
    """Write a run of several sessions over two scenarios, one of them failed; give its rows."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = []
    for index in range(sessions):
        scenario = ("book a table", "noisy phone line")[index % 2]
        name = f"{scenario.replace(' ', '-')}-{index // 2}"
        rows.append(
            make_session(
                folder / name,
                duration_s=duration_s,
                seed=seed + index,
                trial=index // 2,
                scenario=scenario,
                heard=index % 2 == 1,
            )
        )
    rows[-1] |= {"status": "failed", "problem": "the far end closed after 3.2 s"}
    write_run(folder, rows)
    return rows


def write_run(folder: Path, rows: list[dict[str, Any]]) -> None:
    """Write results.jsonl and run.json of a run with these rows."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "results.jsonl").write_bytes(b"".join(msgspec.json.encode(row) + b"\n" for row in rows))
    run = {
        "command": ["simulate", "scenarios/book_a_table.yaml"],
        "versions": {"duplex-simulator": "0.1.0"},
        "host": {"system": "test"},
        "wall_s": 12.5,
        "sessions": {row["id"]: {"status": row["status"]} for row in rows},
    }
    (folder / "run.json").write_bytes(msgspec.json.encode(run))
