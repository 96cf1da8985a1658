"""The JSON Schema of a scenario, made from the specs themselves: one definition per struct and per group of kinds.

msgspec's own generator cannot write defaults of types that are not its own (a Duration), so the few type forms that
specs use are turned into schemas here, from msgspec's public description of types.
"""

from collections.abc import Mapping
from functools import singledispatchmethod
from pathlib import Path
from typing import Any

from msgspec import NODEFAULT, inspect

from simulator.actor import Latency
from simulator.errors import ScenarioError
from simulator.plugins import Kind, installed, load
from simulator.reading.bounds import Count, StartMoment
from simulator.reading.expect import Expectation
from simulator.reading.key_texts import key_texts
from simulator.reading.length import AfterParty, Answered, Length
from simulator.reading.outcomes import OUTCOMES, ExpectedOutcome
from simulator.recipe import Recipe
from simulator.scenario import Scenario
from simulator.speaking.saying import PARTS
from simulator.spec import Duration, Written, encode
from simulator.sweep.dimension import Dimension
from simulator.sweep.sweep import Sweep, SweepKeys

Schema = dict[str, Any]

DURATION: Schema = {
    "type": "string", "pattern": r"^\s*\d+(\.\d+)?\s*(ms|s|min|h)\s*$", "examples": ["1.5s", "300ms"],
}  # fmt: skip


WITHIN_MS: Schema = {"type": "number", "description": "`within` as a number of milliseconds"}
METRIC_EXPECTATION: Schema = {
    "type": "object",
    "properties": {
        "metric": {"type": "string", "description": "`<metric> <op> <number> [with confidence <c>]`"},
        "inform": {"type": "boolean", "description": "whether it is only told, and never fails a run"},
        "within": {
            "type": "array", "items": {"type": "number"}, "minItems": 2, "maxItems": 2,
            "description": "between which numbers the metric's values lie, for a mean with a confidence",
        },
    },
    "required": ["metric"],
    "additionalProperties": False,
}  # fmt: skip
TAG = "which kind this is"
COUNT: Schema = {"anyOf": [{"type": "integer", "minimum": 0}, {"type": "string", "examples": [">= 3"]}]}
MOMENT: Schema = {"type": "string", "examples": ["turn 2", "call look_up", "10s"]}


def scenario_schema() -> Schema:
    """Give the schema (draft 2020-12) that editors complete scenario files from."""
    writer = _Writer()
    roots = [writer.of(inspect.type_info(kind)) for kind in (Scenario, Recipe)]
    writer.definitions[f"{Scenario.__module__}.{Scenario.__qualname__}"]["required"].remove(
        "user"
    )  # a dataset brings it
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "duplex-simulator scenario or recipe",
        "anyOf": roots,
        "$defs": writer.definitions,
    }


