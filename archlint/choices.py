"""What the options of the command line can be."""

from __future__ import annotations

from enum import StrEnum


class Format(StrEnum):
    """How findings are written."""

    FULL = "full"
    CONCISE = "concise"
    GROUPED = "grouped"
    JSON = "json"
    JSON_LINES = "json-lines"
    SARIF = "sarif"
    GITHUB = "github"
    GITLAB = "gitlab"
    JUNIT = "junit"
    CHECKSTYLE = "checkstyle"
    RDJSON = "rdjson"
    AZURE = "azure"
    MARKDOWN = "markdown"
    CSV = "csv"
    HTML = "html"


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
    FIX = "fix"
    CONFIG = "config"


class Assets(StrEnum):
    """Where the style and the script of an HTML report are."""

    INLINE = "inline"
    EXTERNAL = "external"


class PlotKind(StrEnum):
    """Pictures of what a model costs."""

    COST_MAP = "cost-map"
    DEPTH = "depth"
    ROOFLINE = "roofline"


class AnchorChoice(StrEnum):
    """Which line of text a finding is told at; ``auto`` is the first of the others there is."""

    AUTO = "auto"
    SOURCE = "source"
    SNAPSHOT = "snapshot"
    MODEL = "model"


class OnPointer(StrEnum):
    """What is done with a Git LFS pointer whose file is not there."""

    ERROR = "error"
    SNAPSHOT = "snapshot"
    SKIP = "skip"


class DiffFormat(StrEnum):
    """How the difference of two models is written."""

    TEXT = "text"
    JSON = "json"
    MARKDOWN = "markdown"
