"""Bounds of outcomes, as a text has them: how many (`>= 3`), and from which moment of a session on (`turn 2`)."""

import re
from operator import eq, ge, gt, le, lt
from typing import Any

from simulator.spec import Convert, Duration
from simulator.texts import quoted

COMPARED = {"<": lt, "<=": le, ">": gt, ">=": ge, "==": eq}
"""What holds a number against a bound, by its sign."""
_COUNT = re.compile(r"\s*(<=|>=|==|<|>)?\s*(\d+)\s*")


class Count:
    """A number, or a bound on one: `3`, `">= 3"`."""

    __slots__ = ("bound", "op")

    def __init__(self, op: str, bound: int) -> None:
        self.op, self.bound = op, bound

    def holds(self, count: int) -> bool:
        """Whether a count is so."""
        return bool(COMPARED[self.op](count, self.bound))

    @classmethod
    def __decode__(cls, value: object, _convert: Convert) -> "Count":
        match = None if isinstance(value, bool) else _COUNT.fullmatch(str(value))
        if match is None:
            raise ValueError(f'{quoted(value)} is no count; write it like 3 or ">= 3"')
        return cls(match[1] or "==", int(match[2]))

    def __encode__(self) -> Any:
        return self.bound if self.op == "==" else str(self)

    def __str__(self) -> str:
        return f"{self.bound}" if self.op == "==" else f"{self.op} {self.bound}"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Count) and (self.op, self.bound) == (other.op, other.bound)

    def __hash__(self) -> int:
        return hash((self.op, self.bound))


class StartMoment:
    """From when on: a time of the session, the end of the other's n-th turn (`turn 2`), a call (`call look_up`)."""

    __slots__ = ("kind", "name", "number", "time")

    def __init__(self, kind: str, *, number: int = 0, name: str = "", time: Duration | None = None) -> None:
        self.kind, self.number, self.name, self.time = kind, number, name, time

    @classmethod
    def __decode__(cls, value: object, convert: Convert) -> "StartMoment":
        text = value.strip() if isinstance(value, str) else ""
        if match := re.fullmatch(r"turn\s+([1-9]\d*)", text):
            return cls("turn", number=int(match[1]))
        if match := re.fullmatch(r"call\s+([\w.-]+)", text):
            return cls("call", name=match[1])
        try:
            return cls("time", time=Duration.__decode__(value, convert))
        except ValueError as error:
            raise ValueError(f"{quoted(value)} is no moment; write it like `turn 2`, `call look_up` or 10s") from error

    def __encode__(self) -> str:
        return str(self)

    def __str__(self) -> str:
        return {"turn": f"turn {self.number}", "call": f"call {self.name}"}.get(self.kind, str(self.time))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, StartMoment) and str(self) == str(other)

    def __hash__(self) -> int:
        return hash(str(self))
