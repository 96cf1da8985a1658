"""Writes docs/languages.md, what there is for each language: `python -m tests.languages_page`."""

from collections.abc import Iterator
from pathlib import Path

from metrics.spelling import orthography_of
from simulator.engines.kinds import languages_heard
from simulator.languages.counting import COUNTINGS
from simulator.languages.lookup import ENGLISH, MULTILINGUAL, tongues
from simulator.languages.tongue import Tongue
from simulator.speaking.disfluency import KINDS

PAGE = Path(__file__).resolve().parent.parent / "docs" / "languages.md"
HEAD = """# Languages, and how people talk
<!-- fmt: off -->

```yaml
language: de                                              # both parties
user: {kind: scripted, turns: ["Guten Tag."]}
agent: {kind: cascade, language: es, replies: [...]}      # or one of them
```

`language` is a code (`de`, `pt-BR`). What a scenario does not name follows it: the voices, the words of a
`backchannel` that names none, the replies of a cascade that has none, the hesitations of `vad_adaptive`, and who
recognises: a party's recogniser hears what the other speaks. What was filled in stands in the session's
`scenario.yaml`. A far end is told nothing of it; it is said of it for those who score. Scores take the language from
here, else from the voice, else from the script of the text.

`simulate check` refuses a party that would not understand the other, and says which recogniser would and what fetches
it; where only a voice tells the language, that is a remark. A recogniser for the scorers is taken where it is on this
machine; without one the metrics of recognised words stay undefined, and the run goes on. Recognisers of servers hear
what they hear: name them.

A sweep over `language` is refused: what follows it is filled in before. `--set language=es` gives another scenario.

| language | voice of the user, the agent | accents | recognised by | word times | compared | says while listening |
|---|---|---|---|---|---|---|
"""
FOOT = """
Voices are espeak's, which speaks all of them and none like a native; a Piper voice, a server or takes are named in
`voice` ([voices.md](voices.md)). espeak reads no Chinese characters in Japanese: write kana, with spaces between
words. A vote needs recognisers that all hear the language. Synthesised words have the synthesiser's own times in
every language; aligned is what else is known as text. `scenarios/languages/` holds first calls that run without a
model.

For error rates numbers in words are digits, so that `zweihundertfünf`, `205` and `2, 0, 5` are the same, whoever writes
which; numbers behind each other are one, as an id is that is read digit by digit. English goes by Whisper's rules;
NUMBERS know theirs up to 999,999, Hindi and Arabic up to ten, Chinese (and Japanese) its numerals, Korean none. An
article (`ein`, `un`, `een`) is no number but inside one; cases (Russian `двадцати`), ordinals, fractions and times
of the clock stay words. What an agent of rules hears is searched with English numbers in digits alone.

## Disfluent by rule

```yaml
user:
  kind: scripted
  disfluent: 0.3                                          # three of ten turns, one kind each, drawn by the seed
  turns:
    - {say: "A table for two on Friday, please.", disfluent: [filler, self_correction]}       # this turn, both
    - {say: "And the bill, please.", disfluent: {share: 0.5, kinds: [repeat, pause]}}
    - {say: ["A table for", {say: "three, no,", disfluency: self_correction}, "two."]}        # in your own words
```

Kinds: KINDS. Five are the classes of Full-Duplex-Bench v3. A self-correction takes back a day, a month, a number; a
text without one has none. Languages without spaces know no repeats and no false starts. `speech_start` tells what was
`meant` and which words are `disfluent`, speech.json marks those words. For `content` each may have been understood or
passed over; neither is an error, and taking a slip for what was meant is one. A caller's `manner.disfluent` is the
share of its turns with a filler or a repeat, marked in the same way.

## Effort, pace, mouths

| key of a turn | |
|---|---|
| `words_per_minute` | of this turn alone |
| `level_db` | louder or quieter by so much |
| `effort: whisper`, `shout` | 15 dB quieter; 12 dB louder, as far as peaks leave room; the gain alone |

A voice that whispers is espeak's variant `en-us+whisper`. In a `say` list stand texts, `{pause: 700ms}`, `{sound:
breath}` and `{sound: laugh}` (made here; injectors of kind `sound` have them too), and `{say: "good morning",
language: en}`: code-switching by the same speaker of espeak, or by `voice`.

`accent: scottish`, or `accent: [voice, voice, ...]`: a party's trials speak with these voices in turn, and each
session's `scenario.yaml` names its own.
"""


def page() -> str:
    """Give the whole page."""
    kinds = ", ".join(f"`{kind}`" for kind in KINDS)
    rows = "\n".join("| " + " | ".join(_row(tongue)) + " |" for tongue in tongues().values())
    counted = [one.name for one in tongues().values() if one.code in COUNTINGS and COUNTINGS[one.code].thousand]
    numbers = f"{', '.join(counted[:-1])} and {counted[-1]}"
    return HEAD + rows + "\n" + FOOT.replace("KINDS", kinds).replace("NUMBERS", numbers)


def _row(tongue: Tongue) -> Iterator[str]:
    english = tongue.code == ENGLISH
    yield f"{tongue.name} (`{tongue.code}`)"
    yield f"`{tongue.voice}`, `{tongue.second}`"
    yield ", ".join(f"`{name}`" for name in tongue.accents) or "-"
    heard = ["moonshine"] if english else [f"{MULTILINGUAL['kind']} {MULTILINGUAL['model']}"]
    yield ", ".join([*heard, *(["sensevoice"] if tongue.code in languages_heard("sensevoice auto") else [])])
    yield "alignment (pocketsphinx)" if english else "the recogniser's own"
    compared = {
        "english": "words, Whisper's English rules",
        "words": "words without case and punctuation",
        "characters": "characters",
    }
    yield compared[orthography_of(tongue.backchannels[0], tongue.code)]
    yield ", ".join(tongue.backchannels)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
