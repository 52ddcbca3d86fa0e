"""The JSON Schema of configuration files, from the settings and the options of the rules."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from archlint import __version__
from archlint.analyzer.reader.source import STANDARD_INPUT
from archlint.analyzer.text import to_json
from archlint.configuration import configure
from archlint.reading import KINDS, plain
from archlint.remarks import REMARKS
from archlint.rule_kinds import (
    OPTIONS_SCHEMA,
    SELECTOR_SCHEMA,
    options_schema,
    rule_schema,
    selector_schema,
)
from archlint.settings import FIELDS, Settings


def schema() -> str:
    """The schema of ``archlint.toml``, and of the table ``tool.archlint`` of a pyproject.toml.

    It has the options of the rules that are known in the working directory.
    """
    rules = configure().rules(STANDARD_INPUT)
    defaults = Settings()
    return to_json(
        {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "title": f"Configuration of archlint {__version__}",
            "type": "object",
            "properties": {key: _setting(key, defaults) for key in FIELDS},
            "additionalProperties": False,
            "$defs": {
                SELECTOR_SCHEMA: selector_schema((*rules, *REMARKS)),
                OPTIONS_SCHEMA: options_schema(rules),
                **{rule.code: rule_schema(rule) for rule in rules},
            },
        }
    )


def _setting(key: str, defaults: Settings) -> Mapping[str, Any]:
    entry = FIELDS[key]
    default = getattr(defaults, entry.name)
    held = {} if default is None else {"default": plain(default)}
    return {"description": entry.metadata["help"], **KINDS[key].schema(), **held}
