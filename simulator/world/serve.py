"""`world: {serve: {port: 0}}`: where a session's tools are offered to agents whose own back end calls them."""

from importlib.util import find_spec
from typing import Annotated

import msgspec

from simulator.errors import ScenarioError
from simulator.remote.server import check_token
from simulator.texts import install_of

NEEDS = f"a world that is served needs the extra `connect`: {install_of('connect')}"
LOOPBACK = ("127.0.0.1", "localhost", "::1")


class Serve(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Offer the tools over HTTP and MCP on this machine.

    port: 0 takes a free one. token: `${NAME}`, what a session is addressed by, where the agent must know it ahead; then
    one session at a time can be played. Without it every session has one of its own. host: the address that it listens
    at.
    """

    port: Annotated[int, msgspec.Meta(ge=0, le=65_535)] = 0
    host: str = "127.0.0.1"
    token: str | None = None

    def check(self, where: str) -> None:
        """Refuse to be reached from elsewhere, and a token that is written out. ScenarioError."""
        if self.host not in LOOPBACK:
            raise ScenarioError(f"{where}.host: a world is offered on this machine alone; write one of "
                                f"{', '.join(LOOPBACK)}")  # fmt: skip
        if find_spec("mcp") is None:
            raise ScenarioError(f"{where}: {NEEDS}")
        check_token(self.token, f"{where}.token")
