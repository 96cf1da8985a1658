"""Rules of whatever is read from elsewhere: a sentence or a result, in 10 s and 500 MB, whatever it holds.

`SIMULATOR_FUZZ=2000 pytest -m slow tests/test_fuzz.py` tries so many mutants of each sort instead of a few, and
`SIMULATOR_FUZZ_SEED` other ones.
"""

import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings, strategies

from agents.gemini.protocol import GeminiCore
from agents.openai.live_protocol import LiveCore
from agents.openai.realtime_protocol import RealtimeCore
from agents.remote.peer_core import deliver
from agents.remote.trace import read_trace
from agents.vllm.protocol import DuplexCore
from simulator.actor import AnyActor
from simulator.datasets.sample import AnyDataset
from simulator.errors import SimulatorError
from simulator.frame import silence
from simulator.results import load_run
from simulator.session import Session
from simulator.sound import recordings
from simulator.spec import decode
from simulator.testing import ProtocolCase
from tests.command_line import SHORT, simulate
from tests.contracts.duplex_services import BARGE_IN, listen, over, speak, unit
from tests.contracts.test_protocol_contract import PROTOCOLS
from tests.mutants import (
    MOST_MB,
    bytes_mutated,
    command_run,
    copied,
    file_mutated,
    peak_mb,
    sounds,
    survived,
    value_mutated,
)

pytestmark = [pytest.mark.slow, pytest.mark.timeout(0)]

MUTANTS = int(os.environ.get("SIMULATOR_FUZZ", "25"))
SEED = int(os.environ.get("SIMULATOR_FUZZ_SEED", "0"))

settings.register_profile(
    "fuzz", max_examples=4 * MUTANTS, derandomize=SEED == 0, deadline=None, database=None,
    suppress_health_check=list(HealthCheck),
)  # fmt: skip


