"""`simulate judge calibrate RUN --labels FILE` and `simulate judge check RUN`: how far a judge can be believed."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from simulator.cli import EXPECTATION_FAILED, OK
from simulator.cli.places import here
from simulator.cli.refusals import print_remarks
from simulator.cli.score_options import add_options, make_specs, read_options
from simulator.errors import ScenarioError
from simulator.judging.agreement import Estimate
from simulator.judging.calibration import BAR, Calibration, write_calibration
from simulator.judging.examination import Examined, all_reactions, all_verdicts, calibration_of, examined
from simulator.judging.labels import read_labels
from simulator.judging.spec import AnyJudge
from simulator.judging.subjects import Subjects, Wanted, find_subjects
from simulator.spec import decode
from simulator.texts import shown


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.description = "Say how far a judge can be believed: against people's labels, and against itself."
    parser.add_argument("what", choices=("calibrate", "check"), help="against labels; or changes that must not matter")
    parser.add_argument("runs", nargs="+", type=here, metavar="RUN", help="run folders or sessions")
    parser.add_argument("--labels", type=Path, metavar="FILE", help="CSV of session,criterion,label (calibrate)")
    add_options(parser, "another judge=MODEL@URL, rubric=FILE or criteria={...} than the sessions' scenario has")
    parser.add_argument("--bar", type=float, default=BAR, help=f"the kappa from which it may gate (default {BAR:g})")
    parser.add_argument(
        "--out", type=Path, metavar="FILE", help="where the calibration goes (default: in the first RUN)"
    )
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(args: argparse.Namespace) -> int:
    """Judge the sessions and tell. Gives the exit code: 1 where a change that must not matter did."""
    if args.what == "calibrate" and args.labels is None:
        raise ScenarioError("simulate judge calibrate needs --labels FILE, a CSV of session,criterion,label")
    if not 0 < args.bar <= 1:
        raise ScenarioError(f"--bar is {args.bar:g}; allowed is above 0 and at most 1")
    subjects = find_subjects(args.runs, _wanted(args.options))
    return _calibrate(args, subjects) if args.what == "calibrate" else _check(args, subjects)


def _wanted(options: Sequence[str]) -> Wanted:
    """Read --set; what it leaves out the sessions' scenarios say."""
    given = read_options(options)
    unknown = [key for key in given if key not in ("judge", "rubric", "criteria")]
    if unknown:
        raise ScenarioError(f"--set {unknown[0]}: choose one of judge, rubric, criteria")
    judge = None
    if "judge" in given:
        judge = decode(given["judge"], AnyJudge, source="--set", folder=Path.cwd(), where="judge")
    asks = {key: value for key, value in given.items() if key != "judge"}
    criteria = make_specs(["judge"], asks)["judge"].all_criteria() if asks else None
    return Wanted(judge=judge, criteria=criteria)


def _calibrate(args: argparse.Namespace, subjects: Subjects) -> int:
    labels, ties = read_labels(args.labels, subjects.criteria, subjects.folders)
    verdicts, problems, damages = all_verdicts(subjects)
    print_remarks([*ties, *damages, *(f"{name}: {problem}" for name, problem in problems.items())])
    if all(verdict is None for verdict in verdicts.values()):
        raise ScenarioError(f"the judge gave no verdict on any session: {next(iter(problems.values()))}")
    found = examined(subjects, labels, verdicts)
    if (alike := len({session for session, _ in labels}) - max((item.given for item in found), default=0)) > 0:
        print_remarks([f"{alike} labelled sessions sound as others do, and count once with them"])
    calibration = calibration_of(subjects, found, args.bar)
    target = args.out or args.runs[0] / "calibration.json"
    write_calibration(target, calibration)
    if args.json:
        print(msgspec.json.encode([_plain(item, calibration) for item in found]).decode())
    else:
        for item in found:
            print("\n".join([*_lines(item), f"  {_standing(item, calibration)}"]))
        print(f"calibration: {target}")
    return OK


