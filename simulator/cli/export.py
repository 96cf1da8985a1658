"""`simulate export PATH --to FORMAT`: sessions in other tools' formats; the sessions themselves stay as they are."""

import argparse
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any

import msgspec

from simulator.cli.export_corpus import add_corpus_arguments, wants_corpus, write_corpus
from simulator.cli.export_figure import FIGURE_FORMS, add_figure_arguments, wants_figure, write_figure
from simulator.cli.export_tables import TABLE_FORMS, wants_tables, write_tables
from simulator.cli.outcome import outcome, tell_damage, tell_passed_over
from simulator.cli.places import here, to_read
from simulator.cli.refusals import print_remarks
from simulator.cli.score_options import add_options, convert, read_options
from simulator.errors import ScenarioError, SessionError
from simulator.scoring.inputs import Input, find_inputs, open_session
from simulator.session import Session

Write = Callable[[int, Input], str]
"""Writes the n-th input and says where."""


class ReadChannels(msgspec.Struct, frozen=True, kw_only=True):
    """How sound files are read: which channels the parties', and whether also those that cannot be trusted."""

    user_channel: Annotated[int, msgspec.Meta(ge=0)] | None = None
    agent_channel: Annotated[int, msgspec.Meta(ge=0)] | None = None
    force: bool = False

    def read(self, item: Input) -> Session:
        """Read a session or a sound file; SessionError."""
        return open_session(item, self.user_channel, self.agent_channel)

    def open(self, item: Input) -> Session:
        """Read and annotate what is not annotated yet (kept in the user's cache), and say what is wrong with it."""
        from simulator.annotation.annotate import annotated
        from simulator.scoring.trust import refuse_if_untrustworthy

        session = self.read(item)
        if item.kind == "wav":
            odd = refuse_if_untrustworthy(session, force=self.force)
            session.notes += tuple(f"{item.path}: {note}" for note in odd)
        tell_damage(session)
        return annotated(session)


