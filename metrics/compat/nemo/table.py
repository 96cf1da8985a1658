"""The table of `nemo_s2s`: its card, its metrics under the original's names, what a sample adds to them."""

from collections.abc import Mapping
from typing import Any

from metrics.compat.measured import Measured
from metrics.compat.nemo.sample import HeardSides, Settings, place, told
from metrics.compat.nemo.turns import NO_LATENCY_S
from simulator.score import Definition

CARD = """\
The demo scorer of NVIDIA's NeMo-Skills fork (eval_conversation_behavior_v2), flags and field names unchanged.
User segments: Silero on the left channel with min silence 1500 ms; the agent's: stamps <|t|> <$t$> of its
text, else Silero on the right channel. turn_taking: an agent start is right when some user end lies 1.5 s
before to 0.5 s after it; precision over agent segments, recall mixes agent hits with user misses, latency the
mean of max(gap, 0).
barge_in: the user starts inside an agent segment; success when it ends within 1.5 s. backchanneling: at every
end_time inside the agent's speech the agent still speaks 1.5 s later. user_speech: WER of what the model
heard (alignment) against a recogniser per user segment, and heard words outside user segments per second.
agent_speech: WER and CER of the agent's sound, recognised, against its text channel, cut-off ends left out,
and the share of words that its text lacks.
Corpus: plain means over rows, as percentages and ms. llm_judge: means of "Rating: X" (1 to 5), full and
sounded.
Quirks kept in mode=compat: frame of a time int(t / 0.08); a greeting is a false positive; two openings may
share a closing stamp; the barge-in sweep misses nested ones; every outside word has the onset of its run; an
unspoken reply has WER 1 and CER 0; kept rows take the last segment's end as length; one end_time list for all
rows; per-row judge scores stay null when reply ids carry the suffix. Sentinels: latency 9999 per row; 0 for
latency, barge-in and back-channel never measured.
mode=strict: null instead of sentinels, recall over user turns, every barge-in, onsets per word, judge ids
matched.
The recogniser is not the original's (parakeet): --set texts=FILE gives its texts; Silero runs by ONNX on the
CPU.
The judge's question is ours; --set instruction=FILE takes another, with {conversation} in it."""

# Metric id, unit, scale, a row's value in `eval_metrics`, the original's value where nothing was measured.
_TABLE: tuple[tuple[str, str, float, tuple[str, str], float | None], ...] = (
    ("turn_taking.avg_latency_ms", "ms", 1000, ("turn_taking", "latency"), 0.0),
    ("turn_taking.avg_precision", "%", 100, ("turn_taking", "precision"), 0.0),
    ("turn_taking.avg_recall", "%", 100, ("turn_taking", "recall"), 0.0),
    ("turn_taking.avg_f1", "%", 100, ("turn_taking", "f1"), 0.0),
    ("barge_in.avg_success_rate", "%", 1, ("barge_in", "success_rate"), 0.0),
    ("barge_in.avg_latency_ms", "ms", 1, ("barge_in", "avg_latency_ms"), 0.0),
    ("backchanneling.avg_accuracy", "%", 100, ("backchanneling", "accuracy"), 0.0),
    ("user_speech.avg_wer", "%", 100, ("user_speech", "total_wer"), None),
    ("user_speech.out_of_bounds_word_ratio", "words/s", 1, ("user_speech", "out_of_bounds_word_ratio"), None),
    ("agent_speech.avg_wer", "%", 100, ("agent_speech", "total_wer"), None),
    ("agent_speech.avg_cer", "%", 100, ("agent_speech", "total_cer"), None),
    ("agent_speech.hallucination_rate", "%", 100, ("tts_hallucinations", "hallucination_rate"), None),
)
_HIGHER = (
    "turn_taking.avg_precision",
    "turn_taking.avg_recall",
    "turn_taking.avg_f1",
    "barge_in.avg_success_rate",
    "backchanneling.avg_accuracy",
)
_BACKCHANNEL = "backchanneling.avg_accuracy"
_REASONS = {
    "turn_taking": "no answer was in time, or one side never speaks",
    "barge_in": "the user never barged in, or the agent never stopped in time",
    "backchanneling": "no end_time is given",
    "user_speech": "no alignment tells what the model heard, or the user said nothing",
    "agent_speech": "no alignment tells what the model meant to say, or the agent said nothing",
}

COLUMNS = (
    *(
        Definition(
            id=metric,
            unit=unit,
            title=metric.replace(".", " ").replace("_", " "),
            scale=scale,
            sentinel=sentinel,
            better="higher" if metric in _HIGHER else "lower",
        )
        for metric, unit, scale, _, sentinel in _TABLE
    ),
    Definition(id="num_samples_evaluated", unit="count", title="samples evaluated", statistic="sum", sentinel=0.0),
)


def measured(heard: HeardSides, metrics: Mapping[str, Any], settings: Settings) -> Measured:
    """Give what a sample adds to the corpus, and its tree of metrics as it stands."""
    found = Measured(
        sample_rate=heard.sample_rate,
        notes=list(heard.notes),
        shown=dict(metrics),
        lines=told(heard.sample, settings),
    )
    for metric, _, _, (part, field), _ in _TABLE:
        value = metrics[part].get(field)
        if value is not None and value != NO_LATENCY_S:
            found.add(metric, value)
        found.undefined([metric], _REASONS[metric.partition(".")[0]])
    failures = metrics["backchanneling"]["failures"]
    if failures:
        found.add(_BACKCHANNEL, failures.count(False) / len(failures))
    elif not settings.strict:
        found.add(_BACKCHANNEL, 0.0)
        found.sentinels.add(_BACKCHANNEL)
    if not metrics["barge_in"]["has_barge_ins"]:
        # The row's 0 stands for "never measured" and stays out of the mean.
        found.parts.pop("barge_in.avg_success_rate", None)
    place(found, heard.sample, settings)
    found.parts["num_samples_evaluated"] = {"count": 1, "of": 1}
    return found
