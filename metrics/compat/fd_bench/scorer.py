"""The `fd_bench` scorer: FD-Bench's rates and times of answers and interruptions, from audio."""

from collections.abc import Sequence
from typing import ClassVar

from metrics.compat.fd_bench.rounds import MIN_SILENCE_MS, SAMPLE_RATE, RoundMarks, Span, analyze, whole_ms
from metrics.compat.measured import Measured
from metrics.compat.two_sided import FromTwoSides, Stretch, TwoSided
from simulator.engines.activity import ActivitySettings
from simulator.score import Definition

CARD = """\
FD-Bench (arXiv 2507.19040), what its main program runs, in integer samples at 16 kHz.
Speech: Silero with min silence 1500 ms on both channels (pauses up to 1.5 s vanish). Every user segment is a
round.
SRR answers/rounds · SIR interruptions the agent yielded to/interruptions · EIR agent starts more than 500 ms
before the user's end/rounds · NIR short agent segments long before the next round/gaps between rounds · SRIR
answered/yielded.
Medians in ms, each time cut to whole ms: FSED user's end to answer · ERT lead of an answer inside the last
500 ms · EIT lead of an early interruption · IRD user's start to the agent's stop. Corpus: from summed counts
and joined times.
Quirks kept: the agent's segments are walked anew for every round, so several starts inside a round all count
as answers and rates may exceed 1; an agent segment wholly inside a round is an interruption that succeeded; a
start exactly at an edge counts as nothing; FSED also holds the answers to interruptions. preamble=true drops
the agent's first segment.
mode=compat writes 0 where nothing was measured (reason sentinel), mode=strict gives null. Left out: WER,
perplexity, judge scores."""

_RATES = {
    "SRR": ("responses", "rounds", "answers per round"),
    "SIR": ("success", "interrupts", "interruptions the agent yielded to"),
    "EIR": ("early", "rounds", "early interruptions by the agent per round"),
    "NIR": ("noise", "gaps", "answers to noise per gap"),
    "SRIR": ("answered", "success", "interruptions that were answered"),
}
_MEDIANS = {
    "FSED": ("response", "response_to_interruption", "median from the user's end to the answer"),
    "ERT": ("lead", "lead_to_interruption", "median lead of an answer before the user's end"),
    "EIT": ("early_leads", "", "median lead of an early interruption"),
    "IRD": ("delay", "", "median from the user's start to the agent's stop"),
}
_HIGHER = ("SRR", "SIR", "SRIR")
_COUNTS = ("rounds", "gaps", "responses", "interrupts", "success", "early", "answered", "noise")


class FdBenchSpec(FromTwoSides, frozen=True, kw_only=True, tag="fd_bench"):
    """FD-Bench's rates and times of answers and interruptions.

    preamble: the agent's first segment is no answer (a model that always greets) and is dropped. segments:
    stretches of speech instead of detection. user_channel: the user's channel of a stereo file.
    """

    preamble: bool = False

    card: ClassVar[str] = CARD
    settings: ClassVar[ActivitySettings] = ActivitySettings(min_silence_ms=MIN_SILENCE_MS)
    table: ClassVar[tuple[Definition, ...]] = (
        *(
            Definition(
                id=rate,
                unit="share",
                title=title,
                statistic="ratio",
                sentinel=0.0,
                better="higher" if rate in _HIGHER else "lower",
            )
            for rate, (_, _, title) in _RATES.items()
        ),
        *(
            Definition(id=time, unit="ms", title=title, statistic="p50", sentinel=0.0, better="lower")
            for time, (_, _, title) in _MEDIANS.items()
        ),
    )

    def measure_heard(self, heard: TwoSided, options: None) -> Measured:
        """Measure one recording."""
        return _measure(heard, preamble=self.preamble, compat=self.mode == "compat")


def _measure(heard: TwoSided, *, preamble: bool, compat: bool) -> Measured:
    measured = Measured(sample_rate=heard.sample_rate, notes=list(heard.notes))
    agent = _spans(heard.agent)[1 if preamble else 0 :]
    marks = analyze(_spans(heard.user), agent)
    if not marks.rounds:
        names = [column.id for column in FdBenchSpec.table]
        measured.undefined(names, "the user never speaks")
        measured.shown = dict.fromkeys(names, 0.0) if compat else {}
        return measured
    for rate, (count, of, _) in _RATES.items():
        measured.parts[rate] = {"count": getattr(marks, count), "of": getattr(marks, of)}
        measured.undefined([rate], f"no {of}")
    for time, (times, more, _) in _MEDIANS.items():
        values = whole_ms([*getattr(marks, times), *(getattr(marks, more) if more else ())])
        measured.parts[time] = {"values": values}
        measured.undefined([time], "no such time")
    measured.shown = {
        **_sentinels(measured, compat=compat),
        **{name: getattr(marks, name) for name in _COUNTS},
    }
    measured.lines = _lines(marks, _spans(heard.user))
    _place(measured, marks, heard.user)
    return measured


def _spans(stretches: Sequence[Stretch]) -> list[Span]:
    return [(round(start * SAMPLE_RATE), round(end * SAMPLE_RATE)) for start, end in stretches]


def _sentinels(measured: Measured, *, compat: bool) -> dict[str, float]:
    """Give the original's 0 for every metric that this recording alone leaves undefined."""
    empty = [name for name, parts in measured.parts.items() if not parts.get("of", len(parts.get("values", ())))]
    return dict.fromkeys(empty, 0.0) if compat else {}


def _place(measured: Measured, marks: RoundMarks, user: Sequence[Stretch]) -> None:
    """Say where the times of every round lie: answers at its end, yielding at its start."""
    for index, (start_s, end_s) in enumerate(user):
        for metric, samples in (("FSED", marks.response[index]), ("FSED", marks.response_to_interruption[index])):
            if samples:
                measured.place(metric, end_s, end_s + samples / SAMPLE_RATE, value=1000 * samples / SAMPLE_RATE)
        for samples in (marks.lead[index], marks.lead_to_interruption[index]):
            if samples:
                measured.place("ERT", end_s - samples / SAMPLE_RATE, end_s, value=1000 * samples / SAMPLE_RATE)
        if marks.delay[index]:
            delay_s = marks.delay[index] / SAMPLE_RATE
            measured.place("IRD", start_s, start_s + delay_s, value=1000 * delay_s)
        answered = any((marks.response[index], marks.lead[index]))
        measured.place("SRR", start_s, end_s, "answered" if answered else "no answer", party="user")


def _lines(marks: RoundMarks, user: Sequence[Span]) -> list[str]:
    """Say per round what was measured."""
    told: list[str] = []
    for index, (start, end) in enumerate(user):
        times = {
            "answered after": marks.response[index],
            "answered before the end by": marks.lead[index],
            "yielded after": marks.delay[index],
            "answered the interruption after": marks.response_to_interruption[index],
        }
        found = ", ".join(f"{what} {time / SAMPLE_RATE:.3f} s" for what, time in times.items() if time)
        told.append(f"round {start / SAMPLE_RATE:.3f}-{end / SAMPLE_RATE:.3f} s: {found or 'no answer'}")
    return told
