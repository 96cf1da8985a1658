"""The definition cards of the content metrics: what each word error rate is counted over, and what it cannot tell."""

from metrics.card import card, per_minute, rate
from simulator.score import Definition

_SOURCE = "word error rate after Whisper's English normaliser (Radford et al. 2022)"
_CER_SOURCE = "character error rate, as the field has it for scripts without spaces"

_ERRORS = """Errors: substitutions, deletions and insertions of the best alignment. Each text is normalised for
    itself, English as Whisper's evaluation does (case, punctuation, contractions, numbers; fillers such as "um" and
    "mm-hm" are dropped), but what stands in brackets may be said or not; beyond that all apostrophes are one,
    emoticons go, and ok/okay, wi-fi/wifi, e-mail/email, uh-huh, cannot/can not, p.m./pm and their like have one
    spelling. Other languages lose case and punctuation only: their marks and their "um" are words. Numbers side by
    side are one ("1, 2, 3" is "one two three"). Where a script tells what was meant, its fillers, repeats and slips
    may have been understood or not: neither is an error. Pooled: all errors over all words, so a long turn weighs
    more than a short one; may exceed 1."""

_APART = """Left out: utterances known to be backchannels, and texts that normalise to no word ("Hm."). What is heard
    there is {apart}'s."""

_LANGUAGE = """The language is what the scenario says, else that of the voice (espeak's code), else it is told by the
    script of the text; Latin script counts as English. Undefined where a recogniser that hears English only listened
    to another language, and in scripts without spaces (Chinese, Japanese, Thai, Lao, Khmer, Burmese), which {cer}
    counts by character."""

