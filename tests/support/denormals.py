"""Sessions within the test's process, which other tests share."""

from __future__ import annotations

from functools import cache

import numpy as np


@cache
def keep_denormals() -> None:
    """Make a session that asks for nothing: the first one of a process decides whether its thread
    takes denormal numbers for zero from then on, and the harness asks for that."""
    import onnxruntime
    from onnx import helper

    value = helper.make_tensor_value_info("x", 1, [1]), helper.make_tensor_value_info("y", 1, [1])
    graph = helper.make_graph([helper.make_node("Relu", ["x"], ["y"])], "g", [value[0]], [value[1]])
    model = helper.make_model(graph, ir_version=8, opset_imports=[helper.make_opsetid("", 17)])
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    session.run(None, {"x": np.ones(1, np.float32)})
