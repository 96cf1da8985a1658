"""Mutants: what was right once, changed as damage and strangers change it, and whoever reads it."""

import contextlib
import io
import json
import os
import resource
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import soundfile

from simulator import clock
from simulator.cli import MODULES
from simulator.errors import SimulatorError

LONGEST_S, MOST_MB = 10.0, 500
MUTANTS = int(os.environ.get("SIMULATOR_FUZZ", "25"))
SEED = int(os.environ.get("SIMULATOR_FUZZ_SEED", "0"))

STRANGE: tuple[Any, ...] = (
    None, True, -1, 0, 1.5, 1e308, -1e300, 2**31, 2**53, 2**63, 10**30, "", "x", "\u202e\x1b[2J", "../..", "a" * 5000,
    [], {}, [[]], [1, "x"], {"a": [None]}, "2020-13-45", "nan",
)  # fmt: skip


def mutants(kind: str) -> Iterator[tuple[int, Random]]:
    """The generators of so many mutants of a kind, the same in every run."""
    return ((number, Random(f"{kind}:{SEED}:{number}")) for number in range(MUTANTS))


def bytes_mutated(content: bytes, random: Random) -> bytes:
    """Change some bytes, cut, double, swap or insert a stretch."""
    data = bytearray(content or b"\0")
    for _ in range(random.choice((1, 1, 2, 8, 64))):
        at = random.randrange(len(data))
        match random.randrange(5):
            case 0 | 1:
                data[at] = random.randrange(256)
            case 2:
                data[at : at + random.choice((1, 4, 100))] = b""
            case 3:
                data[at:at] = data[at : at + random.choice((1, 4, 400))]
            case _:
                data[at : at + 4] = random.choice(
                    (b"\xff\xff\xff\xff", b"\0\0\0\0", b"\x7f\xff\xff\xff", b"\xff\xfe\0\0")
                )
        data = data or bytearray(b"\0")
    return bytes(data[: random.randrange(len(data))]) if random.random() < 0.1 else bytes(data)


def value_mutated(value: Any, random: Random) -> Any:
    """Replace, remove, double or rename something inside a plain value."""
    if isinstance(value, dict) and value and random.random() < 0.85:
        name = random.choice(sorted(value))
        inner = dict(value)
        match random.randrange(8):
            case 0:
                del inner[name]
            case 1:
                inner[random.choice((name + "x", "", "kind", "at"))] = inner.pop(name)
            case _:
                inner[name] = value_mutated(value[name], random)
        return inner
    if isinstance(value, list) and value and random.random() < 0.85:
        at = random.randrange(len(value))
        match random.randrange(8):
            case 0:
                return value[:at] + value[at + 1 :]
            case 1:
                return [*value, value[at]]
            case _:
                return [*value[:at], value_mutated(value[at], random), *value[at + 1 :]]
    return random.choice(STRANGE)


def file_mutated(path: Path, random: Random) -> None:
    """Change a file: as JSON (lines) where it is that, else as bytes."""
    content = path.read_bytes()
    if path.suffix in (".json", ".jsonl") and content.strip() and random.random() < 0.7:
        lines = content.splitlines() if path.suffix == ".jsonl" else [content]
        at = random.randrange(len(lines))
        lines[at] = json.dumps(value_mutated(json.loads(lines[at]), random)).encode()
        path.write_bytes(b"\n".join(lines) + b"\n")
    elif path.suffix in (".wav", ".flac", ".ogg") and random.random() < 0.5:
        path.write_bytes(bytes_mutated(content[:64], random) + content[64:])
    else:
        path.write_bytes(bytes_mutated(content, random))


def sounds(folder: Path) -> list[Path]:
    """Write a second of stereo noise in several formats."""
    noise = np.random.default_rng(1).normal(0, 0.1, (16_000, 2))
    paths = [folder / name for name in ("a.wav", "f.wav", "a.flac", "a.ogg")]
    for path, subtype in zip(paths, ("PCM_16", "FLOAT", "PCM_16", "VORBIS"), strict=True):
        soundfile.write(path, noise, 16_000, subtype=subtype)
    return paths


def copied(folder: Path, into: Path) -> Path:
    """Copy a folder to where another copy of it may lie."""
    shutil.rmtree(into, ignore_errors=True)
    shutil.copytree(folder, into)
    return into


def command_run(name: str, *words: object) -> int:
    """Run a command as the command line does, without its net under faults of the simulator."""
    import argparse
    from importlib import import_module

    module = import_module(f"simulator.cli.{MODULES.get(name, name)}")
    parser = argparse.ArgumentParser(allow_abbrev=False)
    module.add_arguments(parser)
    parser.set_defaults(argv=[name])
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        return int(module.run(parser.parse_args([str(word) for word in words])))


def survived(read: Callable[[], object]) -> str | None:
    """Let something be read; gives what is wrong with how that went: another exception than ours, time, memory."""
    begin = clock.seconds()
    try:
        read()
    except (SimulatorError, OSError):
        pass  # an OSError is a sentence, too
    except Exception as error:  # noqa: BLE001 - any other one is what is looked for
        import traceback

        place = traceback.extract_tb(error.__traceback__)[-1]
        return f"{type(error).__name__}: {error} ({place.filename}:{place.lineno})"
    if (took_s := clock.seconds() - begin) > LONGEST_S:
        return f"took {took_s:.1f} s"
    return None


def peak_mb() -> float:
    """The most memory that this process has had, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


@contextlib.contextmanager
def memory_watched() -> Iterator[None]:
    """Hold whatever runs meanwhile to 500 MB beyond what the process had at most before."""
    before = peak_mb()
    yield
    assert peak_mb() - before < MOST_MB
