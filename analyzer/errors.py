"""What can go wrong for a user, each error one line that says what to do."""

from __future__ import annotations

from typing import Any


class ArchlintError(Exception):
    """An error that is told to the user in one line, without a traceback."""

    def __reduce__(self) -> tuple[Any, ...]:
        # What Exception would call to make it again takes the parts of the line, not the line.
        return _again, (type(self), self.args, self.__dict__)


def _again(kind: type[ArchlintError], args: tuple[Any, ...], held: dict[str, Any]) -> ArchlintError:
    """An error as it was in another process."""
    error = kind.__new__(kind, *args)
    error.__dict__.update(held)
    return error


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


class ModelWriteError(ModelError):
    """A model cannot be written to this path."""


class InvalidGraphError(ModelError):
    """The file is ONNX, but its nodes make no graph: a cycle, or a value produced twice."""


class TimingError(ModelError):
    """A model, or a part of one, cannot be timed."""


class RuleError(ArchlintError):
    """A rule crashed; it is reported and the run goes on."""

    def __init__(self, code: str, path: str, why: str) -> None:
        super().__init__(f"{path}: rule {code} failed: {why}; please report it")
        self.code = code
