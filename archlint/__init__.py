"""archlint: a static architecture linter for neural networks stored as ONNX."""

__version__ = "0.1.0"
