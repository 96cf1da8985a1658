"""Definition cards of the barge-ins: what one is, what came of it, and what each number says of that."""

from metrics.card import card, rate, seconds
from simulator.score import Better, Definition

_SOURCE = "tau-voice R_Y and L_Y; Full-Duplex-Bench v1.5 stop latency; hotato's methodology (resume)"

_CASE = """A barge-in: a user turn, or a planned interruption, that begins while the agent holds the floor (inside one
    of its told utterances, pauses included, joined under 200 ms, or where nobody told, inside its ipus joined over
    silences under 0.5 s, if no user turn lies in them), at least 200 ms after it began; a planned interruption counts
    at any time. Planned is what an injector says, and a script's turn at an `agent_speaking` cue that began while its
    ears heard the agent speak. Backchannels and asides are no barge-ins."""
_OUTCOMES = """Yielded: the agent falls silent within 2 s of the onset; where its plan is known its utterance must have
    been cut. Talked through: it speaks on for 2 s, or its utterance ends uncut 1 s or more after the onset. Ended by
    itself, and outside the rate: an utterance that ends uncut sooner. Undecided, and outside the rate, too: one that
    the end of the session cuts off; a stop within 120 ms of the onset, or that something said before it over the same
    speech can have caused (what the agent told it had been hearing decides); and an end of which nobody knows whether
    it was cut. Who knows: the plan of the utterance, else the far end's account of its audio, else the sound of the
    end beside the speaker's own ends over which nobody spoke (from 2 s before to 0.2 s after them), where there are
    five of those: cut, where its level falls within 10 ms by 35 dB and by 8 dB more than at any of them; over, where
    its last 60 ms of voice lie 2.5 semitones under the speaker's median, as at four of five of them. Where both are
    so, or neither, nobody knows: then a stop over a planned interruption is a yield, and any other undecided, as is a
    planned interruption over an end that sounds over: an ordinary overlap at a turn's end (Heldner & Edlund 2010)
    sounds the same. The share that nobody could decide is undecided_rate."""
_OTHERS = """Others: tau-voice asks for one silent 200 ms tick within 2 s and takes a natural end for a yield;
    Full-Duplex-Bench v1.0 asks only whether the agent speaks afterwards, v1.5 lists every overlap of the file
    as a stop; FD-Bench joins silences up to 1.5 s first."""


def _card(meaning: str, undefined: str) -> str:
    return card(meaning, _CASE, _OUTCOMES, f"Undefined when {undefined}. Pooled: cases over cases.", _OTHERS)


def _rate(name: str, title: str, better: Better, text: str) -> Definition:
    return rate(f"barge_in.{name}", title, better, text, _SOURCE)


def _latency(name: str, title: str) -> Definition:
    meaning = """From the first audible sample of the barge-in to the last of the agent's speech that it cut. An
        agent that was cut in a pause of its own, silent already, counts as 0."""
    undefined = "Undefined when the agent yielded to no barge-in. Pooled over the single latencies."
    text = card(meaning, _CASE, _OUTCOMES, undefined, _OTHERS)
    return seconds(f"barge_in.yield_latency_{name}_s", f"Yield latency, {title}", "lower", text, _SOURCE)


_NONE = "there was no barge-in, or none was decided"

YIELD = _rate(
    "yield_rate",
    "Barge-ins yielded to",
    "higher",
    _card(
        """The share of decided barge-ins to which the agent yielded.
            yield_rate + talked_through_rate = 1.""",
        _NONE,
    ),
)
LATENCY_P50 = _latency("p50", "median")
LATENCY_P95 = _latency("p95", "95th percentile")
TALKED_THROUGH = _rate(
    "talked_through_rate",
    "Barge-ins talked through",
    "lower",
    _card("The share of decided barge-ins through which the agent talked.", _NONE),
)
FALSE_START = _rate(
    "false_start_rate",
    "False starts after yielding",
    "lower",
    _card(
        """The share of yields after which the agent spoke again before the user's turn was over: it stopped,
            and started over the user.""",
        "the agent yielded to no barge-in",
    ),
)
RESUME = _rate(
    "resume_rate",
    "Came back after yielding",
    "higher",
    _card(
        """The share of yields after which the agent spoke again within 4 s of the end of the user's turn (a
            false start counts): it did not fall dead. Timing does not tell an answer from going on with the old
            turn. Yields without such speech and with less session than that after them are not counted.""",
        "the agent yielded to no barge-in, or every session ended too soon",
    ),
)

UNDECIDED = _rate(
    "undecided_rate",
    "Barge-ins that nobody could decide",
    "neither",
    _card(
        """The share of barge-ins of which nobody can say whether the agent yielded or had finished. Where it is
            high, yield_rate speaks of few cases: an agent that tells when it was cut short has fewer.""",
        "there was no barge-in",
    ),
)

TOLD = _rate(
    "told_rate",
    "Agent's speech whose end was told",
    "neither",
    card(
        """The share of the agent's holds of the floor of which it is known whether they were cut or over: by the plan
            of its utterance (`speech_end`), or the far end's account of what it sent (`audio_end`).""",
        """Where it is high, a stop over any turn can be told from an end; where it is low, only a stop over a planned
            interruption can, and one whose sound tells; undecided_rate is higher. Two agents of which one is told and
            the other is not are compared by different knowledge: `simulate compare` and the pages say so.""",
        "Undefined when the agent did not speak. Pooled: holds over holds.",
        "Others do not tell the two apart.",
    ),
)

DECISION = seconds(
    "barge_in.decision_latency_p50_s",
    "Decision latency, median",
    "lower",
    card(
        """From the first audible sample of the barge-in to the moment at which the far end was known to have decided to
            give way: its model's decision to listen, or its server's to let itself be interrupted (`decision` events).
            Counted over the barge-ins that it yielded to, where such a decision came between the onset and the audible
            stop (or 0.25 s after it). Between this and yield_latency_p50_s lies sound that had been sent before.""",
        _CASE,
        _OUTCOMES,
        """Undefined when the agent yielded to no barge-in, when nobody tells its decisions (only vllm_duplex does), or
            when none came in time. Pooled over the single latencies.""",
        "Others measure what is heard only.",
    ),
    "vLLM-omni's duplex protocol (`response.listen`, `overlap.decision`)",
)

CARDS = (YIELD, LATENCY_P50, LATENCY_P95, DECISION, TALKED_THROUGH, FALSE_START, RESUME, UNDECIDED, TOLD)
