"""What voices and recognisers cost, and how well each recogniser hears each voice.

Forty sentences in every voice. Of each voice: how many times faster than real time it speaks, of each recogniser: how
many times faster than real time it listens, both by the CPU time of all threads, models loaded before; whether the
voice says the same bytes in another process; the time and memory that loading took, the detector's with the first
recogniser. Of every pair: the word error rate after
Whisper's English normaliser.

    python tests/benchmarks/voices.py [--voices en-gb-x-rp piper] [--recognizers moonshine whisper] [--markdown]

Voices and recognisers are named as in a scenario: words, or mappings of YAML.
"""

import argparse
import hashlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from jiwer import wer

from metrics.spelling import normalised
from simulator.clock import cpu_seconds, today
from simulator.engines import Utterance
from simulator.engines.kinds import RecognizerSpec, VoiceSpec, recognizer_of, voice_of
from simulator.reading.yaml_file import parse_yaml

VOICES = ("en-gb-x-rp", "en-us+f2", "en-us+f3", "en-us+m7", "piper")
RECOGNIZERS = ("moonshine", "whisper", "[moonshine, whisper]")

SENTENCES = """
What time do you open on Sunday? | I would like a table for two, please. | Could you tell me more about the menu?
Sorry, I did not catch that. | My flight leaves at half past seven tomorrow. | Can I change my booking to Friday?
How much does the large one cost? | The parcel has not arrived yet. | Please put me through to the manager.
I forgot my password again. | The heating in my room does not work. | Do you have anything cheaper than that?
We will be four people, not three. | Is there a train before nine in the morning? | Let me think about it for a moment.
I have been waiting for twenty minutes. | Could you repeat the last number, please? | My name is John Smith.
The address is twelve Station Road. | That is not what I ordered. | Yes, that sounds good to me. | No, thank you.
I need to cancel my appointment. | When will the doctor be back? | Can you send me an email about it?
It was delivered to the wrong house. | Please wait a second, there is someone at the door. | How do I get there by bus?
I would rather pay with my credit card. | The screen went black and nothing happens. | Who am I speaking to?
You said it would be ready by Monday. | Turn off the lights in the kitchen. | What is the weather like in London?
There must be some mistake in the bill. | Remind me to call my sister tonight. | I am calling about the apartment.
Does the price include breakfast? | Could we meet a little later instead? | Thank you very much for your help.
"""


def sentences() -> list[str]:
    """The forty."""
    return [text.strip() for line in SENTENCES.strip().splitlines() for text in line.split("|")]


def seconds(said: Utterance) -> float:
    """How long it is."""
    return len(said.samples) / said.sample_rate


def digest(said: list[Utterance]) -> str:
    """All of it in a few letters."""
    return hashlib.sha256(b"".join(one.samples.tobytes() for one in said)).hexdigest()


def resident_mb() -> float:
    """What this process holds, in MB; 0 where the system does not tell."""
    status = Path("/proc/self/status")
    lines = status.read_text().splitlines() if status.is_file() else []
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS")), 0.0)


def of_voice(voice: VoiceSpec) -> tuple[dict[str, Any], list[Utterance]]:
    """How fast a voice speaks, what loading it took, and what it said."""
    before_mb, began = resident_mb(), cpu_seconds()
    engine = voice.build()
    engine.synthesize("Good morning.")
    loaded, held_mb = cpu_seconds(), resident_mb()
    said = [engine.synthesize(text) for text in sentences()]
    spent = cpu_seconds() - loaded
    told = {
        "voice": voice.label,
        "load_cpu_s": round(loaded - began, 2),
        "load_mb": round(held_mb - before_mb),
        "times_real_time": round(sum(map(seconds, said)) / spent, 1),
        "sound_s": round(sum(map(seconds, said)), 1),
    }
    return told, said


