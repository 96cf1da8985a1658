"""How fast duplex models run in one batch: the host alone, whole sessions, and Moshi at its real size.

    python tests/benchmarks/duplex_host.py host --model tiny_duplex --slots 1 8 32 64
    python tests/benchmarks/duplex_host.py sessions --model free --slots 64 256 --seconds 30
    python tests/benchmarks/duplex_host.py host --model moshi --device cuda --slots 1 8 16 32 64 --bandwidth 4.8e12

`host` needs torch, numpy, msgspec and pure-Python wheels only (anyio, structlog; silero-vad for tiny_duplex;
moshi and einops for moshi), so it can be carried to a machine without a network; weights are random and made
on the device. `sessions` needs the whole package. Every figure is printed as one JSON line; a line per batch
size, so that a run that is cut short keeps what it has.
"""

import argparse
import asyncio
import gc
import importlib.machinery
import json
import sys
import tempfile
import types
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from msgspec import structs

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent))

import numpy as np
from free_duplex import FreeSpec, Metered, metered

from agents.duplex.batch import SlotAnswer
from agents.duplex.host import ModelHost
from agents.duplex.meter import HostReport
from agents.duplex.model import ModelSpec, Placement, Weights
from simulator.clock import cpu_seconds, seconds
from simulator.frame import AudioFrame, Samples

STAND_INS = {
    "sentencepiece": ("SentencePieceProcessor",),
    "safetensors": ("safe_open", "SafetensorError"),
    "safetensors.torch": ("load_file",),
    "huggingface_hub": ("hf_hub_download",),
    "huggingface_hub.errors": ("EntryNotFoundError",),
}
"""What Kyutai's package imports to read files, which random weights do not need: empty modules where it is
missing.
"""


def main() -> None:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["host", "sessions"])
    parser.add_argument("--model", default="tiny_duplex", choices=["tiny_duplex", "free", "moshi"])
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--slots", type=int, nargs="+", default=[1, 8, 32, 64])
    parser.add_argument("--seconds", type=float, default=20.0, help="length of each session")
    parser.add_argument("--context", type=int, default=None, help="frames that moshi remembers (default 3000)")
    parser.add_argument("--config", type=Path, default=None, help="a config.json with moshi's sizes (default: 7B)")
    parser.add_argument("--rate", type=int, default=24_000, help="session rate in Hz, for `sessions`")
    parser.add_argument("--frame-ms", type=float, default=20, help="session frame, for `sessions`")
    parser.add_argument("--repeat", type=int, default=5, help="`sessions` keeps the best of so many")
    parser.add_argument("--bandwidth", type=float, default=None, help="of the device's memory, bytes per second")
    parser.add_argument("--no-graphs", action="store_true")
    options = parser.parse_args()
    for slots in options.slots:
        try:
            figures = run_host(options, slots) if options.what == "host" else run_sessions(options, slots)
        except Exception as error:  # noqa: BLE001  (out of memory at one size must not lose the sizes before it)
            figures = {"slots": slots, "failed": f"{type(error).__name__}: {error}"[:500]}
        print(json.dumps(figures), flush=True)
        gc.collect()


def run_host(options: argparse.Namespace, slots: int) -> dict[str, Any]:
    """Fill a batch with sessions that submit one frame after the other, nothing around them."""
    spec, models = metered(spec_of(options))
    # tiny_duplex: its one weight is the installed detector
    weights = Weights("random") if options.model == "moshi" else None
    placement = Placement(device=options.device, slots=slots, weights=weights)
    frames = round(options.seconds / spec.audio().step_s)
    host = ModelHost(spec, placement)
    wall_s, cpu_s, step_s = asyncio.run(talk(host, spec, slots, frames))
    report = host.report()
    host.close()
    figures = figures_of(report, slots, wall_s, cpu_s, step_s) | around(models, report, cpu_s)
    if options.bandwidth and options.model == "moshi":
        figures |= floor(spec, slots, options.bandwidth)
    return figures


def spec_of(options: argparse.Namespace) -> ModelSpec:
    """The model under test."""
    if options.model == "tiny_duplex":
        from agents.duplex.tiny_duplex import TinyDuplexSpec

        return TinyDuplexSpec(voice="hum")
    if options.model == "free":
        return FreeSpec()
    stand_in()
    from agents.duplex.moshi import MoshiModelSpec

    return MoshiModelSpec(context=options.context, graphs=not options.no_graphs, config=options.config)


async def talk(host: ModelHost, spec: ModelSpec, slots: int, frames: int) -> tuple[float, float, float]:
    """Let every slot talk for so many frames; seconds by wall, of CPU and in steps, loading left out."""
    sound = speech_like(spec.audio().input_samples * 16).reshape(16, -1)
    tenants = [await host.claim(str(index)) for index in range(slots)]
    await asyncio.gather(*(tenant.open(spec.opening_prompt(), index) for index, tenant in enumerate(tenants)))

    def take(answer: SlotAnswer) -> AudioFrame:
        return AudioFrame(answer.frame, answer.pcm)

    async def session(index: int) -> None:
        for frame in range(frames):
            await tenants[index].submit(sound[(frame + index) % 16], take)
        host.leave(tenants[index])

    begin_s, begin_cpu_s, before_s = seconds(), cpu_seconds(), host.meter.cost_s
    await asyncio.gather(*(session(index) for index in range(slots)))
    return seconds() - begin_s, cpu_seconds() - begin_cpu_s, host.meter.cost_s - before_s


