"""`simulate export RUN ... --to svg|png|pdf --figure KIND`: one figure of a paper."""

import argparse
from pathlib import Path

from simulator.errors import ScenarioError
from simulator.results.run import is_run, load_run

FIGURE_FORMS = ("svg", "png", "pdf")
KINDS = {
    "fto": "floor transfer offsets, a histogram per model",
    "latency": "response latencies, cumulative",
    "raster": "who speaks when in a session (--session)",
    "curve": "a sweep's curve with its fit (--metric)",
    "forest": "models beside each other, values with intervals (--metric)",
}


def add_figure_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what only figures take."""
    told = "; ".join(f"{kind}: {text}" for kind, text in KINDS.items())
    parser.add_argument("--figure", choices=KINDS, help=f"with --to svg, png, pdf: {told}")
    parser.add_argument("--session", metavar="ID", help="with --figure raster: which session (default: the first)")
    parser.add_argument("--metric", action="append", metavar="ID", help="with --figure curve or forest: which metric")


def wants_figure(args: argparse.Namespace) -> bool:
    """Say whether a figure is asked for. ScenarioError: half of one is."""
    if args.to in FIGURE_FORMS:
        if args.figure is None:
            raise ScenarioError(f"--to {args.to}: needs --figure; choose one of {', '.join(KINDS)}")
        for option, kinds in (("session", ("raster",)), ("metric", ("curve", "forest"))):
            if getattr(args, option) is not None and args.figure not in kinds:
                raise ScenarioError(f"--{option}: only with --figure {' or '.join(kinds)}")
        return True
    for option in ("figure", "session", "metric"):
        if getattr(args, option) is not None:
            raise ScenarioError(f"--{option}: only with --to {', '.join(FIGURE_FORMS)}")
    return False


def write_figure(args: argparse.Namespace) -> int:
    """Draw the figure into --out, a file or a folder, and print where; gives the exit code."""
    from simulator.figures import distributions, measured, raster

    for path in args.paths:
        if not is_run(path):
            raise ScenarioError(f"{path}: is no run folder; figures are drawn of runs")
    place = _place(args)
    runs = [load_run(path) for path in args.paths]
    metrics = args.metric or []
    if args.figure == "fto":
        distributions.draw_fto(runs, place)
    elif args.figure == "latency":
        distributions.draw_latency(runs, place)
    elif args.figure == "raster":
        raster.draw_raster(runs, place, args.session or "")
    elif args.figure == "curve":
        measured.draw_curves(runs, place, metrics)
    else:
        measured.draw_forest(runs, place, metrics)
    print(place)
    return 0


def _place(args: argparse.Namespace) -> Path:
    out: Path = args.out
    place = out if out.suffix == f".{args.to}" else out / f"{args.figure}.{args.to}"
    if place.exists():
        raise ScenarioError(f"{place} exists; name another with --out")
    return place
