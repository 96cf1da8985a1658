"""A PulseAudio server with two null sinks, for tests and benchmarks.

`mouth` feeds the microphone, `speaker` is what the loudspeaker plays.
"""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from ctypes.util import find_library
from pathlib import Path

from tests.live_browser import wait_until

SETUP = """
load-module module-native-protocol-unix auth-anonymous=1 socket={socket}
load-module module-null-sink sink_name=speaker rate=48000
load-module module-null-sink sink_name=mouth rate=48000
load-module module-remap-source source_name=mic master=mouth.monitor
set-default-sink speaker
set-default-source mic
"""
ALSA = "pcm.!default { type pulse }\nctl.!default { type pulse }\n"


def missing() -> str | None:
    """Say in a line what a test with PulseAudio lacks here; None when everything is there."""
    if not all(map(shutil.which, ("pulseaudio", "paplay", "parec"))) or not find_library("portaudio"):
        packages = "pulseaudio pulseaudio-utils libportaudio2 libasound2-plugins"
        return f"pulseaudio and PortAudio are not installed (Debian: {packages})"
    return None


@contextmanager
def sound_server(folder: Path) -> Iterator[dict[str, str]]:
    """Run the server while the block runs; gives the environment that finds it."""
    # The socket's path must stay below 108 characters, which a test's folder may not.
    socket = Path(f"/tmp/simulator-pulse-{abs(hash(folder)) % 10**8}.sock")
    setup, alsa = folder / "default.pa", folder / "asound.conf"
    setup.write_text(SETUP.format(socket=socket))
    alsa.write_text(ALSA)
    home = dict.fromkeys(("HOME", "XDG_RUNTIME_DIR", "PULSE_RUNTIME_PATH"), str(folder)) | {"PATH": "/usr/bin:/bin"}
    command = ["pulseaudio", "-n", "-F", str(setup), "--exit-idle-time=-1", "--daemonize=no"]
    with (folder / "pulse.log").open("w") as log, subprocess.Popen(command, env=home, stdout=log, stderr=log) as server:
        try:
            wait_until(socket.exists, 10)
            yield {"PULSE_SERVER": f"unix:{socket}", "ALSA_CONFIG_PATH": str(alsa)}
        finally:
            server.terminate()
            server.wait(10)
            socket.unlink(missing_ok=True)
