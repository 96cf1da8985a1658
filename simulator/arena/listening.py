"""People listen: the site is served on loopback until every rater has judged all that is asked, or Ctrl-C."""

import re
import signal
import webbrowser
from collections.abc import Callable

import anyio
import msgspec

from simulator import clock
from simulator.arena.desk import Desk
from simulator.arena.site import ListenSite
from simulator.errors import ScenarioError
from simulator.live.browser.passes import WATCH
from simulator.live.together import together
from simulator.serving.guard import AccessRules, Guard
from simulator.serving.listening import DoorSpec, address_of, listening, web_server

READ_S = 1.5
"""How long a page has to hear that nothing is left."""
LONGEST_BODY = 4096
_NAME = re.compile(r"[A-Za-z0-9_-]{1,40}")


class Door(msgspec.Struct, frozen=True, kw_only=True):
    """Who listens, and how they get in. port 0: any free one. open_page: whether to open the browser for the first."""

    raters: tuple[str, ...]
    port: int = 0
    open_page: bool = True

    def check(self) -> None:
        """Refuse what cannot be: ScenarioError."""
        DoorSpec(port=self.port).check()
        for name in self.raters:
            if not _NAME.fullmatch(name) or name == WATCH:
                raise ScenarioError(f"--rater {name!r}: allowed are 1 to 40 letters, digits, _ and -")
        if len(set(self.raters)) < len(self.raters):
            raise ScenarioError("--rater names somebody twice; each has a page of their own")


async def listen(desk: Desk, door: Door, tell: Callable[[str], None]) -> None:
    """Serve the pages until all raters are done, or SIGTERM, or Ctrl-C. ScenarioError: it cannot be served."""
    left = set(door.raters)
    over = anyio.Event()

    def done(rater: str) -> None:
        left.discard(rater)
        if not left:
            over.set()

    site = ListenSite(desk, door.raters, done)
    spec = DoorSpec(port=door.port)
    server = web_server(Guard(site.app(), AccessRules(loopback=True, body_bytes=LONGEST_BODY)), spec)
    with listening(spec) as listener:
        base = address_of(listener, tls=False)
        async with together() as tasks:
            tasks.start_soon(server.serve, [listener])
            async with together() as waiting:
                # Before anybody is invited: who has read the address may press Ctrl-C at once.
                await waiting.start(_mind_interrupts, over)
                _invite(site, base, door, tell)
                await over.wait()
                if not left:
                    await clock.sleep(READ_S)
                waiting.cancel_scope.cancel()
            server.should_exit = True


def _invite(site: ListenSite, base: str, door: Door, tell: Callable[[str], None]) -> None:
    for number, rater in enumerate(door.raters):
        address = site.address(base, rater)
        tell(f"to listen as {rater}, once: {address}")
        if number == 0 and door.open_page and not webbrowser.open(address):
            tell("no browser could be opened here; open the address yourself")
    tell("Ctrl-C ends it; every verdict is kept")


async def _mind_interrupts(over: anyio.Event, *, task_status: anyio.abc.TaskStatus[None]) -> None:
    with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
        task_status.started()
        async for _ in signals:
            over.set()
