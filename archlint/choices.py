"""What the options of the command line can be."""

from __future__ import annotations

from enum import StrEnum


class Format(StrEnum):
    """How findings are written."""

    FULL = "full"
    CONCISE = "concise"
    JSON = "json"


class TableFormat(StrEnum):
    """How a cost table is written."""

    TABLE = "table"
    JSON = "json"


class TextFormat(StrEnum):
    """How settings are written."""

    TEXT = "text"
    JSON = "json"


class RuleFormat(StrEnum):
    """How a rule is explained."""

    TEXT = "text"
    JSON = "json"
    MARKDOWN = "markdown"


class FailOn(StrEnum):
    """The lowest severity that makes the run fail."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"
    NEVER = "never"


class SchemaName(StrEnum):
    """Documents that have a JSON Schema."""

    REPORT = "report"
    TIME = "time"
    CONFIG = "config"