@pytest.fixture(scope="module")
def run_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of two short sessions with their scores, one of them as FLAC."""
    home = tmp_path_factory.mktemp("fuzz")
    whole = {name: value for name, value in SHORT.items() if name != "scorers"} | {"duration": "4s"}
    whole |= {"scorers": ["turns", "latency", "barge_in"], "expect": ["latency.response_p50_s < 9"], "report": "none"}
    for name, audio in (("a", "wav"), ("b", "flac")):
        lines = {"user_to_agent": [{"kind": "gain", "db": -6}]}
        (home / f"{name}.yaml").write_text(yaml.safe_dump(whole | {"name": name, "audio": audio, "lines": lines}))
    assert simulate(home / "a.yaml", home / "b.yaml", "--out", home / "run") in (0, 1)
    return home / "run"


@pytest.fixture(autouse=True)
def within_memory() -> Iterator[None]:
    """No mutant takes more than 500 MB beyond what the process had."""
    before = peak_mb()
    yield
    assert peak_mb() - before < MOST_MB


def mutants(kind: str) -> Iterator[tuple[int, Random]]:
    """The generators of so many mutants of a kind, the same in every run."""
    return ((number, Random(f"{kind}:{SEED}:{number}")) for number in range(MUTANTS))


CORES: dict[str, Any] = {
    "openai_realtime": RealtimeCore,
    "openai_live": LiveCore,
    "gemini_live": GeminiCore,
    "vllm_duplex": DuplexCore,
}

COMMANDS: dict[str, Callable[[Path, Path], int]] = {
    "score": lambda run, _: command_run("score", run),
    "score --as": lambda run, _: command_run("score", run, "--as", "fdb:timing", "--as", "tau"),
    "doctor": lambda run, _: command_run("doctor", run),
    "export": lambda run, out: command_run("export", run, "--to", "textgrid", "--out", copied(run, out) / "o"),
    "export tables": lambda run, out: command_run("export", run, "--to", "jsonl", "--out", copied(run, out) / "o"),
    "export fdb": lambda run, out: command_run("export", run, "--to", "fdb", "--out", copied(run, out) / "o"),
    "report": lambda run, _: command_run("report", run, "--page-audio", "none"),
    "compare": lambda run, out: command_run("compare", run, run, "--out", out.with_suffix(".html")),
    "load_run": lambda run, _: len(load_run(run).rows),
    "replay": lambda run, _: decode(
        {"kind": "replay", "session": str(run / "a-0")}, AnyActor, source="x", folder=run
    ) and command_run("doctor", run / "a-0"),
}  # fmt: skip


@pytest.mark.parametrize("name", COMMANDS)
def test_a_damaged_session_costs_a_sentence(name: str, run_folder: Path, tmp_path: Path) -> None:
    """Every command over a run with one damaged file says so or goes on without it."""
    files = sorted(path for path in run_folder.rglob("*") if path.is_file() and path.suffix != ".html")
    for number, random in mutants("session"):
        run = copied(run_folder, tmp_path / "run")
        victim = random.choice(files)
        file_mutated(run / victim.relative_to(run_folder), random)
        problem = survived(lambda run=run: COMMANDS[name](run, tmp_path / "out"))
        for copy in (run, tmp_path / "out"):  # what a test leaves is held to the table of events
            shutil.rmtree(copy, ignore_errors=True)
        assert problem is None, f"{name}, mutant {number} of {victim.relative_to(run_folder)}: {problem}"


def test_a_damaged_scenario_costs_a_sentence(scenarios: Path, tmp_path: Path) -> None:
    """`check` over examples whose values were changed, or whose bytes were."""
    examples = sorted(scenarios.rglob("*.yaml"))
    for number, random in mutants("scenario"):
        path = random.choice(examples)
        target = tmp_path / path.name
        target.write_bytes(path.read_bytes())
        if random.random() < 0.6:
            changed = value_mutated(yaml.safe_load(path.read_text()), random)
            target.write_text(yaml.safe_dump(json.loads(json.dumps(changed))))
        else:
            file_mutated(target, random)
        problem = survived(lambda target=target: command_run("check", target))
        assert problem is None, f"mutant {number} of {path.name}: {problem}"


def test_a_damaged_sound_costs_a_sentence(tmp_path: Path) -> None:
    """WAV, FLAC and Ogg with changed bytes are read as a recording, as a file to play, and as a corpus."""
    originals = {path: path.read_bytes() for path in sounds(tmp_path)}

    def read(path: Path) -> None:
        for attempt in (
            lambda: Session.of_recording(path).said("agent"),
            lambda: recordings.load(path, 24_000, channel=0),
            lambda: command_run("doctor", path),
        ):
            try:
                attempt()
            except SimulatorError:
                continue

    for number, random in mutants("sound"):
        path = random.choice(sorted(originals))
        path.write_bytes(originals[path])
        file_mutated(path, random)
        problem = survived(lambda path=path: read(path))
        assert problem is None, f"mutant {number} of {path.name}: {problem}"


def test_a_damaged_trace_costs_a_sentence(tmp_path: Path) -> None:
    """A trace with changed records is refused or replayed."""
    stored = sorted((Path(__file__).parent / "data").rglob("*.jsonl"))
    assert stored
    for number, random in mutants("trace"):
        path = random.choice(stored)
        (tmp_path / "trace.jsonl").write_bytes(path.read_bytes())
        file_mutated(tmp_path / "trace.jsonl", random)
        problem = survived(lambda: read_trace(tmp_path / "trace.jsonl", "agent"))
        assert problem is None, f"mutant {number} of {path.name}: {problem}"


ITEM = {"type": "function_call", "call_id": "c", "name": "hang_up", "arguments": "{}"}
USAGE = {"input_tokens": 3, "input_token_details": {"text_tokens": 1, "audio_tokens": 2}, "seconds": 2.0}
RESPONSE = {"id": "r", "status": "completed", "usage": USAGE, "status_details": {"error": {"code": "x"}}}
MESSAGES: dict[str, list[dict[str, Any]]] = {
    "openai_realtime": [
        {"type": "session.updated", "session": {}},
        {"type": "input_audio_buffer.speech_started", "audio_start_ms": 100, "item_id": "u"},
        {"type": "input_audio_buffer.speech_stopped", "audio_end_ms": 300, "item_id": "u"},
        {"type": "response.created", "response": {"id": "r"}},
        {"type": "response.output_audio.delta", "response_id": "r", "item_id": "i", "delta": "AAAAAAAA" * 200},
        {"type": "response.output_audio_transcript.delta", "response_id": "r", "item_id": "i", "delta": "Hi"},
        {"type": "conversation.item.input_audio_transcription.completed", "item_id": "u", "transcript": "Hello"},
        {"type": "response.output_item.done", "item": ITEM},
        {"type": "response.done", "response": RESPONSE},
        {"type": "rate_limits.updated", "rate_limits": [{"name": "tokens", "remaining": 3, "reset_seconds": 1.5}]},
        {"type": "error", "error": {"type": "x", "code": "y", "message": "z"}},
    ],
    "openai_live": [
        {"type": "session.started", "session": {}},
        {"type": "session.output_audio.delta", "delta": "AAAAAAAA" * 200},
        {"type": "session.output_transcript.delta", "delta": "Hi", "start_ms": 3, "end_ms": 9},
        {"type": "session.input_transcript.delta", "delta": "Hello", "start_ms": 3, "end_ms": 9},
        {"type": "session.usage.updated", "usage": USAGE},
        {"type": "response.event", "event": {"type": "response.output_item.done", "item": ITEM}},
        {"type": "response.event", "event": {"type": "response.completed", "response": RESPONSE}},
        {"type": "session.delegation.created", "delegation": {"id": "d", "status": "x"}},
        {"type": "error", "error": {"code": "y", "message": "z"}},
    ],
    "gemini_live": [
        {"setup_complete": {"session_id": "s"}},
        {"server_content": {"model_turn": {"parts": [
            {"inline_data": {"mime_type": "audio/pcm;rate=24000", "data": "AAAAAAAA" * 200}}, {"text": "x"}]}}},
        {"server_content": {"output_transcription": {"text": "Hi"}, "input_transcription": {"text": "Hello"}}},
        {"server_content": {"interrupted": True, "turn_complete": True, "turn_complete_reason": "x"}},
        {"tool_call": {"function_calls": [{"id": "c", "name": "hang_up", "args": {}}]}},
        {"tool_call_cancellation": {"ids": ["c"]}},
        {"usage_metadata": {"prompt_token_count": 3, "response_token_count": 4}},
        {"go_away": {"time_left": "3s"}},
        {"session_resumption_update": {"new_handle": "h", "resumable": True}},
    ],
    "vllm_duplex": [
        {"type": "session.created", "session": {"capabilities": {"supports_audio_truncate": True}}},
        {"type": "session.updated", "session": {}, "server_event_seq": 2},
        listen(), *speak("r"), *unit("r", bytes(9600), "Hi"), BARGE_IN, *over("r", "cancelled", "barge_in"),
        *speak("s"), *unit("s", bytes(9600), "Hi"), *over("s"),
        {"type": "response.output_item.done", "response_id": "f", "item": ITEM},
        {"type": "input_audio_buffer.speech_started", "audio_start_ms": 100, "item_id": "u"},
        {"type": "conversation.item.input_audio_transcription.completed", "item_id": "u", "transcript": "Hello"},
        {"type": "playback.acknowledged", "event": {"played_ms": 3}},
        {"type": "error", "error": {"type": "x", "code": "playback_item_mismatch", "message": "z"}},
        {"type": "session.closed", "reason": "idle_ttl_expired"},
    ],
}  # fmt: skip
"""What far ends send in a session, as their services write it."""


def told_to(kind: str, messages: list[dict[str, Any]]) -> None:
    """Hand messages to a kind's protocol core, a frame heard and said after each."""
    spec = decode({"kind": kind, "model": "m", "jitter": "0s"}, AnyActor, source="x", folder=Path())
    core = CORES[kind](spec.settings())
    core.begin("agent", noisy=False)
    core.opening()
    for number, message in enumerate(messages):
        deliver(core, json.loads(json.dumps(message)), 480 * number)
        core.hear(silence(480), 480 * number)
        assert len(core.say(480, 480 * number)) == 480
        core.actions.take()
    core.close(480 * len(messages))


