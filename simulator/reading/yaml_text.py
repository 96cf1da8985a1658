"""YAML out: a mapping of plain values as text, each of its keys written once for all sessions that share its value.

Of a run's sessions nearly all keys say what those of the session before said, and PyYAML takes 50 ms for 500 texts: an
eighth of what a session came to whose turns are drawn. Its C emitter breaks some lines elsewhere.
"""

from collections.abc import Mapping
from typing import Any

import yaml

_WRITTEN: dict[str, str] = {}
_MOST = 1024
"""Keys with their values that a process keeps: those of some fifty scenarios."""


def yaml_text(plain: Mapping[str, Any]) -> str:
    """Give a mapping of texts, numbers, booleans, None, lists and mappings as YAML, its keys in their order.

    In such a mapping keys stand below one another, and none refers to another one's value.
    """
    return "".join(_written({name: value}) for name, value in plain.items())


def _written(entry: dict[str, Any]) -> str:
    asked = repr(entry)
    if (known := _WRITTEN.get(asked)) is None:
        if len(_WRITTEN) >= _MOST:
            _WRITTEN.clear()
        known = _WRITTEN[asked] = yaml.safe_dump(entry, sort_keys=False, allow_unicode=True, width=110)
    return known
