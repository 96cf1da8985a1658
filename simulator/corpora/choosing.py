"""Which sessions of runs become dialogues of a corpus, and why the others do not; whose voice a party speaks in."""

from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path, PurePath
from typing import Any, NamedTuple

from simulator.annotation.annotate import annotated
from simulator.errors import ScenarioError, SessionError
from simulator.events import PARTIES, Party
from simulator.plugins import load
from simulator.reading.keep import Keep
from simulator.reading.yaml_file import read_yaml
from simulator.results.row import Row, agent_label
from simulator.results.run import Run
from simulator.scoring.scorer import all_definitions, definitions_by_kind
from simulator.session import Session, SessionMeta, is_session, read_meta, read_session
from simulator.speaking.voice import DEFAULT_VOICES
from simulator.spec import encode

_NAMES = ("name", "voice", "file", "path", "model", "speaker")
"""Keys of a voice's spec that tell it from others of its kind, in this order."""


class Rejected(NamedTuple):
    """A session that is left out, and why. damaged: it could not be read, and is not left out on purpose."""

    run: str
    session: str
    reason: str
    damaged: bool = False


class KeptSession(NamedTuple):
    """A session that is kept: where it lies, what it is called in the corpus, what must not leak, what kept it."""

    folder: Path
    id: str
    row: Row
    topic: str
    voices: dict[str, str]
    keep: str


def choose(runs: Sequence[Run], keep: Keep | None) -> Iterator[KeptSession | Rejected]:
    """Give every session of runs, kept or rejected. keep: instead of the scenarios' own. ScenarioError: no such metric.

    What `keep` asks for and the run did not measure is measured now.
    """
    for run in runs:
        own: dict[str, Keep | None] = {}
        for row in run.rows:
            if row.scenario not in own:
                own[row.scenario] = keep or _own(run.folder / row.id)
            try:
                reason = _reason(run, row, own[row.scenario])
                if reason is None:
                    yield _chosen(run, row, own[row.scenario], several=len(runs) > 1)
                else:
                    yield Rejected(run.name, row.id, reason)
            except SessionError as error:
                yield Rejected(run.name, row.id, str(error), damaged=True)


def opened(folder: Path) -> Session:
    """Read a session with its annotation. SessionError."""
    return annotated(read_session(folder))


def _own(folder: Path) -> Keep | None:
    """What a session's scenario keeps. ScenarioError: it is no filter."""
    path = folder / "scenario.yaml"
    text = read_yaml(path).get("keep") if path.is_file() else None
    if text is None:
        return None
    try:
        return Keep(str(text))
    except ValueError as error:
        raise ScenarioError(f"{path}: $.keep: {error}") from error


def _reason(run: Run, row: Row, keep: Keep | None) -> str | None:
    if row.status != "completed":
        return f"{row.status}: {row.problem or 'nobody says why'}"
    if row.invalid:
        return f"invalid: {row.invalid}"
    folder = run.folder / row.id
    if not is_session(folder):
        raise SessionError(f"{folder}: is gone; a corpus needs the session's sound")
    if keep is None:
        return None
    values = {metric: row.value(metric) for metric in keep.metrics if metric in row.scores}
    lacking = [metric for metric in keep.metrics if metric not in values]
    return keep.refuses({**values, **_measured(folder, lacking)} if lacking else values)


def _measured(folder: Path, metrics: Sequence[str]) -> dict[str, float | None]:
    """Measure what a run did not."""
    kinds: dict[str, Any] = {}
    for metric in metrics:
        found = [kind for kind, cards in definitions_by_kind().items() if metric in cards]
        if not found:
            close = get_close_matches(metric, all_definitions(), 3)
            hint = f"; did you mean {', '.join(close)}" if close else ""
            raise ScenarioError(f"keep: {metric!r} is measured by no scorer{hint}")
        kinds[found[0]] = load("scorers", found[0])
    session = opened(folder)
    scores = [score for spec in kinds.values() for score in spec().build().score(session)]
    return {score.id: score.value for score in scores if score.id in metrics}


def _chosen(run: Run, row: Row, keep: Keep | None, *, several: bool) -> KeptSession:
    folder = run.folder / row.id
    meta = read_meta(folder)
    topic = str(meta.sample.get("topic") or meta.sample.get("id") or meta.scenario)
    name = f"{run.name}__{row.id}" if several else row.id
    return KeptSession(folder, name, row, topic, voices_of(meta), keep.text if keep else "")


def voices_of(meta: SessionMeta) -> dict[str, str]:
    """Give both parties' voice ids. Equal ids are one voice; parties whose voice nobody tells have their kind's."""
    return {party: _voice(meta, party) for party in PARTIES}


def _voice(meta: SessionMeta, party: Party) -> str:
    known = meta.parties.get(party)
    if known is None:
        return party
    spec = known.spec
    prompt = spec.get("voice_prompt") or _prompted(spec)
    if prompt:
        return f"{agent_label(known.kind, spec)}:{prompt}".replace(" ", ":")
    if "voice" in spec:
        voice = spec["voice"]
        return _named(encode(DEFAULT_VOICES[party]) if voice is None else voice)
    sound = spec.get("file") or meta.sample.get("id")
    if known.kind in ("player", "replay") and sound:
        return f"recording:{PurePath(str(sound)).stem}"
    return agent_label(known.kind, spec).replace(" ", ":")


def _prompted(spec: Mapping[str, Any]) -> str:
    model = spec.get("model")
    prompt = model.get("prompt") if isinstance(model, Mapping) else None
    return str(prompt.get("voice") or "") if isinstance(prompt, Mapping) else ""


def _named(voice: Any) -> str:
    if not isinstance(voice, Mapping):
        return str(voice)
    name = next((str(voice[key]) for key in _NAMES if voice.get(key)), "")
    return ":".join(part for part in (str(voice.get("kind", "")), PurePath(name).name) if part)
