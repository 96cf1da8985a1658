"""YAML files: one mapping, read safely, every key once."""

from pathlib import Path
from typing import Any

import yaml

from simulator.errors import ScenarioError


class _OnceLoader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """A safe loader that refuses a key given twice: YAML would drop the first one without a word.

    What `<<` merges is worked out here and not by PyYAML, whose releases differ in which of two values wins: a
    mapping's own key before a merged one, an earlier merged mapping before a later one (YAML 1.1's merge type).
    """

    def __init__(self, stream: Any) -> None:
        super().__init__(stream)
        self._flat: set[int] = set()

    def flatten_mapping(self, node: Any) -> None:
        """Put what a mapping merges into it, every key once. yaml.YAMLError names a key given twice."""
        if id(node) in self._flat:
            return
        self._flat.add(id(node))
        own: dict[object, Any] = {}
        merged: dict[object, Any] = {}
        pairs, node.value = node.value, []  # so that a mapping that merges itself ends here
        for key, value in pairs:
            if key.tag == "tag:yaml.org,2002:merge":
                for source in value.value if isinstance(value, yaml.SequenceNode) else [value]:
                    self._merge(source, merged)
            elif _identity(key) in own:
                problem = f"the key {key.value!r} is given twice"
                raise yaml.constructor.ConstructorError(None, None, problem, key.start_mark)
            else:
                own[_identity(key)] = (key, value)
        node.value = list((merged | own).values())

    def _merge(self, source: Any, merged: dict[object, Any]) -> None:
        if not isinstance(source, yaml.MappingNode):
            raise yaml.constructor.ConstructorError(
                None, None, f"expected a mapping to merge, found a {source.id}", source.start_mark
            )
        self.flatten_mapping(source)
        for key, value in source.value:
            merged.setdefault(_identity(key), (key, value))


def _identity(key: Any) -> object:
    """What makes two keys of a mapping the same: a scalar's text, and any other node itself."""
    return key.value if isinstance(key, yaml.ScalarNode) else id(key)


def read_yaml(path: Path) -> dict[str, Any]:
    """Read a YAML mapping. ScenarioError when the file is missing, no YAML, or no mapping."""
    try:
        data = yaml.load(path.read_text(encoding="utf-8"), Loader=_OnceLoader)
    except FileNotFoundError:
        raise ScenarioError(f"{path}: there is no such file") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ScenarioError(f"{path}: cannot be read: {error}") from error
    except yaml.YAMLError as error:
        raise ScenarioError(f"{path}: is no YAML: {' '.join(str(error).split())}") from error
    if not isinstance(data, dict):
        raise ScenarioError(f"{path}: expected a mapping with name, user and agent, found {type(data).__name__}")
    return data
