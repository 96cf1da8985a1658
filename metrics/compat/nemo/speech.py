"""NeMo's demo scorer, speech side: what the model heard and said, inserted words, symbol balance.

Source: the speech-to-speech demo scorer of a NeMo-Skills fork (2026-01), restated from its definition. The
alignment tells per 80 ms frame what the model heard (`asr_stream_decoded`) and meant to say
(`agent_stream_decoded`); the texts are a recogniser's. Every function gives the part of `eval_metrics` of its
name, keys unchanged.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from metrics.compat.nemo.text import (
    FRAME_S,
    Errors,
    TextSegment,
    character_errors,
    error_rate,
    frame_indices,
    frame_of,
    normalize,
    stream_text,
    word_errors,
)

HEARD, MEANT = "asr_stream_decoded", "agent_stream_decoded"
CUT_OFF_FACTOR = 0.8
"""A reply is cut off when dropping the unspoken end of its text leaves less than this share of errors."""


class SpokenSample(NamedTuple):
    """What a row is scored from: segments (seconds), recognised text per segment, alignment, length."""

    user: Sequence[TextSegment]
    agent: Sequence[TextSegment]
    user_texts: Mapping[TextSegment, str]
    agent_texts: Mapping[TextSegment, str]
    alignment: Mapping[str, Any]
    duration_s: float


def user_speech(sample: SpokenSample, buffer_s: float, *, strict: bool = False) -> dict[str, Any]:
    """Score what the model heard against the recogniser, per user segment, and list words heard outside.

    strict: a word outside has the onset of its own token, not that of the run it stands in; a recording
    without a length gives no ratio.
    """
    if HEARD not in sample.alignment:
        return _unheard()
    per_segment = [entry for segment in sample.user if (entry := _heard_segment(sample, segment, buffer_s))]
    outside = list(_words_outside(sample, buffer_s, own_onsets=strict))
    totals = {
        name: sum(entry[name] for entry in per_segment)
        for name in ("ref_words", "substitutions", "insertions", "deletions")
    }
    errors = totals["substitutions"] + totals["insertions"] + totals["deletions"]
    no_ratio = None if strict else 0
    return {
        "total_wer": errors / totals["ref_words"] if totals["ref_words"] else None,
        **{f"total_{name}": total for name, total in totals.items()},
        "per_segment": per_segment,
        "out_of_bounds_words": outside,
        "out_of_bounds_word_count": len(outside),
        "out_of_bounds_word_ratio": len(outside) / sample.duration_s if sample.duration_s > 0 else no_ratio,
    }


def _unheard() -> dict[str, Any]:
    return {
        "total_wer": None,
        "total_ref_words": 0,
        "total_substitutions": 0,
        "total_insertions": 0,
        "total_deletions": 0,
        "per_segment": [],
        "out_of_bounds_words": [],
        "out_of_bounds_word_count": 0,
        "out_of_bounds_word_ratio": None,
    }


def _heard_segment(sample: SpokenSample, segment: TextSegment, buffer_s: float) -> dict[str, Any] | None:
    reference = normalize(sample.user_texts.get(segment))
    hypothesis = normalize(_stream_in(sample, HEARD, segment, buffer_s))
    if not reference and not hypothesis:
        return None
    errors = word_errors(reference, hypothesis)
    return {
        "start": segment.start,
        "end": segment.end,
        "reference": reference,
        "hypothesis": hypothesis,
        "ref_words": errors.length,
        "substitutions": errors.substitutions,
        "insertions": errors.insertions,
        "deletions": errors.deletions,
        "wer": error_rate(errors, len(hypothesis)),
    }


def _stream_in(sample: SpokenSample, stream: str, segment: TextSegment, buffer_s: float) -> str:
    return stream_text(sample.alignment, stream, frame_of(segment.start), frame_of(segment.end + buffer_s))


def _words_outside(sample: SpokenSample, buffer_s: float, *, own_onsets: bool) -> Iterator[dict[str, Any]]:
    """Give the words heard in frames that lie in no user segment widened by the buffer, with their onsets."""
    for run in _runs_outside(sample, buffer_s):
        for piece in _by_word(run) if own_onsets else [run]:
            onset_s = piece[0][0] * FRAME_S
            words = normalize("".join(token for _, token in piece)).split()
            yield from ({"word": word, "onset_time": onset_s} for word in words)


def _runs_outside(sample: SpokenSample, buffer_s: float) -> Iterator[list[tuple[int, str]]]:
    """Give the runs of (frame, token) outside the user's segments; blank tokens are passed over, not pads."""
    inside: set[int] = set()
    for segment in sample.user:
        inside.update(range(frame_of(max(0, segment.start - buffer_s)), frame_of(segment.end + buffer_s) + 1))
    tokens: Sequence[str] = sample.alignment[HEARD]
    run: list[tuple[int, str]] = []
    for index, frame in enumerate(frame_indices(sample.alignment, tokens)):
        if frame in inside or index >= len(tokens):
            if run:
                yield run
            run = []
        elif tokens[index].strip():
            run.append((frame, tokens[index]))
    if run:
        yield run


def _by_word(run: Sequence[tuple[int, str]]) -> list[list[tuple[int, str]]]:
    """Split a run where a word begins: at tokens with a leading space; tokens without words are dropped."""
    pieces: list[list[tuple[int, str]]] = []
    for frame, token in run:
        if not normalize(token):
            continue
        if pieces and not token[0].isspace():
            pieces[-1].append((frame, token))
        else:
            pieces.append([(frame, token)])
    return pieces


