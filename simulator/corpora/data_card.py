"""README.md of a corpus: what it holds, how it was made, how it is laid out, what was left out and why."""

from collections import Counter
from collections.abc import Sequence

import msgspec
import yaml

from simulator import __version__
from simulator.corpora.choosing import Rejected
from simulator.corpora.form import Channels
from simulator.corpora.statistics import PartCount, table
from simulator.results.beside_people import QUANTILES, beside_people, collapse_shares
from simulator.results.row import Row
from simulator.results.table_files import pipes

_MOST_REASONS = 10

_LAYOUT = {
    "lhotse": {
        "stereo": 'Lhotse shar, a folder per part: `CutSet.from_shar(in_dir="train")`. A MultiCut per dialogue, '
        "channel 0 the user, 1 the agent; a supervision per utterance with its words as `alignment`.",
        "split": 'Lhotse shar, a folder per part: `CutSet.from_shar(in_dir="train")`. Two MonoCuts per dialogue, '
        "`<id>-user` and `<id>-agent`, from the same first sample; a supervision per utterance with its words as "
        "`alignment`.",
    },
    "nemo": {
        "split": "Lhotse shar for NeMo's duplex speech-to-speech training, a folder per part: `recording` is the user, "
        "`target_audio` the agent; supervisions have `user` and `agent` as speakers. `input_cfg.train.yaml` names "
        "the shards.",
    },
    "huggingface": {
        "stereo": "Parquet: `datasets.load_dataset(FOLDER)`. `audio` is FLAC, channel 0 the user, 1 the agent.",
        "split": "Parquet: `datasets.load_dataset(FOLDER)`. `audio_user` and `audio_agent` are FLAC of one length.",
    },
}


class Corpus(msgspec.Struct, frozen=True, kw_only=True):
    """What the card tells of. rows: of the dialogues that are kept; leak: why there are fewer parts than asked for."""

    title: str
    form: str
    channels: Channels
    keep: str
    parts: dict[str, PartCount]
    rows: list[Row]
    rejected: list[Rejected]
    runs: list[str]
    seed: int
    leak: str = ""


def data_card(corpus: Corpus) -> str:
    """Give the text."""
    sections = [
        _head(corpus),
        f"# {corpus.title}\n\nDialogues in which both parties were simulated, from "
        f"{', '.join(f'`{run}`' for run in corpus.runs)}, by duplex-simulator {__version__}. Who said what "
        "when is told by the parties' own events where they tell it (`told`), else heard in their sound.",
        "## What it holds\n\n" + _pipes(table(corpus.parts)),
        _parts(corpus),
        f"## Layout\n\n{_LAYOUT[corpus.form][corpus.channels]}\n\n{_FIELDS}",
        _talk(corpus.rows),
        _rejected(corpus),
        "## Licence\n\nThe sound is made by the voices and models of the runs; name the terms under which theirs may "
        "be passed on before you pass it on.",
    ]
    return "\n\n".join(section for section in sections if section) + "\n"


_FIELDS = """Every utterance tells its speaker (a voice), its words with times, its `role` (turn, interruption,
backchannel, aside), whether it was `injected` by the tester, whether it was `cut` short, and the stretches over which
the other speaks (`overlaps`). A dialogue tells its `topic`, both voices and all overlaps. Times are seconds from its
beginning."""


def _head(corpus: Corpus) -> str:
    told: dict[str, object] = {
        "pretty_name": corpus.title,
        "tags": ["full-duplex", "dialogue", "synthetic", "turn-taking"],
        "task_categories": ["automatic-speech-recognition", "audio-to-audio"],
    }
    if corpus.form == "huggingface":
        files = [{"split": part, "path": f"data/{part}-*.parquet"} for part in corpus.parts]
        told["configs"] = [{"config_name": "default", "data_files": files}]
    return f"---\n{yaml.safe_dump(told, sort_keys=False)}---"


def _parts(corpus: Corpus) -> str:
    text = (
        "Dialogues that share a topic or a voice, with each other or over others, lie in one part "
        f"(seed {corpus.seed} of the split)."
    )
    return f"## Parts\n\n{text}" + (f" {corpus.leak}" if corpus.leak else "")


def _talk(rows: Sequence[Row]) -> str:
    found = beside_people(rows)
    if not found:
        return ""
    heading = ("seconds", "n", "distance", *(f"p{q * 100:.0f} here / people" for q in QUANTILES))
    lines = [
        (
            item.title,
            f"{item.distance.n}",
            f"{item.distance.value:.3f}" if item.distance.value is not None else "–",
            *(f"{ours:.2f} / {people:.2f}" for ours, people in zip(item.ours, item.people, strict=True)),
        )
        for item in found
    ]
    shares = ", ".join(f"{score.id.partition('.')[2]} {score.value:.3f}" for score in collapse_shares(rows))
    told = f"\n\nShares of dialogues: {shares}." if shares else ""
    return (
        "## Beside people's talk\n\nWasserstein-1 distance from, and quantiles beside, people's turn-taking "
        f"(`simulate explain dialogue.fto_w1_s` names the source).\n\n{_pipes([heading, *lines])}{told}"
    )


def _rejected(corpus: Corpus) -> str:
    asked = f"Kept is what meets `{corpus.keep}`. " if corpus.keep else ""
    if not corpus.rejected:
        return f"## What was left out\n\n{asked}Nothing was left out."
    counts = Counter(item.reason.split(";")[0].split(" is ")[0] for item in corpus.rejected)
    lines = "\n".join(f"- {count} for {reason}" for reason, count in counts.most_common(_MOST_REASONS))
    told = f"{asked}{len(corpus.rejected)} sessions, each with its reason in rejected.jsonl:"
    return f"## What was left out\n\n{told}\n\n{lines}"


def _pipes(rows: Sequence[Sequence[str]]) -> str:
    lines = list(map(pipes, rows))
    return "\n".join([lines[0], f"|{'---|' * len(rows[0])}", *lines[1:]])
