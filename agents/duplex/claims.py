"""The queue for slots: a session claims all the slots it needs or none, and nobody overtakes."""

import asyncio
from collections import deque
from collections.abc import Callable

import msgspec

from agents.duplex.batch import Tenant

Take = Callable[[str, int], list[Tenant] | None]
"""take(session, count): all of them, or None while there are too few."""


class Claim(msgspec.Struct):
    """What a session wants: granted all at once, handed out one by one to its actors."""

    session: str
    count: int
    granted: asyncio.Future[None]
    tenants: list[Tenant] = []


class Claims:
    """Sessions that queue, and what they were granted and have not picked up yet."""

    def __init__(self, take: Take) -> None:
        self._take = take
        self._claims: dict[str, Claim] = {}
        self._queue: deque[Claim] = deque()

    def make(self, session: str, count: int) -> Claim:
        """Give the session's claim: the one its other party made, or a new one at the end of the queue."""
        if session not in self._claims:
            claim = Claim(session, count, asyncio.get_running_loop().create_future())
            self._claims[session] = claim
            self._queue.append(claim)
            self.grant()
        return self._claims[session]

    def pick_up(self, claim: Claim) -> Tenant:
        """Take one of the slots that were granted."""
        tenant = claim.tenants.pop(0)
        if not claim.tenants:
            self._claims.pop(claim.session, None)
        return tenant

    def grant(self) -> None:
        """Serve the head of the queue for as long as there are slots for it."""
        while self._queue:
            claim = self._queue[0]
            tenants = self._take(claim.session, claim.count)
            if tenants is None:
                return
            self._queue.popleft()
            claim.tenants = tenants
            claim.granted.set_result(None)

    def drop(self, session: str) -> list[Tenant]:
        """Forget what the session wants; give what it was granted and has not picked up."""
        claim = self._claims.pop(session, None)
        if claim is None:
            return []
        if claim in self._queue:
            self._queue.remove(claim)
            claim.granted.cancel()
            self.grant()
        return claim.tenants

    def fail(self, error: Exception) -> None:
        """Let everybody who queues have the error."""
        for claim in self._queue:
            claim.granted.set_exception(error)
            self._claims.pop(claim.session, None)
        self._queue.clear()