class _Spoken(NamedTuple):
    """An agent segment compared: word errors against the kept reference, its words, the words cut off."""

    errors: Errors
    kept: Sequence[str]
    cut: Sequence[str]
    detected: bool


def agent_speech(sample: SpokenSample, buffer_s: float) -> dict[str, Any]:
    """Score what was heard of the agent's sound against what it meant to say, per agent segment."""
    per_segment = (
        [entry for segment in sample.agent if (entry := _spoken_segment(sample, segment, buffer_s))]
        if MEANT in sample.alignment
        else []
    )
    totals = {
        name: sum(entry[name] for entry in per_segment)
        for name in (
            "ref_words",
            "ref_chars",
            "word_substitutions",
            "word_insertions",
            "word_deletions",
            "char_substitutions",
            "char_insertions",
            "char_deletions",
        )
    }
    return {
        "total_wer": _total_rate(totals, "word"),
        "total_cer": _total_rate(totals, "char"),
        **{f"total_{name}": total for name, total in totals.items()},
        "per_segment": per_segment,
        "truncation_events": sum(entry["truncation_detected"] for entry in per_segment),
        "truncated_words": [word for entry in per_segment for word in entry["truncated_words"]],
    }


def _total_rate(totals: Mapping[str, int], unit: str) -> float | None:
    errors = sum(totals[f"{unit}_{kind}"] for kind in ("substitutions", "insertions", "deletions"))
    return errors / totals[f"ref_{unit}s"] if totals[f"ref_{unit}s"] else None


def _spoken_segment(sample: SpokenSample, segment: TextSegment, buffer_s: float) -> dict[str, Any] | None:
    reference = normalize(_stream_in(sample, MEANT, segment, buffer_s))
    hypothesis = normalize(sample.agent_texts.get(segment))
    if not reference and not hypothesis:
        return None
    spoken = _compare(reference.split(), hypothesis)
    words = spoken.errors
    characters = character_errors(" ".join(spoken.kept), hypothesis)
    # Either side empty counts as wholly wrong here, also where nothing of the reference is kept.
    wer = error_rate(words, 1) if reference and hypothesis else 1.0
    return {
        "start": segment.start,
        "end": segment.end,
        "reference": reference,
        "hypothesis": hypothesis,
        "ref_words": words.length,
        "word_substitutions": words.substitutions,
        "word_insertions": words.insertions,
        "word_deletions": words.deletions,
        "wer": wer,
        "ref_chars": characters.length,
        "char_substitutions": characters.substitutions,
        "char_insertions": characters.insertions,
        "char_deletions": characters.deletions,
        "cer": error_rate(characters, len(hypothesis)),
        "truncation_detected": spoken.detected,
        "truncated_words": list(spoken.cut),
    }


def _compare(reference: Sequence[str], hypothesis: str) -> _Spoken:
    """Compare the words; a reply that is shorter and fits the start of its text much better was cut off."""
    errors = word_errors(" ".join(reference), hypothesis)
    if reference and not hypothesis:
        return _Spoken(errors, (), reference, True)
    said = len(hypothesis.split())
    if said < len(reference):
        trimmed = word_errors(" ".join(reference[:said]), hypothesis)
        if trimmed.total < errors.total * CUT_OFF_FACTOR:
            return _Spoken(trimmed, reference[:said], reference[said:], True)
    return _Spoken(errors, reference, (), False)


def tts_hallucinations(sample: SpokenSample, buffer_s: float) -> dict[str, Any]:
    """List words heard of the agent that are nowhere in their segment's text, with estimated onsets."""
    if MEANT not in sample.alignment:
        return {
            "hallucination_rate": None,
            "total_hallucinated": 0,
            "total_agent_words": 0,
            "hallucinations": [],
            "per_segment": [],
        }
    per_segment: list[dict[str, Any]] = []
    spoken_words = 0
    for segment in sample.agent:
        words = normalize(sample.agent_texts.get(segment)).split()
        found = _inserted(segment, words, set(normalize(_stream_in(sample, MEANT, segment, buffer_s)).split()))
        spoken_words += len(words)
        per_segment.append({"start": segment.start, "end": segment.end, "count": len(found), "hallucinations": found})
    every = [entry for part in per_segment for entry in part["hallucinations"]]
    return {
        "hallucination_rate": len(every) / spoken_words if spoken_words else 0.0,
        "total_hallucinated": len(every),
        "total_agent_words": spoken_words,
        "hallucinations": every,
        "per_segment": per_segment,
    }


def _inserted(segment: TextSegment, words: Sequence[str], meant: set[str]) -> list[dict[str, Any]]:
    length_s = segment.end - segment.start
    return [
        {
            "word": word,
            "onset_time": round(segment.start + index / len(words) * length_s, 3),
            "segment_start": segment.start,
            "segment_end": segment.end,
        }
        for index, word in enumerate(words)
        if word not in meant
    ]


def token_balance(alignment: Mapping[str, Any]) -> dict[str, Any]:
    """Count opening and closing symbols per side; balance = (opened - closed) / both, 0 for none."""
    balance: dict[str, Any] = {}
    for side, stream in (("agent", MEANT), ("user", HEARD)):
        text = "".join(alignment.get(stream, ()))
        opened, closed = text.count("<s>"), text.count("</s>")
        both = opened + closed
        balance |= {
            f"{side}_bos_count": opened,
            f"{side}_eos_count": closed,
            f"{side}_balance": (opened - closed) / both if both else 0.0,
        }
    return balance
