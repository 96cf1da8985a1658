"""Definition cards of the word error rates."""

from simulator.score import Definition

_SOURCE = "word error rate after Whisper's English normaliser (Radford et al. 2022)"

_WER = """\
Errors: substitutions, deletions and insertions of the best alignment, after normalising both texts as
Whisper's English evaluation does (case, punctuation, contractions, numbers; fillers such as "um" and "mm-hm"
are dropped). Pooled: all errors over all words, so a long turn weighs more than a short one; may exceed 1."""

USER_WER = Definition(
    id="content.user_wer",
    unit="ratio",
    statistic="ratio",
    better="lower",
    source=_SOURCE,
    title="Word errors in what the agent understood",
    card="\n".join(
        [
            "What the agent understood (its `recognised` events, or the transcripts a remote system told) "
            "against the words that "
            "the user really said (truth, cut where the user was cut).",
            "Each word belongs to the heard turn nearest to its middle, at most 0.5 s outside it; "
            "everything audible there "
            "counts as said, backchannels and asides included. Words in no heard turn are unheard_rate's, "
            "not deletions here. "
            "Transcripts without times are compared as one text, where unheard words are deletions.",
            _WER,
            "Undefined when the user's text is not known, or the agent tells nothing of what it understood.",
            "Others: EVA has the same for cascades (stt_wer); NeMo-Skills recognises the user's audio anew "
            "instead.",
        ]
    ),
)
UNHEARD = Definition(
    id="content.unheard_rate",
    unit="ratio",
    statistic="ratio",
    better="lower",
    source="this project",
    title="Words the agent did not take in",
    card="\n".join(
        [
            "The share of the words of the user's turns and interruptions (not backchannels, not asides) "
            "that lie in no turn the "
            "agent says it heard.",
            "Words of the last 3 s of the session are left out: there was no time to take them in.",
            "Undefined when the user's text is not known, or the agent tells no times of what it understood.",
        ]
    ),
)
AGENT_WER = Definition(
    id="content.agent_wer",
    unit="ratio",
    statistic="ratio",
    better="lower",
    source=_SOURCE,
    title="Word errors in the agent's speech",
    card="\n".join(
        [
            "What the agent's audio contains, by recognition (Moonshine tiny), against the text it meant to "
            "say, utterance by "
            "utterance; a cut utterance is held against the words begun before the cut, and the word that "
            "was running then may "
            "be heard or not.",
            "For a system that tells transcripts and no utterances both are compared as one text; words "
            "missing at its end count "
            "as never said.",
            _WER,
            "It contains the recogniser's own errors: compare agents with it, not with zero.",
            "Undefined when the agent's text is not known, or no recogniser runs here.",
            "Others: NeMo-Skills' agent WER and CER, EVA's tts_fidelity (by a judge).",
        ]
    ),
)

CARDS = (USER_WER, UNHEARD, AGENT_WER)
