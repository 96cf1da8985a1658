"""The comparison report of a NeMo-Skills fork: models side by side, out of their `eval-results/` folders.

Source: the comparison of the fork's speech-to-speech evaluation (2026-01), restated; the report is the same byte for
byte, its habits included: the best value is the first of equal ones, a value that was never measured is the best
where it is 0.0, and unknown metrics of VoiceBench count as better when higher.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from metrics.compat.nemo.eval_folders import EvalFolder, eval_folder
from metrics.compat.nemo.eval_results import DEMO, VOICEBENCH
from simulator.errors import RemoteError, SessionError
from simulator.scoring.comparing import FolderComparison

UP, DOWN = "↑", "↓"
LOWER_IS_BETTER = ("fail", "wer", "cer")
FOOTER = ("---", f"*{UP} = higher is better, {DOWN} = lower is better, **bold** = best value*")

Line = tuple[str, tuple[str, ...], str, str]
"""A line of the demo's table: its label, where its value stands, how it is written, which way is good."""

DEMO_LINES: Mapping[str, tuple[Line, ...]] = {
    "": (("Samples Evaluated", ("num_samples_evaluated",), "d", ""),),
    "Turn-Taking": (
        ("Latency (ms)", ("turn_taking", "avg_latency_ms"), ".1f", DOWN),
        ("Precision (%)", ("turn_taking", "avg_precision"), ".1f", UP),
        ("Recall (%)", ("turn_taking", "avg_recall"), ".1f", UP),
        ("F1 (%)", ("turn_taking", "avg_f1"), ".1f", UP),
    ),
    "Barge-In": (
        ("Success Rate (%)", ("barge_in", "avg_success_rate"), ".1f", UP),
        ("Latency (ms)", ("barge_in", "avg_latency_ms"), ".1f", DOWN),
    ),
    "Backchanneling": (("Accuracy (%)", ("backchanneling", "avg_accuracy"), ".1f", UP),),
    "User Speech (ASR)": (
        ("WER (%)", ("user_speech", "avg_wer"), ".1f", DOWN),
        ("OOB Ratio", ("user_speech", "out_of_bounds_word_ratio"), ".3f", DOWN),
    ),
    "Agent Speech (TTS)": (
        ("WER (%)", ("agent_speech", "avg_wer"), ".1f", DOWN),
        ("CER (%)", ("agent_speech", "avg_cer"), ".1f", DOWN),
        ("Hallucination (%)", ("agent_speech", "hallucination_rate"), ".1f", DOWN),
    ),
    "LLM Judge (1-5)": (
        ("Overall Rating", ("llm_judge", "overall", "avg_rating"), ".2f", UP),
        ("Full Response", ("llm_judge", "full", "avg_rating"), ".2f", UP),
        ("Sounded Response", ("llm_judge", "sounded", "avg_rating"), ".2f", UP),
    ),
}


class Subtests(NamedTuple):
    """What a model has of VoiceBench: rows of all its sets, and by set its rows and metrics."""

    rows: int
    found: dict[str, tuple[int, Mapping[str, Any]]]


def compared(written: Sequence[str]) -> FolderComparison:
    """Read folders and write the report; what cannot be used is told, and without anything there is no report."""
    demo: list[tuple[str, Mapping[str, Any]]] = []
    voicebench: list[tuple[str, Subtests]] = []
    problems: list[str] = []
    for folder in map(eval_folder, written):
        try:
            _read(folder, demo, voicebench)
        except (SessionError, RemoteError) as error:
            problems.append(str(error))
    text = report(demo, voicebench) if demo or voicebench else None
    return FolderComparison(text=text, problems=tuple(problems), of=len(written))


def report(demo: Sequence[tuple[str, Mapping[str, Any]]], voicebench: Sequence[tuple[str, Subtests]]) -> str:
    """Write the report, without a line feed at its end, as the original has it."""
    names = sorted({name for name, _ in (*demo, *voicebench)})
    lines = ["# Evaluation Comparison Report", "", f"Comparing {len(names)} model(s):", ""]
    lines += [*(f"- {name}" for name in names), ""]
    if demo:
        lines += ["## S2S Demo Evaluation", "", *_demo_table(demo), ""]
    if voicebench:
        lines += ["## VoiceBench Evaluation", "", *_voicebench_tables(voicebench)]
    return "\n".join([*lines, *FOOTER])


