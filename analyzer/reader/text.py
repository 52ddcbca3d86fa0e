"""Models written as ONNX text: the cases of the rules and the tests are."""

from __future__ import annotations

from onnx import parser

from archlint.analyzer.builder import IR_VERSION, OPSET
from archlint.analyzer.reader import Model
from archlint.analyzer.reader.inspection import inspect

_PATH = "text"


def from_text(text: str, opset: int = OPSET) -> Model:
    """The model of a graph in ONNX's textual syntax, with or without a model header.

    A value that is declared (``<float[8, 4, 3, 3] w>``) but made by nothing is a weight without
    data.
    """
    if not text.lstrip().startswith("<"):
        text = f'<ir_version: {IR_VERSION}, opset_import: ["" : {opset}]>\n{text}'
    proto = parser.parse_model(text)
    problems, _ = inspect(_PATH, proto, ())
    return Model(_PATH, proto, 0, problems)
