"""`simulate serve ACTOR --protocol P`: an actor for other people's clients, every session recorded."""

import argparse
import signal
import sys
from pathlib import Path
from typing import Any

from simulator.cli import INTERRUPTED, OK
from simulator.cli.actor_word import actor_named
from simulator.cli.places import here
from simulator.errors import ScenarioError
from simulator.logs import scrubbed_logs, set_up_logs
from simulator.plugins import installed, load
from simulator.reading.secrets import Secrets
from simulator.reading.yaml_file import parse_yaml
from simulator.spec import Duration, decode, encode

SWITCH_S = 0.0005
"""How long a thread of a server may compute before another's turn comes: a tenth of Python's own."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    add = parser.add_argument
    add("actor", metavar="ACTOR", help="a kind, or a YAML file whose `agent` is taken")
    add("--protocol", required=True, metavar="P", help=f"one of {', '.join(installed('servers')) or '(none)'}")
    add("--host", default="127.0.0.1", help="the address to listen on (default: this machine alone)")
    add("--port", type=int, help="the port (default: where the protocol's clients look; 0 takes any free one)")
    add("--token", metavar="T", help="what clients must show; ${NAME} is taken from the environment")
    add("--open", action="store_true", help="serve anybody who reaches an address that others can reach")
    add("--cert", type=Path, metavar="F", help="certificate (PEM), for TLS")
    add("--key", type=Path, metavar="F", help="its key (PEM)")
    add("--out", type=here, metavar="DIR", help="where sessions go (default: runs/serve-<protocol>)")
    add("--sessions", type=int, default=32, metavar="N", help="how many clients at the same time (default 32)")
    add("--idle", default="60s", metavar="D", help="a client silent for so long is sent away (default 60s)")
    add("--set", action="append", default=[], metavar="K=V", help="a key of the protocol, such as queue=true")


def run(args: argparse.Namespace) -> int:
    """Serve until SIGTERM (0) or Ctrl-C (130)."""
    import anyio

    from simulator.serving.door import serve
    from simulator.serving.listening import DoorSpec
    from simulator.serving.service import Limits, Service

    set_up_logs(verbose=False)
    server = _server(args.protocol, args.set)
    actor = actor_named(args.actor)
    if args.sessions < 1:
        raise ScenarioError(f"--sessions is {args.sessions}; at least 1 is needed")
    if _duration(args.idle) <= 0:
        raise ScenarioError(f"--idle is {args.idle}; it must be above 0")
    limits = Limits(sessions=args.sessions, idle_s=_duration(args.idle))
    out = args.out or Path("runs") / f"serve-{args.protocol}"
    service = Service(actor, protocol=args.protocol, out=out, limits=limits)
    door = DoorSpec(
        host=args.host, port=server.default_port if args.port is None else args.port, open=args.open,
        token=Secrets().expand(args.token) if args.token is not None else None, cert=args.cert, key=args.key,
    )  # fmt: skip
    # With some turns computed at once, whoever asks for `/health` waits for each of their threads, several times over.
    sys.setswitchinterval(SWITCH_S)
    with scrubbed_logs(Secrets.of(encode(actor)).scrub):
        received = anyio.run(serve, service, server, door, _tell)
    return INTERRUPTED if received == signal.SIGINT else OK


def _tell(sentence: str) -> None:
    print(f"simulate: {sentence}", file=sys.stderr, flush=True)


def _server(protocol: str, settings: list[str]) -> Any:
    spec = load("servers", protocol)
    data: dict[str, object] = {}
    for setting in settings:
        name, equals, value = setting.partition("=")
        if not equals:
            raise ScenarioError(f"--set {setting!r}: expected key=value")
        data[name] = parse_yaml(value, source=f"--set {name}")
    return decode(data, spec, source="--set", folder=Path())


def _duration(text: str) -> Duration:
    return decode(text, Duration, source="--idle", folder=Path())