def _read(folder: EvalFolder, demo: list[Any], voicebench: list[Any]) -> None:
    """Read one folder, by what its first known set is of. SessionError where there is nothing to compare."""
    sets = folder.sets()
    first = next((name for name in sets if name.startswith((DEMO, VOICEBENCH))), "")
    if first.startswith(DEMO):
        metrics = folder.metrics(first)
        if not metrics:
            raise SessionError(f"{folder.place}: {first} has no metrics.json, or an empty one")
        demo.append((folder.name, _checked(metrics.get("dataset_metrics", metrics), folder)))
    elif first:
        found = _subtests(folder, [name for name in sets if name.startswith(VOICEBENCH)])
        if not found.found:
            raise SessionError(f"{folder.place}: no set of VoiceBench there has metrics")
        voicebench.append((folder.name, found))
    else:
        hint = "" if not folder.host else f" on {folder.host} (a folder here begins with / or .)"
        raise SessionError(f"{folder.place}: no eval-results/{DEMO}* or eval-results/{VOICEBENCH}* there{hint}")


def _checked(metrics: Any, folder: EvalFolder) -> Mapping[str, Any]:
    if not isinstance(metrics, dict):
        raise SessionError(f"{folder.place}: dataset_metrics is no JSON object")
    return metrics


def _subtests(folder: EvalFolder, sets: Sequence[str]) -> Subtests:
    total = 0
    found: dict[str, tuple[int, Mapping[str, Any]]] = {}
    for name in sets:
        rows = folder.rows(name)
        total += rows
        told = folder.metrics(name).get(name, {})
        greedy = told.get("greedy", {}) if isinstance(told, dict) else {}
        if isinstance(greedy, dict) and greedy:
            found[name.removeprefix(VOICEBENCH)] = (rows, greedy)
    return Subtests(total, found)


def _demo_table(models: Sequence[tuple[str, Mapping[str, Any]]]) -> list[str]:
    lines = _head("Metric", [name for name, _ in models])
    for group, members in DEMO_LINES.items():
        if group:
            lines.append(f"| **{group}** |{' |' * len(models)}")
        for label, place, form, good in members:
            values = [_at(metrics, place, 0 if not good else None) for _, metrics in models]
            shown = f"  {label} {good}" if good else label
            lines.append(_row(shown, _cells(values, form, good)))
    return lines


def _voicebench_tables(models: Sequence[tuple[str, Subtests]]) -> list[str]:
    lines = ["### Summary", "", "| Model | Total Samples | Subtests |", "|---|---|---|"]
    lines += [f"| {name} | {told.rows} | {len(told.found)} |" for name, told in models]
    lines += ["", "### Per-Subtest Metrics", ""]
    for subtest in sorted({subtest for _, told in models for subtest in told.found}):
        of = [told.found.get(subtest) for _, told in models]
        lines += [f"#### {subtest}", "", *_head("Metric", [name for name, _ in models])]
        lines.append(_row("Samples", ["N/A" if one is None else str(one[0]) for one in of]))
        for metric in sorted({metric for one in of if one is not None for metric in one[1]}):
            good = DOWN if metric.lower() in LOWER_IS_BETTER else UP
            values = [None if one is None else one[1].get(metric) for one in of]
            lines.append(_row(f"{metric} {good}", _cells(values, ".2f", good)))
        lines.append("")
    return lines


def _head(first: str, names: Sequence[str]) -> list[str]:
    return [_row(first, names), "|" + "|".join(["---"] * (len(names) + 1)) + "|"]


def _row(label: str, cells: Sequence[str]) -> str:
    return f"| {label} | {' | '.join(cells)} |"


def _at(metrics: Mapping[str, Any], place: Sequence[str], missing: Any) -> Any:
    found: Any = metrics
    for name in place:
        if not isinstance(found, dict) or name not in found:
            return missing
        found = found[name]
    return found


def _cells(values: Sequence[Any], form: str, good: str) -> list[str]:
    """Write values, the first best of two or more in bold; what cannot be compared has no best."""
    cells = [_written(value, form) for value in values]
    known = [place for place, value in enumerate(values) if value is not None]
    if good and len(known) > 1:
        best: Callable[..., int] = max if good == UP else min
        try:
            place = best(known, key=lambda place: values[place])
        except TypeError:
            return cells
        cells[place] = f"**{cells[place]}**"
    return cells


def _written(value: Any, form: str) -> str:
    if value is None:
        return "N/A"
    try:
        return format(value, form)
    except (ValueError, TypeError, OverflowError):
        return str(value)
