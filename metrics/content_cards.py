"""Definition cards of the word error rates."""

from metrics.card import card, per_minute, rate

_SOURCE = "word error rate after Whisper's English normaliser (Radford et al. 2022)"

_WER = """Errors: substitutions, deletions and insertions of the best alignment, after normalising both texts as
    Whisper's English evaluation does (case, punctuation, contractions, numbers; fillers such as "um" and "mm-hm"
    are dropped). Pooled: all errors over all words, so a long turn weighs more than a short one; may exceed 1."""

USER_WER = rate(
    "content.user_wer",
    "Word errors in what the agent understood",
    "lower",
    card(
        """What the agent understood (its `recognised` events, or the transcripts a remote system told) against
            the words that the user really said (truth, cut where the user was cut).""",
        """Each word belongs to the heard turn nearest to its middle, at most 0.5 s outside it; everything the user
            said there counts, backchannels and asides included. Words in no heard turn are unheard_rate's, heard
            turns in which the user said nothing are phantom_words_per_min's. Transcripts without times are
            compared as one text, where unheard words are deletions and phantom words insertions.""",
        _WER,
        "Undefined when the user's text is not known, or the agent tells nothing of what it understood.",
        "Others: EVA has the same for cascades (stt_wer); NeMo-Skills recognises the user's audio anew instead.",
    ),
    _SOURCE,
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
        _WER,
        """It contains the recogniser's own errors: compare agents with it, not with zero. Undefined when the
            agent's text is not known, or no recogniser runs here.""",
        "Others: NeMo-Skills' agent WER and CER, EVA's tts_fidelity (by a judge).",
    ),
    _SOURCE,
)

CARDS = (USER_WER, UNHEARD, PHANTOMS, AGENT_WER)
