"""The execution providers that onnxruntime or a package beside it can bring."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

SUFFIX = "ExecutionProvider"


class Way(StrEnum):
    """How a package brings a provider."""

    REPLACES = "replaces onnxruntime"  # its files are those of onnxruntime
    PLUGIN = "beside onnxruntime"
    BUILD = "a build of onnxruntime"  # no package of PyPI has it


@dataclass(frozen=True, slots=True)
class Known:
    """A provider: its short names, onnxruntime's name, and what timing must know of it.

    ``device`` is where inputs and outputs can be bound, as onnxruntime's Python names it. A
    provider that ``compiles`` runs a sub-graph as one kernel: its nodes have no times. ``options``
    are those without which two times are not of the same work, with ``{threads}`` for their number;
    ``plugin_options`` stand in their place where the provider comes from a plugin with others.
    ``host`` providers compute on the CPU, where CPU time tells what they take; those of several
    devices do so where the option of ``host_by`` has its value. ``package`` brings the provider in
    its ``way``, on some ``systems`` only (as sys.platform names them) unless there are none;
    ``module`` is a plugin's, which knows where its library is. ``remark`` is what must be said of
    its numbers.
    """

    full_name: str
    names: tuple[str, ...]
    device: str = "cpu"
    compiles: bool = False
    host: bool = False
    host_by: tuple[str, str] | None = None
    options: Mapping[str, str] = field(default_factory=dict)
    plugin_options: Mapping[str, str] | None = None
    package: str | None = None
    way: Way = Way.BUILD
    systems: tuple[str, ...] = ()
    module: str | None = None
    remark: str = ""


# Options: onnxruntime.ai/docs/execution-providers. TF32 keeps 10 of the 23 bits of a float's
# fraction and is on by default; the exhaustive search of cuDNN's algorithms is in the warm-up.
_CUDA = {"use_tf32": "0", "cudnn_conv_algo_search": "EXHAUSTIVE"}
_TF32 = "products in TF32 where TensorRT chooses so"
# OpenVINO's plugin takes its properties as JSON: docs.openvino.ai, "Configurations for Intel Device
# Plugins". By default it computes in bfloat16 where the processor can.
_LOAD_CONFIG = '{"CPU": {"INFERENCE_NUM_THREADS": {threads}, "INFERENCE_PRECISION_HINT": "f32"}}'
_NO_APPLE = ("linux", "win32")
_GPU = "onnxruntime-gpu[cuda,cudnn]"

KNOWN = (
    Known("CPUExecutionProvider", ("cpu",), host=True, package="onnxruntime", way=Way.REPLACES),
    Known(
        "CUDAExecutionProvider", ("cuda",), "cuda",
        options=_CUDA, package=_GPU, way=Way.REPLACES, systems=_NO_APPLE,
    ),
    Known(
        "TensorrtExecutionProvider", ("tensorrt", "trt"), "cuda",
        compiles=True, remark=_TF32, package=_GPU, way=Way.REPLACES, systems=_NO_APPLE,
    ),
    Known(
        "NvTensorRTRTXExecutionProvider", ("trt-rtx", "nvtensorrtrtx", "tensorrt-rtx"),
        compiles=True, remark=_TF32,
        package="onnxruntime-ep-nv-tensorrt-rtx", way=Way.PLUGIN, systems=_NO_APPLE,
        module="onnxruntime_ep_nv_tensorrt_rtx",
    ),
    Known(
        "OpenVINOExecutionProvider", ("openvino", "ov"),
        compiles=True, host_by=("device_type", "CPU"),
        options={"device_type": "CPU", "precision": "FP32", "num_of_threads": "{threads}"},
        plugin_options={"device_type": "CPU", "load_config": _LOAD_CONFIG},
        package="onnxruntime-openvino", way=Way.REPLACES, systems=_NO_APPLE,
        module="onnxruntime_ep_openvino",
    ),
    Known(
        "DmlExecutionProvider", ("dml", "directml"), "dml",
        compiles=True, package="onnxruntime-directml", way=Way.REPLACES, systems=("win32",),
    ),
    Known(
        "CoreMLExecutionProvider", ("coreml",),
        compiles=True, remark="may compute in float16",
        package="onnxruntime", way=Way.REPLACES, systems=("darwin",),
    ),
    Known(
        "ROCMExecutionProvider", ("rocm",),
        package="onnxruntime-rocm", way=Way.REPLACES, systems=("linux",),
    ),
    Known(
        "MIGraphXExecutionProvider", ("migraphx",),
        compiles=True, package="onnxruntime-migraphx", way=Way.REPLACES, systems=("linux",),
    ),
    Known(
        "XnnpackExecutionProvider", ("xnnpack",),
        host=True, options={"intra_op_num_threads": "{threads}"},
    ),
    Known("DnnlExecutionProvider", ("dnnl", "onednn"), compiles=True, host=True),
    Known("ACLExecutionProvider", ("acl",), host=True),
    Known("ArmNNExecutionProvider", ("armnn",), host=True),
    Known(
        "QNNExecutionProvider", ("qnn",),
        compiles=True, package="onnxruntime-qnn", way=Way.PLUGIN, module="onnxruntime_qnn",
    ),
    Known("NnapiExecutionProvider", ("nnapi",), compiles=True),
    Known("VitisAIExecutionProvider", ("vitisai",), compiles=True),
    Known("VSINPUExecutionProvider", ("vsinpu",), compiles=True),
    Known("RknpuExecutionProvider", ("rknpu",), compiles=True),
    Known(
        "CANNExecutionProvider", ("cann",), "cann",
        compiles=True, package="onnxruntime-cann", way=Way.REPLACES, systems=("linux",),
    ),
    Known(
        "WebGpuExecutionProvider", ("webgpu",),
        package="onnxruntime-ep-webgpu", way=Way.PLUGIN, module="onnxruntime_ep_webgpu",
    ),
    Known("WebNNExecutionProvider", ("webnn",), compiles=True),
    Known("JsExecutionProvider", ("js",)),
    Known("AzureExecutionProvider", ("azure",)),
    Known(
        "ggml", ("ggml",),
        compiles=True, host_by=("device", "cpu"),
        options={"device": "cpu", "weights": "f32", "threads": "{threads}"},
        package="onnxruntime-ggml", way=Way.PLUGIN, module="onnxruntime_ggml",
    ),
    Known(
        "MLXExecutionProvider", ("mlx",),
        compiles=True, package="onnxruntime-ep-mlx", way=Way.PLUGIN, systems=("darwin",),
        module="onnxruntime_ep_mlx",
    ),
)  # fmt: skip


def find(name: str) -> Known | None:
    """The provider of a name, short or onnxruntime's, whatever its case and hyphens."""
    wanted = _plain(name)
    for known in KNOWN:
        if wanted in (_plain(known.full_name), *map(_plain, known.names)):
            return known
    return None


def _plain(name: str) -> str:
    return name.lower().replace("-", "").replace("_", "").removesuffix(SUFFIX.lower())