def said_elsewhere(word: str) -> str:
    """The digest of what the voice says in another process."""
    program = (
        "from tests.benchmarks.voices import *\n"
        f"engine = voice_of(parse_yaml({word!r}, source='voice')).build()\n"
        "print(digest([engine.synthesize(text) for text in sentences()]))"
    )
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=root)
    return done.stdout.split()[-1]


def of_recognizer(recognizer: RecognizerSpec, said: list[Utterance]) -> tuple[float, float]:
    """The word error rate on a voice, and how many times faster than real time it was heard."""
    engine = recognizer.shared()
    began = cpu_seconds()
    heard = [engine.recognize(one.samples, one.sample_rate).text for one in said]
    spent = cpu_seconds() - began
    errors = wer(normalised([one.text for one in said]), [text or "*" for text in normalised(heard)])
    return errors, sum(map(seconds, said)) / spent


def loaded(recognizer: RecognizerSpec) -> dict[str, Any]:
    """What loading a recogniser took, with its first word; nothing of a vote whose voters are loaded."""
    hello = voice_of("en-us").shared().synthesize("Hello.").samples
    before_mb, began = resident_mb(), cpu_seconds()
    thread = recognizer.shared().warm()
    if thread is not None:
        thread.join()
    recognizer.shared().recognize(hello, 22_050)
    spent = cpu_seconds() - began
    return {"recognizer": recognizer.label, "load_cpu_s": round(spent, 2), "load_mb": round(resident_mb() - before_mb)}


def measured(voices: list[str], recognizers: list[str]) -> dict[str, Any]:
    """All of it."""
    ears = [recognizer_of(parse_yaml(word, source="recognizer")) for word in recognizers]
    loads = [loaded(recognizer) for recognizer in ears]
    rows = []
    for word in voices:
        told, said = of_voice(voice_of(parse_yaml(word, source="voice")))
        pairs = {ear.label: of_recognizer(ear, said) for ear in ears}
        rows.append({
            **told,
            "same_bytes_in_another_process": digest(said) == said_elsewhere(word),
            "wer": {label: round(errors, 3) for label, (errors, _) in pairs.items()},
            "heard_times_real_time": {label: round(speed, 1) for label, (_, speed) in pairs.items()},
        })  # fmt: skip
    return {"date": today(), "sentences": len(sentences()), "voices": rows, "recognizers": loads}


def markdown(found: dict[str, Any]) -> str:
    """The tables of docs/voices.md."""
    labels = list(found["voices"][0]["wer"])
    lines = ["| voice | times real time | load | same bytes | " + " | ".join(f"WER {label}" for label in labels) + " |",
             "|---|---|---|---|" + "---|" * len(labels)]  # fmt: skip
    for row in found["voices"]:
        load = f"{row['load_cpu_s']} s, {row['load_mb']} MB"
        same = "yes" if row["same_bytes_in_another_process"] else "no"
        rates = " | ".join(f"{row['wer'][label]:.3f}" for label in labels)
        lines.append(f"| {row['voice']} | {row['times_real_time']} | {load} | {same} | {rates} |")
    lines += ["", "| recogniser | times real time, over all voices | load |", "|---|---|---|"]
    for label, load in zip(labels, found["recognizers"], strict=True):
        speeds = [row["heard_times_real_time"][label] for row in found["voices"]]
        took = f"{load['load_cpu_s']} s, {load['load_mb']} MB"
        lines.append(f"| {label} | {min(speeds):g} to {max(speeds):g} | {took} |")
    return "\n".join(lines)


def main() -> None:
    """Measure, and print JSON or tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--voices", nargs="+", default=list(VOICES))
    parser.add_argument("--recognizers", nargs="+", default=list(RECOGNIZERS))
    parser.add_argument("--markdown", action="store_true")
    args = parser.parse_args()
    found = measured(args.voices, args.recognizers)
    print(markdown(found) if args.markdown else json.dumps(found, indent=2))


if __name__ == "__main__":
    main()
