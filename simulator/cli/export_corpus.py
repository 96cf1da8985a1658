"""`simulate export RUN ... --to lhotse|huggingface|nemo`: dialogues as a corpus to train on."""

import argparse

from simulator.cli.outcome import outcome
from simulator.cli.refusals import print_remarks
from simulator.errors import ScenarioError
from simulator.reading.keep import Keep
from simulator.results.run import is_run, load_run

CORPUS_FORMS = ("lhotse", "huggingface", "nemo")
_OPTIONS = ("keep", "split", "split_seed", "channels")


def add_corpus_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what only corpora take."""
    told = "of corpora (lhotse, huggingface, nemo): "
    parser.add_argument(
        "--keep", metavar="FILTER", help=told + "`dialogue.collapsed == false and turns.overlap_share < 0.3`"
    )
    parser.add_argument("--split", metavar="SHARES", help=told + "their parts (default: train=0.8,dev=0.1,test=0.1)")
    parser.add_argument("--split-seed", type=int, metavar="N", help=told + "what the parts are drawn by (default: 0)")
    parser.add_argument("--channels", choices=("stereo", "split"), help=told + "one recording or one of each party")


def wants_corpus(args: argparse.Namespace) -> bool:
    """Say whether a corpus is asked for: `--to nemo` of shards is a test set. ScenarioError: its options alone."""
    if args.to in CORPUS_FORMS and (args.to != "nemo" or any(is_run(path) for path in args.paths)):
        return True
    for name in _OPTIONS:
        if getattr(args, name) is not None:
            raise ScenarioError(f"--{name.replace('_', '-')}: only of runs, with --to {', '.join(CORPUS_FORMS)}")
    return False


def write_corpus(args: argparse.Namespace) -> int:
    """Write the corpus into --out, tell what is in it and what was left out; gives the exit code."""
    from simulator.corpora.exporting import CorpusWish, export
    from simulator.corpora.splits import DEFAULT, read_shares

    for path in args.paths:
        if not is_run(path):
            raise ScenarioError(f"{path}: is no run folder; corpora are made of runs")
    if args.to == "nemo" and args.channels is not None:
        raise ScenarioError("--channels: NeMo's layout has a recording of each party; leave it out")
    if args.out.exists() and any(args.out.iterdir()):
        raise ScenarioError(f"{args.out} is not empty; name another folder with --out")
    try:
        keep = Keep(args.keep) if args.keep is not None else None
    except ValueError as error:
        raise ScenarioError(f"--keep {error}") from error
    wanted = CorpusWish(
        form=args.to,
        folder=args.out,
        channels=args.channels or "stereo",
        shares=read_shares(args.split) if args.split is not None else DEFAULT,
        seed=args.split_seed or 0,
        keep=keep,
    )
    done = export([load_run(path) for path in args.paths], wanted)
    for part, count in done.parts.items():
        print(f"{args.out / part}: {count.dialogues} dialogues, {count.seconds / 3600:.2f} h, {count.words} words")
    if done.rejected:
        print(f"{args.out / 'rejected.jsonl'}: {len(done.rejected)} sessions left out, each with its reason")
    if done.leak:
        print_remarks([done.leak])
    total = sum(count.dialogues for count in done.parts.values()) + len(done.rejected)
    return outcome(done.problems, total)
