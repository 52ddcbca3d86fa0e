"""Jobs of the child process: what onnxruntime is asked to do with a model."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

_MOST_EVENTS = 900_000  # onnxruntime's profiler drops what follows its millionth
_FATAL = 4  # of the severities of onnxruntime's log


def execute(model: str, folder: str, inputs: Sequence[Mapping[str, Any]], output: str) -> list[Any]:
    """The kernels of a single run, as written: no node is fused, folded or left out.

    ``folder`` is where the model's external data lie. All kernels run, whatever is asked for;
    ``output`` is all that is returned as an array, as Python has none for some types. A kernel is
    the name of its node, its operator, and the shapes of those of its inputs and outputs that are
    tensors.
    """
    import onnxruntime

    from archlint.analyzer.runtime.arrays import arrays

    options = as_written(folder)
    options.enable_profiling = True
    options.profile_file_prefix = "profile"
    # A weight that a kernel packs for itself is gone, and with it its shape.
    options.add_session_config_entry("session.disable_prepacking", "1")
    with open(model, "rb") as stream:
        session = onnxruntime.InferenceSession(
            stream.read(), options, providers=["CPUExecutionProvider"]
        )
    session.run([output], arrays(inputs))
    return _kernels(session.end_profiling())


def as_written(folder: str) -> Any:
    """Options of a session on one thread of the CPU that leaves the graph as it is; ``folder`` is
    where the external data are."""
    import onnxruntime

    onnxruntime.set_default_logger_severity(_FATAL)
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.log_severity_level = _FATAL
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.enable_cpu_mem_arena = False  # it takes memory in powers of two
    options.enable_mem_pattern = False
    options.add_session_config_entry("session.model_external_initializers_file_folder_path", folder)
    return options


def _kernels(profile: str) -> list[Any]:
    try:
        with open(profile, encoding="utf-8", errors="replace") as stream:
            events = json.load(stream)
    except ValueError as error:  # cut where a file may not grow any more
        raise RuntimeError("it runs more kernels than can be recorded") from error
    if len(events) > _MOST_EVENTS:
        raise RuntimeError(f"it runs more than {_MOST_EVENTS:,} kernels, which is not recorded")
    return [
        [
            event["name"].removesuffix("_kernel_time"),
            event["args"]["op_name"],
            _shapes(event["args"]["input_type_shape"]),
            _shapes(event["args"]["output_type_shape"]),
        ]
        for event in events
        if event["cat"] == "Node" and event["name"].endswith("_kernel_time")
    ]


def _shapes(entries: Sequence[Mapping[str, list[int]]]) -> list[list[int]]:
    return [shape for entry in entries for shape in entry.values()]