def _check(args: argparse.Namespace, subjects: Subjects) -> int:
    found = list(all_reactions(subjects, lambda note: print_remarks([note])))
    changed = [
        f"{name}, {criterion}, {reaction.variant}: {_word(reaction.plain)} became {_word(reaction.verdict)}"
        for name, criterion, reaction in found
        if reaction.changed
    ]
    if args.json:
        told = [{"session": name, "criterion": criterion, **reaction._asdict(), "changed": reaction.changed}
                for name, criterion, reaction in found]  # fmt: skip
        print(msgspec.json.encode(told).decode())
        return EXPECTATION_FAILED if changed else OK
    for variant in dict.fromkeys(reaction.variant for _, _, reaction in found):
        mine = [reaction for _, _, reaction in found if reaction.variant == variant]
        missing = sum(reaction.plain is None or reaction.verdict is None for reaction in mine)
        undefined = f", {missing} without a verdict" if missing else ""
        changes = sum(reaction.changed for reaction in mine)
        print(f"{variant:<10} changed {changes} of {len(mine) - missing} verdicts{undefined}")
    for line in changed:
        print(f"  {shown(line)}")
    if not found:
        raise ScenarioError("none of the sessions could be shown to the judge")
    return EXPECTATION_FAILED if changed else OK


def _word(verdict: float | None) -> str:
    return "nothing" if verdict is None else f"{verdict:g}"


def _lines(item: Examined) -> list[str]:
    """What is told of a criterion."""
    scaled = item.criterion.scale is not None
    undefined = f", {item.undefined} more without a verdict" if item.undefined else ""
    bounds = f" ({item.kappa.bounds[0]:.2f} to {item.kappa.bounds[1]:.2f})" if item.kappa.bounds else ""
    lines = [
        f"{shown(item.name)}: {item.labelled} labelled sessions{undefined}",
        f"  agreement {_share(item.agreement)}",
        f"  kappa {'undefined' if item.kappa.value is None else f'{item.kappa.value:.2f}'}{bounds}"
        f"{', quadratic weights' if scaled else ''}",
    ]
    if item.confusion is None:
        table = ", ".join(f"{people}>{judge}: {count}" for (people, judge), count in item.table.items())
        return [*lines, f"  people's points > the judge's: {table}"]
    both, judge_alone, people_alone, neither = item.confusion
    return [
        *lines,
        f"  both met {both}, judge alone {judge_alone}, people alone {people_alone}, neither {neither}",
        f"  sensitivity {_share(item.confusion.sensitivity)}, specificity {_share(item.confusion.specificity)}",
        f"  the judge finds met {_share(item.rate)} of {item.rate.of if item.rate else 0} sessions; "
        f"corrected {_share(item.corrected)}",
    ]


def _share(estimate: Estimate | None) -> str:
    if estimate is None or estimate.value is None:
        return "undefined"
    bounds = f" ({estimate.bounds[0]:.2f} to {estimate.bounds[1]:.2f})" if estimate.bounds else ""
    return f"{estimate.value:.2f}{bounds}"


def _standing(item: Examined, calibration: Calibration) -> str:
    doubts = calibration.doubts(item.criterion)
    return "may gate" if doubts is None else f"informs and does not gate: {doubts}"


def _plain(item: Examined, calibration: Calibration) -> dict[str, Any]:
    plain: dict[str, Any] = {
        "criterion": item.name,
        "labelled": item.labelled,
        "undefined": item.undefined,
        "agreement": item.agreement._asdict(),
        "kappa": item.kappa._asdict(),
        "table": [{"people": people, "judge": judge, "count": count} for (people, judge), count in item.table.items()],
        "gates": calibration.doubts(item.criterion) is None,
        "doubts": calibration.doubts(item.criterion),
    }
    for name in ("rate", "corrected"):
        estimate: Estimate | None = getattr(item, name)
        plain |= {name: estimate._asdict()} if estimate else {}
    if item.confusion is not None:
        plain["sensitivity"] = item.confusion.sensitivity._asdict()
        plain["specificity"] = item.confusion.specificity._asdict()
    return plain
