"""The kinds of minds: what `llm:` may be; without a kind it is a chat endpoint."""

from typing import TYPE_CHECKING, Any

from agents.caller.endpoint_mind import EndpointMindSpec
from agents.caller.mind import MindSpec
from agents.caller.rules_mind import RulesMindSpec
from simulator.spec import Convert
from simulator.texts import quoted

KINDS: dict[str, type[MindSpec]] = {"rules": RulesMindSpec, "chat": EndpointMindSpec}

if TYPE_CHECKING:
    AnyMind = MindSpec
else:

    class _AnyMind(type):
        """Lets msgspec accept what `__decode__` gives."""

        def __instancecheck__(cls, instance: object) -> bool:
            return isinstance(instance, MindSpec)

    class AnyMind(metaclass=_AnyMind):
        """The spec of any mind: `rules`, `{kind: rules, gets: ...}`, `{base_url: ..., model: ...}`."""

        forms = KINDS
        usual = "chat"

        @classmethod
        def __decode__(cls, value: object, convert: Convert) -> Any:
            if isinstance(value, str):
                value = {"kind": value}
            if not isinstance(value, dict):
                raise ValueError(
                    f"expected a mapping such as {{kind: rules}} or {{base_url: ...}}, found {quoted(value)}"
                )
            kind = value.get("kind", "chat")
            if kind not in KINDS:
                raise ValueError(f"{quoted(kind)} is no kind of llm; choose one of {', '.join(KINDS)} - at `$.kind`")
            return convert({**value, "kind": kind}, KINDS[kind])
