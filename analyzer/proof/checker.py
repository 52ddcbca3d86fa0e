"""Jobs of the child process: what onnx's own checker says of a file."""

from __future__ import annotations

_INFERRED = "inferred.onnx"
MOST_INFERRED = 1 << 30  # bytes of a file of which a copy is written


def check(path: str, infer: bool) -> None:
    """Raises what the checker or, if asked for, strict shape inference finds wrong."""
    import onnx

    onnx.checker.check_model(path, full_check=False)
    if infer:
        onnx.shape_inference.infer_shapes_path(
            path, _INFERRED, check_type=True, strict_mode=True, data_prop=False
        )
