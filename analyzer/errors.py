"""What can go wrong for a user, each error one line that says what to do."""

from __future__ import annotations


class ArchlintError(Exception):
    """An error that is told to the user in one line, without a traceback."""


class ConfigError(ArchlintError, ValueError):
    """A setting from the command line cannot be used."""

    def __init__(self, source: str, why: str) -> None:
        super().__init__(f"{source}: {why}")
        self.source = source
        self.why = why


class ModelError(ArchlintError):
    """A model cannot be analysed."""

    def __init__(self, path: str, why: str) -> None:
        super().__init__(f"{path}: {why}")
        self.path = path
        self.why = why


class ModelReadError(ModelError):
    """The file is missing, unreadable or no ONNX model."""


class InvalidGraphError(ModelError):
    """The file is ONNX, but its nodes make no graph: a cycle, or a value produced twice."""


class TimingError(ModelError):
    """A model, or a part of one, cannot be timed."""


class RuleError(ArchlintError):
    """A rule crashed; it is reported and the run goes on."""

    def __init__(self, code: str, path: str, why: str) -> None:
        super().__init__(f"{path}: rule {code} failed: {why}; please report it")
        self.code = code
