"""A mark: something that a reader should notice between the lanes of a session, at its place on the time line."""

from typing import Literal

import msgspec

Kind = Literal["transfer", "overlap", "barge_in", "backchannel", "injected", "decided", "trouble", "line", "other"]


class Mark(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Something at [start, end) samples: whose, in a few words (`label`), in more (`detail`), measured as `ms`.

    A transfer runs from the end of one party's speech to the start of the other's: end < start in an overlap.
    party: `user`, `agent`, a line's name (`user_to_agent`), or empty.
    """

    kind: Kind
    start: int
    end: int
    party: str = ""
    label: str = ""
    detail: str = ""
    ms: float | None = None
