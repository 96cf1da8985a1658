"""A Ray cluster for the time of a run: found at its address, or made of this machine's cores and listening to it alone.

Nothing is told to Ray's makers, no dashboard is opened, and what nodes print stays in Ray's logs there.
"""

import os
import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

from simulator.batch.concurrency import usable_cores
from simulator.errors import ScenarioError, sentence
from simulator.texts import install_of
from simulator.workers import stop_as_by_ctrl_c

RAY = "ray"
INSTALL = install_of("ray")
LOOPBACK = "127.0.0.1"
ANSWER_S = 5.0
"""How long a cluster may take to answer; Ray itself would try for four minutes."""
STORE_BYTES = 100 * 10**6
"""Of a cluster on this machine, where sessions go through the file system. Ray takes 75 MB at least, else a third of
the memory."""

_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + struct.pack(">HBBBI", 0, 0, 4, 0, 0)
"""How a client of HTTP/2 begins (RFC 9113, 3.4), with settings that say nothing; gRPC, which Ray speaks, is that."""
_SETTINGS = 4


@contextmanager
def ray_cluster(on: str) -> Iterator[None]:
    """Be connected to the cluster that `--on` names while the block runs. ScenarioError says why not."""
    address = address_of(on)
    if address is not None:
        _look_for(address)
    ray = _imported(loopback=address is None or address.startswith((LOOPBACK, "localhost")))
    try:
        ray.init(**_options(address), log_to_driver=False, logging_level="ERROR", configure_logging=False)
    except (OSError, RuntimeError, ValueError) as error:
        raise ScenarioError(f"--on {on}: {sentence(error)}{_about_tokens(address)}") from error
    # It would print what befalls its nodes between our lines, and into our JSON.
    ray._private.worker._worker_logs_enabled = False
    stop_as_by_ctrl_c()  # Ray takes SIGTERM for itself
    try:
        yield
    finally:
        ray.shutdown()


def _about_tokens(address: str | None) -> str:
    """Say what Ray does not: to an address that is named it sends no token unless it is told to."""
    if address is None or os.environ.get("RAY_AUTH_MODE"):
        return ""
    return "; a cluster that was started where there is a ~/.ray/auth_token asks for it: RAY_AUTH_MODE=token sends it"


def address_of(on: str) -> str | None:
    """Give HOST:PORT of `ray://HOST:PORT`; None for `ray`, a cluster of this machine. ScenarioError."""
    scheme, _, address = on.partition("://")
    host, _, port = address.rpartition(":")
    if scheme != RAY or (on != RAY and not (host and port.isdecimal() and int(port) < 2**16)):
        raise ScenarioError(f"--on {on}: is neither {RAY} nor {RAY}://HOST:PORT")
    return address or None


def _imported(*, loopback: bool) -> ModuleType:
    """Import Ray, which reads its environment then."""
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    if loopback:
        # Else Ray puts this machine's outer address in the loopback's place, where no node of such a cluster listens.
        os.environ["RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"] = "0"
    try:
        import ray
    except ImportError:
        raise ScenarioError(f"--on {RAY} needs the extra `ray`: {INSTALL}") from None
    module: ModuleType = ray
    return module


def _options(address: str | None) -> dict[str, Any]:
    if address is None:
        return {
            "address": "local",
            "num_cpus": usable_cores(),
            "object_store_memory": STORE_BYTES,
            "include_dashboard": False,
            "_node_ip_address": LOOPBACK,
        }
    return {"address": address, **({"_node_ip_address": LOOPBACK} if address.startswith(LOOPBACK) else {})}


def _look_for(address: str) -> None:
    """Refuse an address at which no Ray answers. ScenarioError."""
    host, _, port = address.rpartition(":")
    try:
        with socket.create_connection((host.strip("[]"), int(port)), ANSWER_S) as peer:
            peer.settimeout(ANSWER_S)
            peer.sendall(_PREFACE)
            answer = peer.recv(9)
    except OSError as error:
        raise ScenarioError(f"--on {RAY}://{address}: nobody answers there: {sentence(error)}") from error
    if len(answer) < 9 or answer[3] != _SETTINGS:
        raise ScenarioError(f"--on {RAY}://{address}: what answers there is no Ray; give the port of its head")
