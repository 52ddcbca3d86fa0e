"""From a path to a Model: recognise what the file is, and read its structure without its
weights."""

from __future__ import annotations

import os

from google.protobuf.message import DecodeError
from onnx import ModelProto

from archlint.analyzer.errors import ModelReadError
from archlint.analyzer.reader.diagnosis import diagnose
from archlint.analyzer.reader.inspection import inspect
from archlint.analyzer.reader.model import IGNORE_KEY, Model
from archlint.analyzer.reader.source import STANDARD_INPUT, opened
from archlint.analyzer.reader.strings import parse
from archlint.analyzer.reader.structure import Payload, skim
from archlint.analyzer.reader.tensors import TooLargeError
from archlint.analyzer.reader.wire import WireError

__all__ = ["STANDARD_INPUT", "Model", "read"]


def read(path: str) -> Model:
    """Read the structure of the ONNX file at ``path``, or of standard input where it is ``-``.

    What is wrong with its tensors is in ``problems``. Raises ModelReadError.
    """
    with opened(path) as descriptor:
        proto, payloads, may_ignore = _parsed(path, descriptor)
        size = os.fstat(descriptor).st_size
    try:
        problems, external_bytes = inspect(path, proto, payloads)
    except TooLargeError as error:
        raise ModelReadError(path, error.reason) from error
    return Model(path, proto, size, problems, payloads, external_bytes, may_ignore)


def _parsed(path: str, descriptor: int) -> tuple[ModelProto, tuple[Payload, ...], bool]:
    """The structure, where the payloads are, and whether it may speak of ignored findings."""
    try:
        skimmed = skim(descriptor)
        proto = parse(skimmed.content)
    except WireError as error:
        raise ModelReadError(path, error.reason) from error
    except DecodeError as error:
        raise ModelReadError(path, diagnose(descriptor).reason) from error
    if not proto.HasField("graph"):
        raise ModelReadError(path, "is no ONNX model: it holds no graph; export it again")
    return proto, skimmed.payloads, IGNORE_KEY.encode() in skimmed.content
