"""The twelve tools of Full-Duplex-Bench v3, answered by the replies of a checkout that the user has.

    world: {kind: fdb_v3, path: ~/Full-Duplex-Bench, latency: normal}

Names and arguments are the benchmark's, descriptions are ours. The replies are those of the checkout's `mock_apis`
(CC BY-NC, nothing of it is shipped), which is loaded as it is and asked without its own waiting: a call's delay is the
session's. Replies are constants, so there is no state.
"""

import hashlib
import importlib.util
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Literal

import msgspec

from simulator.errors import ActorError, ScenarioError, sentence
from simulator.events import Party
from simulator.spec import Duration, ms
from simulator.world.spec import WorldSpec
from simulator.world.tool import Tool
from simulator.world.world import CallResult, World, failed

MODULE = "mock_apis"
REPLIES = f"{MODULE}.py"
Latency = Literal["instant", "fast", "normal", "slow"]
DELAYS: dict[Latency, Duration] = {"instant": ms(0), "fast": ms(125), "normal": ms(500), "slow": ms(2000)}
"""The middle of each of the benchmark's delay profiles, as others tell it: the file that draws them was not at hand."""

_TEXT, _NUMBER = {"type": "string"}, {"type": "number"}


def _tool(name: str, description: str, properties: Mapping[str, Any], optional: Sequence[str] = ()) -> Tool:
    required = [one for one in properties if one not in optional]
    return Tool(
        name=name,
        description=description,
        parameters={"type": "object", "properties": dict(properties), "required": required},
    )


TOOLS = (
    _tool("search_flights", "Find flights to a place on a day.", {"destination": _TEXT, "date": _TEXT}),
    _tool("book_flight", "Book a flight for a passenger.", {"passenger_name": _TEXT}),
    _tool("update_identity_doc", "Store the number of an identity document, such as a passport.",
          {"doc_type": _TEXT, "doc_number": _TEXT}),
    _tool("get_card_benefits", "Tell what a credit card comes with.", {"card_type": _TEXT}),
    _tool("get_exchange_rate", "Convert an amount from one currency into another, by their three-letter codes.",
          {"amount": _NUMBER, "from_currency": _TEXT, "to_currency": _TEXT}),
    _tool("modify_autopay", "Choose the account that a kind of bill is paid from.",
          {"bill_type": _TEXT, "source_account": _TEXT}),
    _tool("search_apartments", "Find apartments to rent in a city, up to a monthly price.",
          {"city": _TEXT, "bedrooms": {"type": "integer"}, "max_price": _NUMBER}),
    _tool("calculate_commute", "Tell how long the way between two addresses takes.",
          {"origin_address": _TEXT, "destination_address": _TEXT, "mode": {**_TEXT, "default": "driving"}}, ("mode",)),
    _tool("update_search_filter", "Set a filter of the search for apartments.", {"filter_name": _TEXT, "value": _TEXT}),
    _tool("track_order", "Tell where an order is.", {"order_id": _TEXT}),
    _tool("search_products", "Find products, up to a price where one is given.",
          {"query": _TEXT, "max_price": _NUMBER}, ("max_price",)),
    _tool("add_to_cart", "Put a product into the cart.",
          {"product_id": _TEXT, "quantity": {"type": "integer", "default": 1}}, ("quantity",)),
)  # fmt: skip


class FdbV3WorldSpec(WorldSpec, frozen=True, kw_only=True, tag="fdb_v3"):
    """The tools of Full-Duplex-Bench v3: `{kind: fdb_v3, path: CHECKOUT, latency: normal}`.

    path: the checkout, or its folder v3. latency: how long an answer takes: 0, 125, 500 or 2000 ms.
    """

    path: Path
    latency: Latency = "instant"

    def tools(self, party: Party) -> tuple[Tool, ...]:
        """The twelve, for the agent."""
        return delayed(self.latency) if party == "agent" else ()

    def check(self, where: str) -> None:
        """Refuse a checkout without replies."""
        WorldSpec.check(self, where)
        try:
            replies(folder_of(self.path))
        except ActorError as error:
            raise ScenarioError(f"{where}.path: {error}") from error

    def roots(self) -> list[str]:
        """None: there is no state."""
        return []

    def open(self) -> "FdbV3World":
        """Make a session's own replies."""
        return FdbV3World(self)


@cache
def delayed(latency: Latency) -> tuple[Tool, ...]:
    """Give the tools with the delay of a profile."""
    return tuple(msgspec.structs.replace(tool, delay=DELAYS[latency]) for tool in TOOLS)


class FdbV3World(World):
    """Asks the checkout's replies."""

    def __init__(self, spec: FdbV3WorldSpec) -> None:
        super().__init__()
        self._spec = spec
        self._reply = replies(folder_of(spec.path))

    def tools(self, party: Party) -> Sequence[Tool]:
        """The twelve."""
        return self._spec.tools(party)

    def state(self) -> Any:
        """Nothing: replies are constants."""
        return {}

    def perform(self, tool: Tool, arguments: dict[str, Any], party: Party) -> CallResult:
        """Give the checkout's reply; an error of it is what an API would answer."""
        try:
            answer = self._reply(tool.name, **arguments)
            return CallResult(answer=msgspec.json.decode(msgspec.json.encode(answer)), delay=tool.delay)
        except Exception as error:  # noqa: BLE001  # somebody else's code may raise anything
            return failed(sentence(error), "refused", tool.delay)


def folder_of(checkout: Path) -> Path:
    """Give the folder of version 3: in a checkout, or the path itself."""
    return checkout / "v3" if (checkout / "v3").is_dir() else checkout


def replies(folder: Path) -> Callable[..., Any]:
    """Give what answers calls by name, anew. ActorError: the file is not there, or is not what it should be."""
    try:
        reply = _registry(folder / REPLIES)(latency_profile="instant").call
    except ActorError:
        raise
    except Exception as error:
        raise ActorError(f"{folder / REPLIES} has no MockAPIRegistry with a call: {sentence(error)}") from error
    return reply  # type: ignore[no-any-return]


@cache
def _registry(path: Path) -> Any:
    """Load the file under a name of its own; what lies beside it is found, too."""
    if not path.is_file():
        raise ActorError(f"{path} is missing: the tools' replies are the checkout's own")
    if str(path.parent) not in sys.path:
        sys.path.insert(0, str(path.parent))
    name = f"fdb_v3_{hashlib.sha256(str(path).encode()).hexdigest()[:12]}"
    found = importlib.util.spec_from_file_location(name, path)
    assert found is not None
    assert found.loader is not None
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module.MockAPIRegistry
