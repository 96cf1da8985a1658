"""Cost: what `usage` events cost at the scenario's prices, and when a run has to stop.

    prices:
      gpt-realtime-2: {input_text: 4, input_audio: 32, cached_audio: 0.4, output_text: 16, output_audio: 64}
      gpt-live-1: {session_minute: 0.06}
    max_cost: 5
    max_minutes: 30

Prices are the scenario's own (we know none): per million tokens by kind, per minute of the session or of
sound sent and received. A model bills by tokens, by minutes, or both, whichever its price names; a kind that
was used and has no price makes the cost null, never zero.
"""

from collections.abc import Iterable, Mapping
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from simulator.errors import ScenarioError

Amount = Annotated[float, Meta(ge=0)]

MINUTES = {"session_minute": "session_s", "input_minute": "input_s", "output_minute": "output_s"}
"""Prices per minute, and the field of a usage event that holds the seconds."""


class Price(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """What a model costs, in any currency: per million tokens or per minute of a kind. None: not known.

    input_text, input_audio, input_image: a million tokens sent. cached_text, cached_audio, cached_image: a million of
    them that the service had kept. output_text, output_audio: a million tokens got. session_minute: of the session.
    input_minute: of sound sent. output_minute: of sound got.
    """

    input_text: Amount | None = None
    input_audio: Amount | None = None
    input_image: Amount | None = None
    cached_text: Amount | None = None
    cached_audio: Amount | None = None
    cached_image: Amount | None = None
    output_text: Amount | None = None
    output_audio: Amount | None = None
    session_minute: Amount | None = None
    input_minute: Amount | None = None
    output_minute: Amount | None = None

    @property
    def per_token(self) -> bool:
        """Whether the price names any kind of token."""
        return any(getattr(self, kind) is not None for kind in self.__struct_fields__ if kind not in MINUTES)


Prices = Mapping[str, Price]
"""Prices by the name of the model, as its spec and its usage events call it."""


class Cost(msgspec.Struct, frozen=True, kw_only=True):
    """A sum of money; `value` is None when something used has no price, with the reason."""

    value: float | None
    reason: str | None = None


def cost_of(usage: Iterable[Mapping[str, Any]], prices: Prices) -> Cost:
    """Price the fields of `usage` events. No usage costs nothing."""
    total = 0.0
    for fields in usage:
        model = str(fields.get("model", ""))
        price = prices.get(model)
        if price is None:
            return Cost(value=None, reason=f"there is no price for {model or 'an unnamed model'}")
        part = _priced(fields, price)
        if isinstance(part, str):
            return Cost(value=None, reason=f"the price of {model} names no {part}")
        total += part
    return Cost(value=total)


def _priced(fields: Mapping[str, Any], price: Price) -> float | str:
    """The cost of one event, or the kind that has no price."""
    total = 0.0
    for field, amount in fields.items():
        kind = field.removesuffix("_tokens")
        if kind == field or not price.per_token:
            continue
        each = getattr(price, kind, None)
        if each is None:
            return kind
        total += each * amount / 1e6
    for kind, field in MINUTES.items():
        total += (getattr(price, kind) or 0.0) * float(fields.get(field) or 0.0) / 60
    return total


def check_budget(models: Iterable[str], prices: Prices, max_cost: float | None) -> None:
    """Refuse, before anything connects, a `max_cost` that cannot be kept. ScenarioError names the model."""
    if max_cost is None:
        return
    for model in models:
        if model not in prices:
            raise ScenarioError(f"$.max_cost: needs a price to keep to; $.prices has none for {model}")


class Meter:
    """Adds up what a run uses, over all its sessions, and says when it must stop.

    max_cost: in the prices' currency. max_minutes: of billed session time. None: no limit.
    """

    def __init__(self, prices: Prices, *, max_cost: float | None = None, max_minutes: float | None = None) -> None:
        self._prices = prices
        self._max_cost = max_cost
        self._max_minutes = max_minutes
        self._cost = 0.0
        self._unpriced: str | None = None
        self.minutes = 0.0
        self.used = False

    def add(self, usage: Mapping[str, Any]) -> None:
        """Count a usage event's fields."""
        self.used = True
        self.minutes += float(usage.get("session_s") or 0.0) / 60
        cost = cost_of([usage], self._prices)
        if cost.value is None:
            self._unpriced = self._unpriced or cost.reason
        else:
            self._cost += cost.value

    @property
    def cost(self) -> Cost:
        """What the run cost so far; None as soon as something had no price."""
        return Cost(value=self._cost) if self._unpriced is None else Cost(value=None, reason=self._unpriced)

    def exhausted(self, untold_s: float = 0.0, untold_cost: float = 0.0) -> str | None:
        """Say why the run must stop before it spends more; None while it may go on.

        untold_s: seconds of billed sessions that run and have not told them yet; untold_cost: what these cost.
        Under `max_cost` something without a price is a reason too: nobody knows what is spent.
        """
        minutes = self.minutes + untold_s / 60
        if self._max_minutes is not None and minutes >= self._max_minutes:
            return f"max_minutes: {minutes:.3g} of {self._max_minutes:g} minutes are used"
        if self._max_cost is None:
            return None
        if self._unpriced is not None:
            return f"max_cost: {self._unpriced}"
        cost = self._cost + untold_cost
        if cost >= self._max_cost:
            return f"max_cost: {cost:.3g} of {self._max_cost:g} is spent"
        return None

    def allowance_s(self, untold_s: float, untold_cost: float, models: Iterable[str]) -> float:
        """Give how many more seconds a session billed by these models may run; infinite without a limit by time."""
        rest_s = [float("inf")]
        if self._max_minutes is not None:
            rest_s.append(60 * (self._max_minutes - self.minutes) - untold_s)
        per_minute = self.per_minute(models)
        if self._max_cost is not None and per_minute:
            rest_s.append(60 * (self._max_cost - self._cost - untold_cost) / per_minute)
        return min(rest_s)

    def per_minute(self, models: Iterable[str]) -> float:
        """Give what a minute of a session costs with these models."""
        prices = [self._prices[model].session_minute for model in models if model in self._prices]
        return sum(price for price in prices if price is not None)
