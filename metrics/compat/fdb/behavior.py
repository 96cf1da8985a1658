"""Full-Duplex-Bench v1.5, behaviour: what the agent does after an overlap, as a judge tags it."""

import json
from pathlib import Path
from typing import Annotated, Any, ClassVar

import msgspec

from metrics.compat.fdb.samples import FdbSample
from metrics.compat.fdb.scorer import FdbGiven, FdbScorer, OpenSample
from metrics.compat.judging import judge_of, read_instruction
from simulator.errors import SessionError
from simulator.score import Definition
from simulator.scoring.inputs import InputKind
from simulator.scoring.judge import Judge, Messages, Ruling, ask

TAGS = {
    "C_RESPOND": "share_respond",
    "C_RESUME": "share_resume",
    "C_UNCERTAIN_HANDLING": "share_uncertain",
    "C_UNKNOWN": "share_unknown",
}
TAG_FILE = "content_tag.json"

# What the judge reads: the question's names, and the word files they come from.
_TRANSCRIPTS = {
    "input_clean": "clean_input.json",
    "input_noisy": "input.json",
    "output_clean": "clean_output.json",
    "output_noisy": "output.json",
}

# Our own words for the question; the original's wording may be given with instruction=FILE.
INSTRUCTION = """\
A user talks with a voice assistant. In the noisy version a second voice (an interruption, a short \
"mm-hm", words meant for somebody else, or a voice in the background) is heard while the assistant talks; \
the clean version is the same conversation without it. You get word-timed transcripts of both: what the \
assistant heard (input_*) and said (output_*).

Find where the second voice starts: it is what input_noisy has and input_clean lacks. Then find the first \
stretch of the assistant's noisy output that begins after that moment and is new: it turns to what the \
second voice said, changes what it is doing, opens with a remark about the conversation, or plainly starts \
afresh. What was begun earlier and merely goes on is not new. Give exactly one tag:
C_RESPOND: it turns to what the second voice said
C_RESUME: it goes on with its earlier answer, or takes it up again
C_UNCERTAIN_HANDLING: it asks to repeat, or says that it did not understand
C_UNKNOWN: none of these, or it says nothing afterwards

Answer with one JSON object and nothing else: {"behaviour": ["<tag>"]}"""

CARD = """\
A judge reads the word files of the clean and the noisy version and tags what the agent does first after
the overlap: respond to it, resume, uncertain handling (asks to repeat), unknown (off target or silent).
Each share is over all tags given: a reply with two tags counts twice; n counts tags.
The tag is read from the first JSON object of the reply that has the key `behaviour`.
compat: shares rounded to 2 decimals; tags of other names count in the denominator. strict: full
precision; a reply with another name is not parsed.
Needs input.json, clean_input.json, output.json and clean_output.json. Without a judge the tags of
content_tag.json are taken. Recordings of sessions have no clean version.
Undefined: a transcript is missing, or no reply can be read.
Good: respond high for interruptions, resume high for backchannels, asides and background speech.
Source: Full-Duplex-Bench v1.5, arXiv 2507.23159."""


class BehaviorSpec(FdbScorer, frozen=True, kw_only=True, tag="fdb:behavior"):
    """Shares of what the agent does after an overlap.

    judge_replies: a file with a judge's replies. judge_model: the judge's name. judge_url: its endpoint, up to /v1.
    judge_tries: how often it is asked until its reply can be read. instruction: a file with the question's words.
    """

    judge_replies: Path | None = None
    judge_model: str | None = None
    judge_url: str | None = None
    judge_tries: Annotated[int, msgspec.Meta(ge=1, le=100)] = 5
    instruction: Path | None = None

    card: ClassVar[str] = CARD
    table: ClassVar[tuple[Definition, ...]] = tuple(
        Definition(id=metric, unit="share", title=f"tagged {tag}", statistic="ratio", decimals=2)
        for tag, metric in TAGS.items()
    )
    accepts: ClassVar[tuple[InputKind, ...]] = ("fdb",)
    extras: ClassVar[tuple[str, ...]] = ("behaviour",)

    def prepare(self) -> FdbGiven:
        """Read the options and open the judge."""
        given = FdbScorer.prepare(self)
        judge = judge_of(self.judge_replies, self.judge_model, self.judge_url, seed=1, seed_step=1)
        instruction = read_instruction(self.instruction) or INSTRUCTION
        return msgspec.structs.replace(given, judge=judge, instruction=instruction)

    def measure_sample(self, sample: OpenSample) -> None:
        """Have the sample tagged and count the tags."""
        if sample.given.judge is None:
            tags = read_tags(sample.files)
            sample.measured.notes.append(f"{TAG_FILE}: taken as it is, no judge is given")
        else:
            tags = self._judged(sample, sample.given.judge)
        sample.measured.shown["behaviour"] = tags
        sample.measured.written[TAG_FILE] = {"behaviour": tags}
        for tag, metric in TAGS.items():
            sample.measured.parts[metric] = {"count": tags.count(tag), "of": len(tags)}
        sample.measured.lines.append(f"tagged {', '.join(tags) or 'with nothing'}")

    def _judged(self, sample: OpenSample, judge: Judge) -> list[str]:
        missing = [name for name in _TRANSCRIPTS.values() if name not in sample.files.files]
        if missing:
            raise SessionError(f"{', '.join(missing)}: missing; the judge reads all four transcripts")
        known_only = self.mode == "strict"
        verdict: Ruling[list[str]] = ask(
            judge,
            sample.id,
            _question(sample.given.instruction or INSTRUCTION, sample.files),
            lambda reply: parse_tags(reply, known_only=known_only),
            tries=self.judge_tries,
        )
        sample.measured.replies = list(verdict.replies)
        if verdict.value is None:
            raise SessionError(verdict.problem or "no tag")
        if verdict.unparsed:
            sample.measured.notes.append(
                f"{verdict.unparsed} of {len(verdict.replies)} judge replies could not be parsed"
            )
        return verdict.value


def read_tags(files: FdbSample) -> list[str]:
    """Read the tags that a judge left in content_tag.json; SessionError without them."""
    if TAG_FILE not in files.files:
        raise SessionError(f"no judge is given (judge_replies or judge_model), and {TAG_FILE} is missing")
    tags = _tags(files.read(TAG_FILE, dict[str, Any]).get("behaviour"))
    if tags is None:
        raise SessionError(f"{TAG_FILE}: expected a list of tags under `behaviour`")
    return tags


def parse_tags(reply: str, *, known_only: bool = False) -> list[str] | None:
    """Read the tags of the first JSON object in a reply that has the key `behaviour`; None without one."""
    decoder = json.JSONDecoder()
    for place in (index for index, letter in enumerate(reply) if letter == "{"):
        try:
            found, _ = decoder.raw_decode(reply, place)
        except ValueError:
            continue
        if isinstance(found, dict) and "behaviour" in found:
            tags = _tags(found["behaviour"])
            return None if tags is None or (known_only and not (tags and set(tags) <= set(TAGS))) else tags
    return None


def _tags(value: Any) -> list[str] | None:
    if isinstance(value, str):
        return [value]
    return value if isinstance(value, list) and all(isinstance(tag, str) for tag in value) else None


def _question(instruction: str, files: FdbSample) -> Messages:
    asked = {name: files.read(file, dict[str, Any]) for name, file in _TRANSCRIPTS.items()}
    text = json.dumps(asked, ensure_ascii=False, separators=(",", ":"))
    return [{"role": "system", "content": instruction}, {"role": "user", "content": text}]