USER_WER = rate(
    "content.user_wer",
    "Word errors in what the agent understood",
    "lower",
    card(
        """What the agent understood (its `recognised` events, or the transcripts a remote system told) against
            the words that the user really said (truth, cut where the user was cut).""",
        """Each word belongs to the heard turn nearest to its middle, at most 0.5 s outside it; asides said there
            count, and so do backchannels where they were understood. Words in no heard turn are unheard_rate's,
            heard turns in which the user said nothing are phantom_words_per_min's. Transcripts without times are
            compared as one text, where unheard words are deletions and phantom words insertions.""",
        _ERRORS,
        _APART.format(apart="user_backchannel_errors"),
        _LANGUAGE.format(cer="user_cer"),
        "Undefined when the user's text is not known, or the agent tells nothing of what it understood.",
        "Others: EVA has the same for cascades (stt_wer); NeMo-Skills recognises the user's audio anew instead.",
    ),
    _SOURCE,
)
USER_CER = rate(
    "content.user_cer",
    "Character errors in what the agent understood",
    "lower",
    card(
        """content.user_wer, counted by character (code points after NFKC, without spaces and punctuation), where
            the user's text is in a script without spaces: Chinese, Japanese, Thai, Lao, Khmer, Burmese.""",
        """Undefined when the text has spaces between words, or user_wer is for any other reason. Pooled: errors over
            characters.""",
    ),
    _CER_SOURCE,
    unit="per character",
)
UNHEARD = rate(
    "content.unheard_rate",
    "Words the agent did not take in",
    "lower",
    card(
        """The share of the words of the user's turns and interruptions (not backchannels, not asides) that lie in
            no turn the agent says it heard (`recognised` events; 0.5 s outside still counts as inside).""",
        "Words of the last 3 s of the session are left out: there was no time to take them in.",
        """Undefined when the user's text is not known, or the agent tells no times of what it understood. Pooled:
            words over words.""",
        "Others: NeMo-Skills counts such words as deletions of its user WER.",
    ),
    "this project",
)
PHANTOMS = per_minute(
    "content.phantom_words_per_min",
    "Words understood where nobody spoke to the agent",
    "lower",
    card(
        """How many words the agent understood in turns in which the user said nothing: somebody in the background,
            its own echo, or noise that its recogniser put into words. Per minute of session, after normalising.""",
        """Undefined when the user's text is not known, or the agent tells no times of what it understood. Pooled:
            words over minutes.""",
        """Others: NeMo-Skills counts words out of bounds; most word error rates hide them among the insertions of
            the turns around.""",
    ),
    "this project",
)
USER_BACKCHANNELS = rate(
    "content.user_backchannel_errors",
    "Words the agent made of the user's backchannels",
    "lower",
    card(
        """What the agent understood in heard turns that hold nothing but backchannels of the user, or nothing that
            normalises to a word: the words that were not said there, per such turn. Nothing understood is right.""",
        """A recogniser puts words into an "mm-hm" that an agent may then answer; they are no errors of its
            understanding of turns, which user_wer leaves them out of.""",
        """Undefined when no such turn was heard, or the recogniser does not hear the user's language. Pooled:
            words over turns.""",
    ),
    "this project",
    unit="words each",
)
AGENT_WER = rate(
    "content.agent_wer",
    "Word errors in the agent's speech",
    "lower",
    card(
        """What the agent's audio contains, by recognition (Moonshine tiny), against the text it meant to say,
            utterance by utterance. A cut utterance is held against the words begun before the cut; the word that
            was running then may be heard or not.""",
        """For a system that tells transcripts and no utterances both are compared as one text; words missing at
            its end count as never said.""",
        _ERRORS,
        _APART.format(apart="agent_backchannel_errors"),
        """It cannot tell an error of the agent's voice from one of the recogniser, which hears some voices better
            than others: agents with different voices are not comparable by it. Compare versions of one voice, and
            look at recogniser_wer beside it: what the same recogniser makes of the user's clean speech.""",
        _LANGUAGE.format(cer="agent_cer"),
        "Undefined when the agent's text is not known, or no recogniser runs here.",
        "Others: NeMo-Skills' agent WER and CER, EVA's tts_fidelity (by a judge).",
    ),
    _SOURCE,
)
AGENT_CER = rate(
    "content.agent_cer",
    "Character errors in the agent's speech",
    "lower",
    card(
        """content.agent_wer, counted by character (code points after NFKC, without spaces and punctuation), where
            the agent's text is in a script without spaces: Chinese, Japanese, Thai, Lao, Khmer, Burmese.""",
        """Undefined when the text has spaces between words, or agent_wer is for any other reason. Pooled: errors over
            characters.""",
    ),
    _CER_SOURCE,
    unit="per character",
)
AGENT_BACKCHANNELS = rate(
    "content.agent_backchannel_errors",
    "Words heard in the agent's backchannels",
    "lower",
    card(
        """What the recogniser hears in utterances of the agent that are known to be backchannels, or whose text
            normalises to no word ("Hm."): the words that were not said there, per such utterance. Nothing heard
            is right.""",
        """Mostly it is the recogniser that hears words in a hum: no fault of the agent. It stands here because
            agent_wer leaves it out.""",
        """Undefined when there was no such utterance, no recogniser runs here, or it does not hear the agent's
            language. Pooled: words over utterances.""",
    ),
    "this project",
    unit="words each",
)
RECOGNISER_WER = rate(
    "content.recogniser_wer",
    "Word errors of our own recogniser",
    "lower",
    card(
        """What the recogniser of agent_wer hears in the user's own track, as it was said and before any line, against
            the text that the user is known to have said: the error that recognition alone makes.""",
        """It is the yardstick of agent_wer, where both parties speak with voices of the same making: an agent_wer near
            it says nothing against the agent.""",
        _ERRORS,
        _APART.format(apart="no metric"),
        """Undefined when the user's text is not known or has no spaces between words, no recogniser runs here, or the
            user speaks a language that it does not hear.""",
    ),
    _SOURCE,
)

SAID_HEARD_WER = rate(
    "content.said_heard_wer",
    "Word errors between the answer as told and as heard",
    "lower",
    card(
        """All that the agent told in text of what it said, against all that is recognised of its audio: one pair a
            session. It says how far a benchmark's score can depend on which of the two answers is scored.""",
        """Utterances are told whole, also where they were cut: what was not said any more is missing here, and is no
            error in agent_wer.""",
        _ERRORS,
        """Undefined when the agent told no text, its text has no spaces between words, no recogniser ran, or it does
            not hear the agent's language.""",
        "Others: VoiceBench scores the text, or a recogniser's, and does not compare them.",
    ),
    _SOURCE,
)

CARDS: tuple[Definition, ...] = (
    USER_WER,
    USER_CER,
    UNHEARD,
    PHANTOMS,
    USER_BACKCHANNELS,
    AGENT_WER,
    AGENT_CER,
    AGENT_BACKCHANNELS,
    RECOGNISER_WER,
    SAID_HEARD_WER,
)