class _Writer:
    """Turns types into schemas; structs and groups become definitions, so that they may name each other."""

    def __init__(self) -> None:
        self.definitions: dict[str, Schema] = {}

    @singledispatchmethod
    def of(self, kind: inspect.Type) -> Schema:
        """Give the schema of a type."""
        names = {
            inspect.StrType: "string",
            inspect.IntType: "integer",
            inspect.FloatType: "number",
            inspect.BoolType: "boolean",
            inspect.NoneType: "null",
        }
        name = names.get(type(kind))
        return {"type": name} if name else {}

    @of.register
    def _(self, kind: inspect.Metadata) -> Schema:
        return self.of(kind.type)

    @of.register
    def _(self, kind: inspect.LiteralType) -> Schema:
        return {"enum": list(kind.values)}

    @of.register
    def _(self, kind: inspect.ListType) -> Schema:
        return {"type": "array", "items": self.of(kind.item_type)}

    @of.register
    def _(self, kind: inspect.VarTupleType) -> Schema:
        return {"type": "array", "items": self.of(kind.item_type)}

    @of.register
    def _(self, kind: inspect.DictType) -> Schema:
        return {"type": "object", "additionalProperties": self.of(kind.value_type)}

    @of.register
    def _(self, kind: inspect.UnionType) -> Schema:
        return {"anyOf": [self.of(part) for part in kind.types]}

    @of.register
    def _(self, kind: inspect.StructType) -> Schema:
        # Two rooms may have a struct of one name (a Moshi server, a Moshi model): the module belongs to it.
        name = f"{kind.cls.__module__}.{kind.cls.__qualname__}"
        if name not in self.definitions:
            self.definitions[name] = {}  # taken before its fields are looked at: a struct may hold itself
            self.definitions[name] = self._struct(kind)
        return {"$ref": f"#/$defs/{name}"}

    @of.register
    def _(self, kind: inspect.CustomType) -> Schema:
        own = kind.cls
        if isinstance(own, type) and issubclass(own, Kind):
            return self._group(own)
        if isinstance(own, type) and issubclass(own, Written):
            return {"anyOf": [{"type": "string"}, self.of(inspect.type_info(own.struct))]}
        if own.__name__ == "SayPart":
            return {"anyOf": [{"type": "string"}, *(self.of(inspect.type_info(form)) for form in PARTS.values())]}
        if own is Length:
            return {"anyOf": [DURATION, *(self.of(inspect.type_info(form)) for form in (AfterParty, Answered))]}
        if own is Sweep:
            keys: Schema = self.of(inspect.type_info(SweepKeys))
            dimension = self.of(inspect.type_info(Dimension))
            properties = self.definitions[keys["$ref"].removeprefix("#/$defs/")]["properties"]
            return {"type": "object", "properties": properties, "additionalProperties": dimension}
        if own is Latency:
            return {"anyOf": [{"enum": ["free", "measured"]}, DURATION]}
        if own is Expectation:
            outcomes = [self._outcome(form) for form in OUTCOMES.values()]
            return {"anyOf": [{"type": "string"}, METRIC_EXPECTATION, *outcomes]}
        forms: Mapping[str, type] | None = getattr(own, "forms", None)
        if forms is not None:
            return self._without_plugins(forms, getattr(own, "usual", ""))
        plain = {Duration: DURATION, Path: {"type": "string", "minLength": 1}, Count: COUNT, StartMoment: MOMENT}
        return plain.get(own, {})

    def _without_plugins(self, forms: Mapping[str, type], usual: str) -> Schema:
        """Kinds that are no plugins, by name; the usual one needs no kind."""
        kinds = [self.of(inspect.type_info(form)) for form in forms.values()]
        bare = [_kindless(self.definitions, kind) for name, kind in zip(forms, kinds, strict=True) if name == usual]
        return {"anyOf": [*kinds, *bare, {"enum": list(forms)}]}

    def _outcome(self, form: type[ExpectedOutcome]) -> Schema:
        """An outcome, and the words that other tools have for its keys."""
        self.of(inspect.type_info(form))
        properties = self.definitions[f"{form.__module__}.{form.__qualname__}"]["properties"]
        aliases: Schema = {"within_ms": WITHIN_MS} if "within" in properties else {}
        properties |= aliases | ({"args": properties["with"]} if "with" in properties else {})
        return self.of(inspect.type_info(form))

    def _struct(self, kind: inspect.StructType) -> Schema:
        texts = key_texts(kind.cls)
        properties = {field.encode_name: self._field(field, texts.get(field.encode_name)) for field in kind.fields}
        required = [field.encode_name for field in kind.fields if field.required]
        if kind.tag_field:
            # Needed where several kinds may stand; where only this one may, it goes without saying.
            properties = {kind.tag_field: {"const": kind.tag, "description": TAG}, **properties}
        text = (kind.cls.__doc__ or "").strip().split("\n\n")[0]
        return {
            "type": "object",
            "description": " ".join(text.split()),
            "properties": properties,
            "required": required,
            "additionalProperties": not kind.forbid_unknown_fields,
        }

    def _field(self, field: inspect.Field, text: str | None) -> Schema:
        schema = self.of(field.type)
        if text is not None:
            schema = {**schema, "description": text}
        if field.default is NODEFAULT or field.default is None:
            return schema
        return {**schema, "default": encode(field.default)}

    def _group(self, marker: type[Kind]) -> Schema:
        group = marker.group
        if group not in self.definitions:
            self.definitions[group] = {}
            kinds: list[Schema] = []
            names: list[str] = []
            for name in installed(group):
                try:
                    kinds.append({**self.of(inspect.type_info(load(group, name))), "required": ["kind"]})
                except ScenarioError:
                    continue
                names.append(name)
            short: list[Schema] = [{"type": "string"} if marker.any_word else {"enum": names}]
            if marker.any_list:
                short.append({"type": "array", "items": {"$ref": f"#/$defs/{group}"}, "minItems": 2})
            plain = [_own_world(self.definitions, kinds[names.index("tools")])] if group == "worlds" else []
            self.definitions[group] = {"anyOf": [*kinds, *plain, *short]}
        return {"$ref": f"#/$defs/{group}"}


def _kindless(definitions: dict[str, Schema], kind: Schema) -> Schema:
    """A kind that is meant where none is named."""
    form = definitions[kind["$ref"].removeprefix("#/$defs/")]
    properties = {name: part for name, part in form["properties"].items() if name != "kind"}
    return {**form, "properties": properties, "required": [name for name in form["required"] if name != "kind"]}


def _own_world(definitions: dict[str, Schema], kind: Schema) -> Schema:
    """A scenario's own world, which needs no kind; with or without it its state may be a file's name."""
    properties = definitions[kind["$ref"].removeprefix("#/$defs/")]["properties"]
    told = properties["state"].pop("description", "")
    properties["state"] = {"anyOf": [properties["state"], {"type": "string"}], "description": told}
    return _kindless(definitions, kind)
