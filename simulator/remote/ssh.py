"""One command on another machine through the system's own `ssh`: its keys, its configuration, nothing of ours.

Without a terminal of its own `ssh` cannot ask for a password, and with a limit it cannot wait for one.
"""

import os
import shutil
import signal
import subprocess
from contextlib import suppress
from typing import NamedTuple

from simulator.errors import RemoteError, ScenarioError
from simulator.texts import quoted

LIMIT_S = 30.0
_NO_CONNECTION = 255
"""What `ssh` itself ends with; any other code is the command's."""


class FarAnswer(NamedTuple):
    """What a command on another machine came to: its exit code and what it printed."""

    code: int
    output: bytes


def over_ssh(host: str, command: str, *, limit_s: float = LIMIT_S) -> FarAnswer:
    """Run a shell command on a host. limit_s: seconds until it is given up.

    ScenarioError: a name that no host has, or no `ssh` here; RemoteError: no connection, or no answer within the limit.
    """
    if not host or host.startswith("-"):  # `ssh` would take it for an option
        raise ScenarioError(f"{quoted(host)} names no host; a folder elsewhere is written host:path")
    if shutil.which("ssh") is None:
        raise ScenarioError(f"{host}: cannot be asked, as there is no `ssh` on the PATH")
    process = subprocess.Popen(
        ["ssh", host, command],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    try:
        output, told = process.communicate(timeout=limit_s)
    except subprocess.TimeoutExpired:
        raise RemoteError(f"{host}: ssh gave no answer within {limit_s:g} s") from None
    finally:
        _end(process)
    if process.returncode == _NO_CONNECTION:
        why = " ".join(told.decode("utf-8", "replace").split()) or "it said nothing"
        raise RemoteError(f"{host}: ssh could not connect: {why}")
    return FarAnswer(process.returncode, output)


def _end(process: "subprocess.Popen[bytes]") -> None:
    """End a process with all that it started: one of those would keep its pipes open."""
    if process.poll() is None:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
