"""The published JSON Schema of a verdict, and what in a text breaks it.

jsonschema is not needed to read a verdict: the few keywords that this one schema uses
are checked here, and a test holds the two against one another.
"""

from __future__ import annotations

import json
import math
from importlib.resources import files
from typing import Any, Callable, Dict, Iterator, Mapping

_TYPES: Dict[str, Callable[[Any], bool]] = {
    "null": lambda value: value is None,
    "boolean": lambda value: isinstance(value, bool),
    "string": lambda value: isinstance(value, str),
    "array": lambda value: isinstance(value, list),
    "object": lambda value: isinstance(value, Mapping),
    "number": lambda value: _is_number(value),
    "integer": lambda value: _is_number(value) and value == value // 1,
}


def load_schema() -> Dict[str, Any]:
    """The JSON Schema (draft 2020-12) of a verdict, as a new dictionary."""
    text = (files("pytest_mlops.reporting") / "verdict.schema.json").read_text("utf-8")
    schema: Dict[str, Any] = json.loads(text)
    return schema


def problems(verdict: Any) -> Iterator[str]:
    """What of parsed JSON breaks the schema, a line each; none for a verdict.

    A line names the place: ``checks[3].outcome is missing``.
    """
    schema = load_schema()
    return _problems(verdict, schema, schema, "the verdict")


def _problems(
    value: Any, schema: Mapping[str, Any], root: Mapping[str, Any], place: str
) -> Iterator[str]:
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        yield from _problems(value, root["$defs"][name], root, place)
    fault = _fault(value, schema)
    if fault:
        yield f"{place} {fault}"
    elif isinstance(value, Mapping):
        yield from _in_object(value, schema, root, place)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            inner = f"{place}[{index}]"
            yield from _problems(item, schema.get("items", {}), root, inner)


def _fault(value: Any, schema: Mapping[str, Any]) -> str:
    allowed = schema.get("type", ())
    allowed = [allowed] if isinstance(allowed, str) else allowed
    if allowed and not any(_TYPES[name](value) for name in allowed):
        return f"must be {_either(allowed)}, not {_shown(value)}"
    if "const" in schema and value != schema["const"]:
        return f"must be {_shown(schema['const'])}, not {_shown(value)}"
    if "enum" in schema and value not in schema["enum"]:
        return f"must be {_either(schema['enum'])}, not {_shown(value)}"
    if isinstance(value, list) and "minItems" in schema:
        if not schema["minItems"] <= len(value) <= schema["maxItems"]:
            return f"must have {schema['minItems']} items, not {len(value)}"
    return ""


def _in_object(
    value: Mapping[str, Any],
    schema: Mapping[str, Any],
    root: Mapping[str, Any],
    place: str,
) -> Iterator[str]:
    inside = "" if place == "the verdict" else f"{place}."
    for key in schema.get("required", ()):
        if key not in value:
            yield f"{inside}{key} is missing"
    described = schema.get("properties", {})
    others = schema.get("additionalProperties", {})
    for key, item in value.items():
        yield from _problems(item, described.get(key, others), root, f"{inside}{key}")


def _is_number(value: Any) -> bool:
    whole = isinstance(value, int) and not isinstance(value, bool)
    return whole or (isinstance(value, float) and math.isfinite(value))


def _either(words: Any) -> str:
    return " or ".join(str(word) for word in words)


def _shown(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else f"{text[:57]}..."