def figures_of(report: HostReport, slots: int, wall_s: float, cpu_s: float, step_s: float) -> dict[str, Any]:
    """Per batch size: the step, the cost per stream and frame, what lies around it, memory."""
    frames = max(1, report.frames)
    return {
        "model": report.model,
        "device": report.device,
        "slots": slots,
        "frames": report.frames,
        "load_s": report.load_s,
        "step_ms_p50": round(report.step_ms_p50 or 0, 3),
        "step_ms_p99": round(report.step_ms_p99 or 0, 3),
        "late_share": round(report.late_share or 0, 4),
        "batch_fill": round(report.batch_fill or 0, 3),
        "step_us_per_stream_frame": round(1e6 * step_s / frames, 1),
        "around_us_per_stream_frame": round(1e6 * (wall_s - step_s) / frames, 1),
        "conversation_s_per_wall_s": round(frames * 0.08 / wall_s, 1),
        "conversation_s_per_cpu_s": round(frames * 0.08 / cpu_s, 1),
        "peak_device_gib": round((report.peak_device_bytes or 0) / 2**30, 2),
    }


def around(models: list[Metered], report: HostReport, cpu_s: float) -> dict[str, Any]:
    """The CPU of a stream and frame that is not the model's: what a noisy machine moves least."""
    spent_s = sum(model.cpu_s for model in models)
    frames = max(1, report.frames)
    return {
        "model_cpu_us_per_stream_frame": round(1e6 * spent_s / frames, 1),
        "around_cpu_us_per_stream_frame": round(1e6 * (cpu_s - spent_s) / frames, 1),
    }


def floor(spec: Any, slots: int, bandwidth: float) -> dict[str, Any]:
    """The physical floor of a step, computed: all weights read once per frame, and with every slot's full
    cache.
    """
    from agents.duplex.moshi_parts import lm_memory, lm_sizes

    sizes = json.loads(spec.config.read_text()) if spec.config else None
    memory = lm_memory(lm_sizes(sizes, spec.context), spec.dtype)
    return {
        "floor_ms_computed": round(1000 * memory.weights / bandwidth, 2),
        "floor_with_cache_ms_computed": round(1000 * (memory.weights + slots * memory.per_slot_cache) / bandwidth, 2),
        "weights_gib_computed": round(memory.weights / 2**30, 2),
        "per_slot_gib_computed": round(memory.per_slot / 2**30, 3),
    }


def run_sessions(options: argparse.Namespace, slots: int) -> dict[str, Any]:
    """Whole sessions: a recording against the model, recording on, threads 1; the best of several runs."""
    best: dict[str, Any] = {}
    for _ in range(options.repeat):
        with tempfile.TemporaryDirectory() as folder:
            figures = asyncio.run(sessions(Path(folder), options, slots))
        if not best or figures["around_cpu_us_per_stream_frame"] < best["around_cpu_us_per_stream_frame"]:
            best = figures
    return best | {"rate": options.rate, "frame_ms": options.frame_ms}


async def sessions(folder: Path, options: argparse.Namespace, slots: int) -> dict[str, Any]:
    """Run `slots` sessions at once on one host; CPU seconds of this process, without loading."""
    import soundfile

    from agents.duplex.host import shared_host
    from agents.duplex_model import DuplexModelSpec
    from simulator.batch.job import play
    from simulator.call.surroundings import Surroundings
    from simulator.planning.job import Job
    from simulator.scenario import load

    soundfile.write(folder / "user.wav", speech_like(round(options.seconds * 24_000)), 24_000)
    (folder / "bench.yaml").write_text(
        f"name: bench\nduration: {options.seconds}s\n"
        f"frame_ms: {options.frame_ms}\nsample_rate: {options.rate}\n"
        f"user: {{kind: player, file: user.wav}}\nagent: silent\nscorers: []\n"
    )
    scenario = load(folder / "bench.yaml")
    surroundings = Surroundings()
    model, models = metered(spec_of(options))
    spec = DuplexModelSpec(model=model, slots=slots)
    scenario = structs.replace(scenario, agent=spec)
    host = shared_host(surroundings.shared, spec.model, spec.placement, realtime=False)
    host.leave(await host.claim("loaded"))
    begin_s, begin_cpu_s = seconds(), cpu_seconds()
    jobs = [Job(id=f"s-{index}", group="s", scenario=scenario) for index in range(slots)]
    await asyncio.gather(*(play(job, folder, surroundings) for job in jobs))
    wall_s, cpu_s = seconds() - begin_s, cpu_seconds() - begin_cpu_s
    report = host.report()
    host.close()
    return figures_of(report, slots, wall_s, cpu_s, host.meter.cost_s) | around(models, report, cpu_s)


def speech_like(count: int) -> Samples:
    """Bursts of voiced sound with pauses, 24 kHz: float32 (count,)."""
    times = np.arange(count) / 24_000
    tone = sum(np.sin(2 * np.pi * 120 * harmonic * times) / harmonic for harmonic in range(1, 12))
    syllables = np.clip(np.sin(2 * np.pi * 4 * times), 0, None) * (np.sin(2 * np.pi * 0.15 * times) > -0.3)
    return (0.05 * tone * syllables).astype(np.float32)


def stand_in() -> None:
    """Put empty modules where Kyutai's package imports readers of files that are not installed."""
    missing = {name for name in STAND_INS if "." not in name and find_spec(name) is None}
    for name, members in STAND_INS.items():
        if name.partition(".")[0] not in missing:
            continue
        module: Any = types.ModuleType(name)
        module.__spec__ = importlib.machinery.ModuleSpec(name, None, is_package="." not in name)
        module.__path__ = []
        for member in members:
            setattr(module, member, type(member, (Exception,), {}))
        sys.modules[name] = module


if __name__ == "__main__":
    main()