FORMATS = {
    "textgrid": "Praat: segments and words of both parties",
    "rttm": "diarisation: who spoke when",
    "audacity": "label track",
    "srt": "subtitles",
    "csv": "of a run its tables; of sessions and sound files a table of segments, utterances and words",
    "parquet": "tables of runs, with the extra data",
    "jsonl": "tables of runs",
    "markdown": "tables of runs",
    "latex": "tables of runs",
    "fdb": "a Full-Duplex-Bench sample folder per session",
    "scenario": "a caller's take as a script, to be run without its model",
    "voicebench": "VoiceBench's prediction files of a run",
    **dict.fromkeys(FIGURE_FORMS, "a figure of runs (--figure), with the extra data"),
    "lhotse": "a corpus of a run's dialogues as Lhotse shards",
    "huggingface": "a corpus as Parquet that `datasets` reads, with the extra data",
    "nemo": "of runs a corpus for NeMo's duplex training; of lhotse shards a NeMo-Skills test set",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("paths", nargs="+", type=to_read, metavar="PATH", help="sessions, runs, stereo files")
    parser.add_argument("--to", required=True, choices=FORMATS, help="; ".join(f"{k}: {v}" for k, v in FORMATS.items()))
    parser.add_argument("--out", type=here, default=Path(), metavar="DIR", help="where to write (default: here)")
    parser.add_argument(
        "--table",
        dest="tables",
        action="append",
        default=[],
        metavar="TABLE",
        help="of runs: long, wide, turns, segments, utterances, words, overlaps, barge_ins, calls, expectations, "
        "agents; may be repeated (default: all but agents)",
    )
    add_options(parser, "of sound files: user_channel=0, agent_channel=1 (of more than two), force=true (one mix, too)")
    parser.add_argument("--task", help="with --to fdb: the task the samples are for (default: what a session holds)")
    add_corpus_arguments(parser)
    add_figure_arguments(parser)
    for name, told in (
        ("system-prompt", "of every row"),
        ("audio-subdir", "of recordings"),
        ("dataset-prefix", "of paths"),
    ):
        parser.add_argument(f"--{name}", help=f"with --to nemo: {told}, as NeMo-Skills' own converter has it")


def run(args: argparse.Namespace) -> int:
    """Write one file (or folder) per session into --out and print where."""
    from simulator.export.fdb import TASKS

    if args.task is not None and (args.to != "fdb" or args.task not in TASKS):
        raise ScenarioError(f"--task {args.task}: only with --to fdb; choose one of {', '.join(TASKS)}")
    if wants_figure(args):
        return write_figure(args)
    if wants_corpus(args):
        return write_corpus(args)
    if args.to == "nemo":
        return _write_nemo(args)
    if wants_tables(args):
        return write_tables(args)
    if args.tables:
        raise ScenarioError(f"--table: only of runs, with --to {', '.join(TABLE_FORMS)}")
    tell_passed_over(args.paths)
    inputs = find_inputs(args.paths, ("session", "wav"), scorer="export")
    reading = _reading(args.options)
    if args.to == "voicebench":
        return _write_predictions(inputs, reading, args.out)
    exporter = import_module(f"simulator.export.{args.to}")
    write = _sample_writer(inputs, reading, args) if args.to == "fdb" else _text_writer(reading, args, exporter)
    problems: list[str] = []
    for number, item in enumerate(inputs, 1):
        try:
            print(write(number, item))
        except SessionError as error:
            problems.append(str(error))
    return outcome(problems, len(inputs))


def _reading(texts: Sequence[str]) -> ReadChannels:
    options = read_options(texts)
    if unknown := [key for key in options if key not in ReadChannels.__struct_fields__]:
        raise ScenarioError(f"--set {unknown[0]}: choose one of {', '.join(ReadChannels.__struct_fields__)}")
    reading: ReadChannels = convert(ReadChannels, options)
    return reading


def _write_predictions(inputs: Sequence[Input], reading: ReadChannels, out: Path) -> int:
    """Write the prediction files of all sessions together."""
    from simulator.export.voicebench import write

    sessions: list[Session] = []
    problems: list[str] = []
    for item in inputs:
        try:
            sessions.append(reading.open(item))
        except SessionError as error:
            problems.append(str(error))
    for path in write(sessions, out):
        print(path)
    return outcome(problems, len(inputs))


def _write_nemo(args: argparse.Namespace) -> int:
    """Write the test set of every folder of shards: into --out, several each into a folder of its name there."""
    from simulator.export import nemo

    own = {"system_prompt": args.system_prompt, "sound_folder": args.audio_subdir, "prefix": args.dataset_prefix}
    given = {name: text for name, text in own.items() if text is not None}
    shards = nemo.shards_in(args.paths)
    problems: list[str] = []
    for folder in shards:
        try:
            written = nemo.write(folder, args.out / folder.name if len(shards) > 1 else args.out, **given)
        except SessionError as error:
            problems.append(str(error))
            continue
        print(f"{written.path} ({written.rows} rows)")
        for name in written.absent:
            print_remarks([f"{name}: no shard holds its recording; the row is written all the same"])
    return outcome(problems, len(shards))


def _text_writer(reading: ReadChannels, args: argparse.Namespace, exporter: Any) -> Write:
    """Give what writes one session's file."""
    return lambda _number, item: _write_text(item, reading, args.out / f"{item.id}{exporter.SUFFIX}", exporter)


def _sample_writer(inputs: Sequence[Input], reading: ReadChannels, args: argparse.Namespace) -> Write:
    """Give what writes numbered folders, as the benchmark wants them; sessions made from its samples keep theirs."""
    from simulator.export.fdb import write

    own = [_own_number(item, reading) for item in inputs]
    keep = len(set(own)) == len(own) and all(name.isdecimal() for name in own)

    def write_sample(number: int, item: Input) -> str:
        folder = args.out / (own[number - 1] if keep else str(number))
        _refuse_existing(folder, item)
        return f"{folder} ({write(reading.open(item), folder, args.task)})"

    return write_sample


def _own_number(item: Input, reading: ReadChannels) -> str:
    """The number of the benchmark's sample that a session was made from; "" where it was not, or cannot be read."""
    try:
        return str(reading.read(item).meta.sample.get("id", "")).rpartition("/")[2]
    except SessionError:
        return ""


def _write_text(item: Input, reading: ReadChannels, path: Path, exporter: Any) -> str:
    _refuse_existing(path, item)
    text = exporter.export((reading.open if getattr(exporter, "READS_SPEECH", True) else reading.read)(item))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise ScenarioError(f"{path}: cannot be written: {error.strerror}") from error
    return str(path)


def _refuse_existing(path: Path, item: Input) -> None:
    if path.exists():
        raise ScenarioError(f"{path} exists; name another folder with --out")
    if item.kind == "session" and path.resolve().is_relative_to(item.path.resolve()):
        raise ScenarioError(f"{path} lies inside the session; name another folder with --out")
