"""The clock of a scenario, where more is to be said of it than its name."""

from typing import Literal

import msgspec


class ClockSpec(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """`{kind: wall, strict: true}`: a late tick or an underrun ends the session with an error."""

    kind: Literal["virtual", "wall"]
    strict: bool = False