@pytest.mark.parametrize("kind", MESSAGES)
def test_a_strange_message_of_a_far_end_costs_a_sentence(kind: str) -> None:
    """A core acts on a message with changed fields, passes it over, or says what the far end did."""
    told_to(kind, MESSAGES[kind][:-1])
    for number, random in mutants("wire"):
        messages = list(MESSAGES[kind])
        for _ in range(random.choice((1, 1, 3))):
            at = random.randrange(len(messages))
            changed = value_mutated(messages[at], random)
            messages[at] = changed if isinstance(changed, dict) else {}
        problem = survived(lambda messages=messages: told_to(kind, messages))
        assert problem is None, f"mutant {number} for {kind}: {problem}"


def _message_mutated(message: Any, random: Random) -> Any:
    """Change a message: a status and a body, a body, bytes, text that may be JSON, plain JSON."""
    match message:
        case (int(status), body):
            if random.random() < 0.1:
                return random.choice((0, 200, 404, 500)), body
            return status, _message_mutated(body, random)
        case bytes():
            return bytes_mutated(message, random)
        case str():
            return bytes_mutated(message.encode(), random).decode("utf-8", "replace")
        case _:
            changed = value_mutated(message, random)
            return changed if isinstance(changed, dict) else {}


@pytest.mark.parametrize("case", PROTOCOLS, ids=lambda case: case.name)
def test_a_damaged_log_costs_a_sentence(case: ProtocolCase) -> None:
    """Every protocol core, of a far end or of a client, takes a log with changed messages, or says what is wrong."""
    case.feed(case.make(), case.log)
    for number, random in mutants("log"):
        if isinstance(case.log, bytes):
            log: Any = bytes_mutated(case.log, random)
        else:
            log = list(case.log)
            for _ in range(random.choice((1, 1, 3))):
                at = random.randrange(len(log))
                log[at] = _message_mutated(log[at], random)
        problem = survived(lambda log=log: case.feed(case.make(), log))
        assert problem is None, f"mutant {number} for {case.name}: {problem}"


_PLAIN = strategies.recursive(
    strategies.none() | strategies.booleans() | strategies.integers() | strategies.floats() | strategies.text(),
    lambda inner: strategies.lists(inner, max_size=4) | strategies.dictionaries(strategies.text(), inner, max_size=4),
)


@settings(settings.get_profile("fuzz"))
@given(data=_PLAIN)
def test_no_plain_value_breaks_a_decoder(data: object) -> None:
    """Whatever stands where an actor or a dataset is expected is one, or a sentence."""
    for kind in (AnyActor, AnyDataset):
        problem = survived(lambda kind=kind: decode(data, kind, source="x", folder=Path()))  # type: ignore[misc]
        assert problem is None, problem
