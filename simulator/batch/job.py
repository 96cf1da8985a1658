"""One session from plan to row: play it, annotate it, score it.

Playing leaves a session folder whatever happens; finishing (annotation, scores, verdicts) works on the folder alone,
so it can run in another process.
"""

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
from msgspec import UNSET

from simulator.batch.kept_sessions import divergence, keep_traces, replayed
from simulator.batch.meta import meta_of
from simulator.call.conversation import Conversation
from simulator.call.recording import Recorder
from simulator.call.surroundings import Pacing, Surroundings
from simulator.cassettes.recording import record_by
from simulator.errors import RemoteError, SimulatorError, sentence
from simulator.events import Party
from simulator.files import write_json
from simulator.judging.sitting import keep_used
from simulator.logs import log, scrubbed_logs
from simulator.planning.job import Job
from simulator.planning.scorers import chosen_scorers
from simulator.reading.expect import judge
from simulator.reading.secrets import Secrets
from simulator.results.judged import Judged, write_judged
from simulator.results.row import Row, agent_label, heard_by, without_evidence
from simulator.scenario import Scenario, kind_of, to_yaml
from simulator.score import Score
from simulator.scoring.scorer import wants_words
from simulator.scoring.validity import why_invalid
from simulator.session import read_meta, read_session
from simulator.sound.recordings import sha256_of_session
from simulator.spec import encode


class Played(msgspec.Struct, kw_only=True):
    """How a session went: its status, the sentence that says why it failed, how well the wall clock was kept.

    own_fault: whether it failed by a fault of the tester's, and not by the agent. unkept: parties whose trace is to be
    kept, if the session turns out to be valid.
    """

    status: str
    problem: str | None = None
    own_fault: bool = False
    pacing: Pacing | None = None
    unkept: list[Party] = []


class Outcome(NamedTuple):
    """What a session came to: its row, how long playing and scoring it took in real seconds, how it went."""

    row: Row
    wall_s: float
    played: Played


async def play(job: Job, run_folder: Path, surroundings: Surroundings) -> Played:
    """Run a job's session into its folder. Never raises for the session's own failure; cancellation passes through."""
    recorder: Recorder | None = None
    conversation: Conversation | None = None
    secrets = _secrets_of(job.scenario)
    try:
        record_by(job.record)
        kept = replayed(job)
        job, scenario = kept.job, kept.job.scenario
        recorder = Recorder(
            run_folder / job.id, meta_of(job), to_yaml(scenario),
            heard=bool(scenario.lines.user_to_agent or scenario.lines.agent_to_user), flac=scenario.audio == "flac",
            secrets=secrets,
        )  # fmt: skip
        conversation = Conversation(scenario, recorder, surroundings)
        await conversation.run()
    except Exception as error:
        # Whatever is wrong with one session, the run goes on with the others.
        with scrubbed_logs(secrets.scrub):
            log.info("session failed", session=job.id, exc_info=error)
        problem = secrets.scrub(sentence(error)) if secrets else sentence(error)
        if recorder is not None and conversation is None:
            with suppress(OSError):
                recorder.close("failed", problem=problem)
        pacing = conversation.pacing if conversation else None
        return Played(status="failed", problem=problem, own_fault=_is_own(error), pacing=pacing)
    if (left := divergence(run_folder / job.id, kept.expected)) is not None:
        return Played(status="failed", problem=left, own_fault=True, pacing=conversation.pacing)
    return Played(status="completed", problem=conversation.remark, pacing=conversation.pacing, unkept=kept.missing)


def _secrets_of(scenario: Scenario) -> Secrets:
    """What must not be written. A world's state is made up, whatever its keys are called: there is nothing to hide."""
    data: dict[str, Any] = encode(scenario)
    if scenario.world is not None:
        data["world"] = {name: value for name, value in data["world"].items() if name != "state"}
    return Secrets.of({name: value for name, value in data.items() if name != "expect"})


def _is_own(error: Exception) -> bool:
    """Whether an error is the tester's: of anybody but the agent, or of a far end of which nobody knows whose it is."""
    party = error.party if isinstance(error, SimulatorError) else ""
    return party != "agent" if party else not isinstance(error, RemoteError)


def finish(job: Job, run_folder: Path, played: Played) -> Row:
    """Annotate and score a played session; writes speech.json and scores.json into its folder."""
    scores: list[Score] = []
    record_by(job.record)
    if played.status == "completed" and job.scenario.scorers != []:
        try:
            scores = score_folder(run_folder / job.id, job.scenario)
        except Exception as error:
            # A scorer that breaks on one session must not cost the others.
            secrets = Secrets.of(encode(job.scenario))
            with scrubbed_logs(secrets.scrub):
                log.info("scoring failed", session=job.id, exc_info=error)
            problem = secrets.scrub(f"could not be scored: {sentence(error)}")
            played = Played(status="failed", problem=problem, own_fault=True)
    row = row_of(job, played, scores, run_folder / job.id)
    if row.status == "completed" and not row.invalid:
        keep_traces(job, run_folder / job.id, played.unkept)
    return row


def row_of(job: Job, played: Played, scores: Sequence[Score] = (), folder: Path | None = None) -> Row:
    """Make a session's line of results.jsonl. folder: where it lies, if it was begun."""
    return Row(
        id=job.id,
        scenario=job.group,
        trial=job.scenario.trial,
        seed=job.scenario.seed,
        status=played.status,
        problem=played.problem,
        sample=job.sample.get("id", ""),
        point=UNSET if job.control_of else job.point or UNSET,
        control_of=job.control_of or UNSET,
        recognizer=heard_by(scores, job.scenario.recognizer.label),
        duration_s=_length_s(folder) if folder else None,
        agent=agent_label(kind_of(job.scenario.agent), encode(job.scenario.agent)),
        sound=_sound(folder) if folder and played.status == "completed" else "",
        settings=job.settings(),
        invalid=f"simulator error: {played.problem}" if played.own_fault else why_invalid(scores),
        scores=without_evidence(scores),
    )


def _length_s(folder: Path) -> float | None:
    try:
        return read_meta(folder).duration_s
    except SimulatorError:
        return None


def _sound(folder: Path) -> str:
    try:
        return sha256_of_session(folder)
    except OSError:
        return ""


def score_folder(folder: Path, scenario: Scenario) -> list[Score]:
    """Annotate a session folder, score it with the scenario's scorers and write both results into it."""
    from simulator.annotation.annotate import annotate

    session = read_session(folder)
    specs = chosen_scorers(scenario)
    # Recognition costs more than everything else here, so it runs only when a scorer reads words.
    words = any(map(wants_words, specs))
    session = session.with_speech(annotate(session, words=words, recognizer=scenario.recognizer))
    write_json(folder / "speech.json", session.speech)
    scorers = [spec.build() for spec in specs]
    scores = [score for scorer in scorers for score in scorer.score(session)]
    keep_used(folder, [cassette for scorer in scorers for cassette in getattr(scorer, "used", ())])
    verdicts = [judge(expectation, {score.id: score for score in scores}) for expectation in scenario.expect]
    write_judged(folder, Judged(scores=scores, expectations=verdicts))
    return scores
