"""What a server keeps of its turns beside the session folders, in the NeMo-Skills server's layout.

DIR/SESSION/turnNN_STAMP_input.wav, _output.wav, _input.json, _output.json     turns are counted from 00
DIR/SESSION/session_audio.wav      written when the session is deleted: user left, agent right, 0.5 s after each
DIR/REQUEST/STAMP_input.wav, ...   without sessions, and dual_channel.wav beside them
"""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from agents.chat_audio.server_turn import ToldAnswer, raised
from simulator.clock import today
from simulator.errors import SimulatorError
from simulator.files import write_json, write_whole
from simulator.frame import Samples
from simulator.sound import recordings
from simulator.sound.wav import encode_wav

PAUSE_S = 0.5
SESSION_AUDIO = "session_audio.wav"


class TurnArtifacts(msgspec.Struct, frozen=True, kw_only=True):
    """A turn to be kept. asked: its sound, float32 (n,) at rate Hz. request: what came with it. took_s: to answer it.

    session: whose turn it is, and number: which, from 0; None: a request of its own. decoded: whether it has sound.
    """

    answer: ToldAnswer
    asked: Samples
    rate: int
    request: Mapping[str, Any]
    took_s: float
    session: str | None = None
    number: int = 0
    decoded: bool = True


class Artifacts:
    """The folder of a server's artifacts."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def keep(self, turn: TurnArtifacts) -> dict[str, str]:
        """Write a turn's files and give their paths by name. SimulatorError: the disk refuses."""
        stamp = datetime.fromisoformat(today()).strftime("%Y%m%d_%H%M%S")
        own = turn.session is None
        folder = self.root / (str(turn.request["request_id"]) if own else str(turn.session))
        head = stamp if own else f"turn{turn.number:02d}_{stamp}"
        paths = {f"{side}_{kind}": folder / f"{head}_{side}.{end}" for side in ("input", "output")
                 for kind, end in (("audio_path", "wav"), ("json_path", "json"))}  # fmt: skip
        if not turn.decoded:
            del paths["output_audio_path"]
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._write(turn, paths, stamp)
            if own and turn.decoded:
                paths["dual_channel_path"] = folder / "dual_channel.wav"
                write_whole(paths["dual_channel_path"], encode_wav(turn.answer.stereo(), turn.answer.sample_rate))
        except OSError as error:
            raise _refused(error, folder) from error
        return {"session_dir": str(folder), **{name: str(path) for name, path in paths.items()}}

    def _write(self, turn: TurnArtifacts, paths: Mapping[str, Path], stamp: str) -> None:
        answer = turn.answer
        sound = paths.get("output_audio_path")
        write_whole(paths["input_audio_path"], encode_wav(turn.asked, turn.rate))
        if sound is not None:
            write_whole(sound, encode_wav(answer.agent, answer.sample_rate))
        write_json(paths["input_json_path"], {"timestamp": stamp, **turn.request})
        told = {"timestamp": stamp, "text": answer.text, "audio_path": None if sound is None else str(sound),
                "debug_info": answer.debug, "generation_time_ms": round(turn.took_s * 1000, 3)}  # fmt: skip
        write_json(paths["output_json_path"], told)

    def keep_session(self, session: str) -> str | None:
        """Write the sound of a whole session from its turns' files; None where there are none."""
        folder = self.root / session
        asked = sorted(folder.glob("turn*_input.wav"), key=lambda path: int(path.name[4:].partition("_")[0]))
        if not asked:
            return None
        try:
            write_whole(folder / SESSION_AUDIO, _session_audio(asked))
        except OSError as error:
            raise _refused(error, folder) from error
        return str(folder / SESSION_AUDIO)


def _session_audio(asked: list[Path]) -> bytes:
    """Lay turns after each other, user left, agent right: a stereo WAV at the agent's rate."""
    answers = [path.with_name(path.name.replace("_input", "_output")) for path in asked]
    both = [(channel, path) for pair in zip(asked, answers, strict=True) for channel, path in enumerate(pair)]
    parts = [(channel, *_mono(path)) for channel, path in both if path.exists()]
    rate = next((own_rate for channel, _, own_rate in parts if channel == 1), parts[0][2])
    pause = np.zeros((int(PAUSE_S * rate), 2), np.float32)
    pieces: list[Samples] = []
    for channel, samples, own_rate in parts:
        at_rate = recordings.resample(samples, own_rate, rate)
        piece = np.zeros((len(at_rate), 2), np.float32)
        piece[:, channel] = at_rate
        pieces += [piece, pause]
    return encode_wav(raised(np.concatenate(pieces)), rate)


def _mono(path: Path) -> tuple[Samples, int]:
    recording = recordings.open_recording(path, channels=(0,))
    return recording.read(0), recording.sample_rate


def _refused(error: OSError, folder: Path) -> SimulatorError:
    return SimulatorError(f"{error.filename or folder}: {error.strerror or error}")
