"""Passes: who may take a seat, and who may only watch.

Each human's address holds a token that works once: the first page load exchanges it for a cookie, which a reload shows
again. Spectators share a token of their own, which opens nothing but the view. Compared in constant time.
"""

import hmac
import secrets
from collections.abc import Iterable, Mapping

WATCH = "watch"
"""The role of spectators."""


class Passes:
    """Issues and checks the tokens and cookies of one live session. A role is a party, or `watch`."""

    def __init__(self, seats: Iterable[str]) -> None:
        self._tokens = {role: secrets.token_urlsafe(24) for role in (*seats, WATCH)}
        self._used: set[str] = set()
        self._cookies: dict[str, set[str]] = {role: set() for role in self._tokens}

    @property
    def roles(self) -> tuple[str, ...]:
        """Every role there is."""
        return tuple(self._tokens)

    def token(self, role: str) -> str:
        """The token that opens a role."""
        return self._tokens[role]

    def exchange(self, role: str, token: str) -> str | None:
        """Give the cookie for a token, None for a wrong one or a seat's token that was used before."""
        if not hmac.compare_digest(token.encode(), self._tokens[role].encode()) or role in self._used:
            return None
        if role != WATCH:
            self._used.add(role)
        cookie = secrets.token_urlsafe(24)
        self._cookies[role].add(cookie)
        return cookie

    def holds(self, role: str, cookies: Mapping[str, str]) -> bool:
        """Whether a request's cookies hold the pass of a role."""
        shown = cookies.get(cookie_name(role), "").encode()
        return any(hmac.compare_digest(shown, cookie.encode()) for cookie in self._cookies[role])

    def holds_any(self, cookies: Mapping[str, str]) -> bool:
        """Whether they hold the pass of any role."""
        return any(self.holds(role, cookies) for role in self._tokens)


def cookie_name(role: str) -> str:
    """The name of a role's cookie."""
    return f"simulate-{role}"
