"""Definition cards of dialogues: how far from human talk, how collapsed, how rich."""

from metrics.card import card, rate
from metrics.dialogue_collapse import (
    ALIKE,
    BOTH_TALKING,
    FEWEST_ECHOES,
    FEWEST_GRAMS,
    GRAM,
    LEAST_SPEECH_S,
    LOOPED,
    ONE_SIDED,
    PARROTED,
    SHORT_WORDS,
    SILENT_S,
)
from metrics.dialogue_shapes import RESOLVED_S, human_talk
from simulator.score import Definition

ANSWER_WITHIN_S = 3.0
"""How soon a question is answered, if it is: nine of ten floor transfers between people are sooner."""
SEGMENT_WORDS = 50
"""Words of a segment of which the share of different ones is counted: any fixed number compares talks of any length."""
FEWEST_TURNS = 4
"""Turns from which on their order has an entropy worth telling."""

_NAMES = {
    "fto": (
        "Floor transfer offsets",
        "Start of what takes the floor minus end of what held it; overlaps are negative.",
    ),
    "gap": ("Gaps", "Silences of both after which the other party speaks."),
    "overlap": ("Overlaps", "Maximal stretches in which both speak, backchannels included."),
    "pause": ("Pauses", f"Silences of both, {RESOLVED_S:g} s and longer, after which the same party goes on."),
    "ipu": ("Stretches of speech", f"A party's speech between own silences of {RESOLVED_S:g} s and more."),
    "backchannel": ("Backchannels", "Lengths of what both said as backchannels: told, else short and over the other."),
}
_COLLAPSES = {
    "silent": ("Fell silent", f"Both are silent for {SILENT_S:g} s on end, the session's end included."),
    "both_talking": (
        "Both talk",
        f"Of the time with speech ({LEAST_SPEECH_S:g} s at least) both speak in more than {BOTH_TALKING:.0%}.",
    ),
    "one_sided": (
        "One-sided",
        f"A party has under {ONE_SIDED:.0%} of all speech, which is {LEAST_SPEECH_S:g} s at least.",
    ),
    "loop": (
        "Loops",
        f"Of a party's runs of {GRAM} words, {FEWEST_GRAMS} at least, {LOOPED:.0%} and more it had said before.",
    ),
    "parrot": (
        "Parroting",
        f"""Of a party's turns of {SHORT_WORDS} words and more, {PARROTED:.0%} and {FEWEST_ECHOES} at least repeat the
        other's last turn: {ALIKE:.0%} of their words in order (2 x common / all).""",
    ),
}
_SOURCE = "dGSLM (Nguyen et al., arXiv 2203.16502) for the distances"


def _distance(shape: str) -> Definition:
    title, meaning = _NAMES[shape]
    human = human_talk()
    return Definition(
        id=f"dialogue.{shape}_w1_s",
        unit="s",
        statistic="w1",
        better="lower",
        title=f"{title}: distance from human talk",
        reference=human.quantiles[shape],
        source=f"{_SOURCE}; reference: {human.source}",
        card=card(
            """Wasserstein-1 distance between this dialogue's values and people's: the area between the two
            distribution functions, in seconds; 0 when they are the same.""",
            meaning,
            f"""Reference: {len(human.quantiles[shape])} quantiles of {human.counts[shape]} values: {human.source};
            {human.told}.
            Licence: {human.licence}. They are meetings of people who see each other, so their gaps are longer than a
            telephone's.""",
            "Pooled: one distance of all values together. Undefined when the session has no such event.",
        ),
    )


def _collapse(name: str) -> Definition:
    title, meaning = _COLLAPSES[name]
    by_words = "Undefined where nobody knows a word." if name in ("loop", "parrot") else ""
    pooled = "Of a session 0 or 1; pooled: the share of sessions."
    return rate(f"dialogue.{name}", title, "lower", card(meaning, by_words, pooled), "own definition")


DISTANCES = {shape: _distance(shape) for shape in _NAMES}
COLLAPSES = {name: _collapse(name) for name in _COLLAPSES}
COLLAPSED = rate(
    "dialogue.collapsed",
    "Collapsed",
    "lower",
    card(
        f"Any of {', '.join(f'dialogue.{name}' for name in _COLLAPSES)} is so.",
        "Those that a session cannot tell (no words) are left out. Of a session 0 or 1; pooled: the share of sessions.",
    ),
    "own definition",
)
DIVERSITY = Definition(
    id="dialogue.lexical_diversity",
    unit="ratio",
    statistic="fmean",
    better="neither",
    title="Lexical diversity",
    card=card(
        f"""Mean segmental type-token ratio: each party's words are cut into segments of {SEGMENT_WORDS}; of each
        the share of different words counts. What is left over at the end is left out.""",
        f"Pooled: the mean over all segments. Undefined when no party said {SEGMENT_WORDS} words.",
    ),
    source="Johnson 1944, Studies in language behavior",
)
ANSWERED = rate(
    "dialogue.answered_rate",
    "Questions answered",
    "higher",
    card(
        f"""Of the turns that end in a question mark, the share after which the other takes the floor within
        {ANSWER_WITHIN_S:g} s of its end, or has it already and speaks on. Whether it answers nobody judges here.""",
        f"""Not counted: a question in the last {ANSWER_WITHIN_S:g} s of the session that is not answered. Undefined
        without a question, or where nobody knows a word. Pooled: answers over questions.""",
    ),
    "adjacency pairs (Schegloff and Sacks 1973)",
)
ENTROPY = Definition(
    id="dialogue.turn_entropy_bits",
    unit="bits",
    statistic="fmean",
    better="neither",
    title="Entropy of who speaks next",
    card=card(
        """How open it is who has the next turn: the entropy of the next turn's speaker given this one's, in bits.
        0: always the other, or always the same one; 1: either, equally often.""",
        f"Undefined with fewer than {FEWEST_TURNS} turns. Pooled: the mean over sessions.",
    ),
    source="conditional entropy (Shannon 1948) of the speaker sequence",
)
CARDS: tuple[Definition, ...] = (
    *DISTANCES.values(),
    COLLAPSED,
    *COLLAPSES.values(),
    DIVERSITY,
    ANSWERED,
    ENTROPY,
)
