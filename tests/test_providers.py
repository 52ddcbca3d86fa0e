"""Execution providers: how they are named, what they are tried with, and what is told of them."""

from __future__ import annotations

import importlib
import json
import sys
import weakref
from dataclasses import replace
from types import ModuleType, SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
import onnxruntime
import pytest

from archlint.analyzer.errors import ConfigError
from archlint.analyzer.report.providers import as_json, render
from archlint.analyzer.runtime.child import Done, Failure, Kind
from archlint.analyzer.text import Paint
from archlint.analyzer.timing import inventory, plugins, probing, providers
from archlint.analyzer.timing.harness import Runner
from archlint.analyzer.timing.inventory import (
    Inventory,
    Runtime,
    Standing,
    State,
    require,
    standing,
)
from archlint.analyzer.timing.known import KNOWN, find
from archlint.analyzer.timing.prediction.cache import Stored
from archlint.analyzer.timing.providers import Provider, parse_providers
from archlint.analyzer.timing.remedies import Remedy, to_install, to_load

if TYPE_CHECKING:
    from pathlib import Path

    from command_line import Run

RUNTIME = Runtime("1.31.1", "Release", ("onnxruntime",), ("CPUExecutionProvider",), driver=False)
HONEST = {"use_tf32": "0", "cudnn_conv_algo_search": "EXHAUSTIVE"}


@pytest.fixture(autouse=True)
def no_plugins(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever plugins are installed where the tests run."""
    monkeypatch.setattr(providers, "find_spec", lambda _name: None)
    monkeypatch.setattr(inventory, "find_spec", lambda _name: None)


def one(text: str) -> Provider:
    (provider,) = parse_providers([text])
    return provider


@pytest.mark.parametrize(
    ("texts", "names"),
    [
        ([], ["cpu"]),
        (["cpu,cuda"], ["cpu", "cuda"]),
        (["cpu", "trt"], ["cpu", "tensorrt"]),
        (["CPUExecutionProvider"], ["cpu"]),
        (["OpenVINO"], ["openvino"]),
        (["NvTensorRTRTX"], ["trt-rtx"]),
        (["cuda", "cuda:use_tf32=1"], ["cuda", "cuda:use_tf32=1"]),
        (["cuda:device_id=1;use_tf32=0"], ["cuda:device_id=1"]),
        (["ov:device_type=AUTO:GPU,CPU"], ["openvino:device_type=AUTO:GPU,CPU"]),
    ],
)
def test_names(texts: list[str], names: list[str]) -> None:
    assert [provider.label for provider in parse_providers(texts)] == names


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("cdua", "there is no execution provider 'cdua'; did you mean 'cuda'?"),
        ("zzz", "there is no execution provider 'zzz'; there are cpu, cuda, tensorrt, "),
        ("", "there is no execution provider ''; there are cpu, "),
        ("cuda:fast", "write options as name:key=value;key=value"),
        ("cuda:a=1;b", "'b' is no option: write it as key=value"),
        ("cuda:a=1;a=2", "the option 'a' is given twice"),
        ("cpu,cuda:a=1", "options are given to one provider at a time; repeat --ep"),
        ("mine=/no/such.so", "there is no library /no/such.so"),
        ("=/no/such.so", "write it as NAME=LIBRARY, with the provider's name"),
        ("cpu,CPU", "is given twice"),
    ],
)
def test_wrong_names(text: str, why: str) -> None:
    with pytest.raises(ConfigError) as error:
        parse_providers([text])
    assert error.value.source.startswith("--ep")
    assert error.value.why.startswith(why)


@pytest.mark.parametrize(
    ("text", "device", "host", "compiles", "options"),
    [
        ("cpu", "cpu", True, False, {}),
        ("cuda", "cuda", False, False, HONEST),
        ("cuda:device_id=2", "cuda:2", False, False, {**HONEST, "device_id": "2"}),
        ("cuda:use_tf32=1", "cuda", False, False, {**HONEST, "use_tf32": "1"}),
        ("openvino", "cpu", True, True,
         {"device_type": "CPU", "precision": "FP32", "num_of_threads": "3"}),
        ("openvino:device_type=GPU;precision=FP16;num_of_threads=8", "cpu", False, True,
         {"device_type": "GPU", "precision": "FP16", "num_of_threads": "8"}),
        ("xnnpack", "cpu", True, False, {"intra_op_num_threads": "3"}),
        ("webgpu", "cpu", False, False, {}),
    ],
)  # fmt: skip
def test_what_a_session_gets(
    text: str, device: str, host: bool, compiles: bool, options: dict[str, str]
) -> None:
    provider = one(text)
    setup = provider.setup(threads=3, fallback=False, synthetic=True)
    assert (provider.host, provider.compiles) == (host, compiles)
    assert (setup.device, setup.options, setup.threads) == (device, options, 3)
    assert (setup.fallback, setup.synthetic, setup.library) == (False, True, None)


def test_a_plugin_that_is_installed_stands_in(monkeypatch: pytest.MonkeyPatch) -> None:
    """OpenVINO's has other options than the build of onnxruntime: its threads are in a JSON."""
    monkeypatch.setattr(providers, "find_spec", lambda name: name == "onnxruntime_ep_openvino")
    setup = one("openvino").setup(threads=2)
    assert setup.library == "onnxruntime_ep_openvino"
    config = json.loads(setup.options["load_config"])
    assert config == {"CPU": {"INFERENCE_NUM_THREADS": 2, "INFERENCE_PRECISION_HINT": "f32"}}
    assert one("openvino").host


def test_a_library_brings_any_provider(tmp_path: Path) -> None:
    library = tmp_path / "a:b.so"
    library.touch()
    plugin = one(f"mine={library}:device_type=CPU;ep.fast=1")
    assert (plugin.full_name, plugin.library) == ("mine", str(library))
    assert plugin.options == {"device_type": "CPU", "ep.fast": "1"}
    assert (plugin.host, plugin.compiles) == (True, True)  # nobody knows that it does not
    assert not one(f"mine={library}").host
    assert one(f"cuda={library}").device == "cuda"


def test_what_is_said_beside_times() -> None:
    assert one("cpu").notes == ()
    assert one("cuda").notes == ("cudnn_conv_algo_search=EXHAUSTIVE", "use_tf32=0")
    assert one("openvino").notes == ("device_type=CPU", "precision=FP32")
    assert one("webgpu").notes == ("times include copies to the device and back",)
    assert one("cuda").warm_ups >= 10 > one("cpu").warm_ups


def test_every_provider_of_onnxruntime_is_known() -> None:
    assert {known.full_name for known in KNOWN} >= set(onnxruntime.get_all_providers())


def test_no_name_stands_for_two() -> None:
    names = [name for known in KNOWN for name in (known.full_name, *known.names)]
    assert [find(name) for name in names] == [
        known for known in KNOWN for _ in (known.full_name, *known.names)
    ]


# What the loader says of libonnxruntime_providers_cuda.so of onnxruntime-gpu 1.31.1 on a machine
# without a GPU, through ldd and through dlopen.
LDD = """\
\tlinux-vdso.so.1 (0x00007ffc2b5f2000)
\tlibcublasLt.so.13 => not found
\tlibcublas.so.13 => not found
\tlibcurand.so.10 => not found
\tlibcudart.so.13 => /usr/local/cuda-13.0/lib/libcudart.so.13 (0x00007f1447600000)
\tlibcuda.so.1 => not found
\tlibstdc++.so.6 => /lib/x86_64-linux-gnu/libstdc++.so.6 (0x00007f1447200000)
"""
DLOPEN = "libcublasLt.so.13: cannot open shared object file: No such file or directory"


def test_missing_libraries_are_read_off_the_loader() -> None:
    missing = ["libcublasLt.so.13", "libcublas.so.13", "libcurand.so.10", "libcuda.so.1"]
    assert probing._MISSING.findall(LDD) == missing
    assert probing._FIRST_MISSING.findall(DLOPEN) == ["libcublasLt.so.13"]


@pytest.mark.parametrize("ldd", [True, False])
def test_libraries_of_a_library_that_loads(ldd: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """onnxruntime's own module needs none that is missing, or it could not be imported."""
    if not ldd:
        monkeypatch.setattr("shutil.which", lambda _name: None)
    module = importlib.import_module("onnxruntime.capi.onnxruntime_pybind11_state")
    assert probing._missing(str(module.__file__)) == []
    assert probing._missing("/no/such.so") == []


@pytest.mark.parametrize(
    ("provider", "system", "packages", "driver", "commands", "remark"),
    [
        ("cuda", "linux", ["onnxruntime"], True,
         ["pip uninstall -y onnxruntime", "pip install 'onnxruntime-gpu[cuda,cudnn]'"], ""),
        ("cuda", "linux", ["onnxruntime-openvino"], False,
         ["pip uninstall -y onnxruntime-openvino", "pip install 'onnxruntime-gpu[cuda,cudnn]'"],
         "NVIDIA's driver"),
        ("cuda", "darwin", ["onnxruntime"], False, [],
         "onnxruntime-gpu[cuda,cudnn] brings it on Linux and Windows only"),
        ("openvino", "linux", ["onnxruntime"], False,
         ["pip uninstall -y onnxruntime", "pip install onnxruntime-openvino"],
         "beside onnxruntime: pip install onnxruntime-ep-openvino"),
        ("webgpu", "linux", ["onnxruntime"], False, ["pip install onnxruntime-ep-webgpu"], ""),
        ("dml", "linux", ["onnxruntime"], False, [],
         "onnxruntime-directml brings it on Windows only"),
        ("acl", "linux", ["onnxruntime"], False, [], "no package brings it"),
    ],
)  # fmt: skip
def test_how_to_install(
    provider: str, system: str, packages: list[str], driver: bool, commands: list[str],
    remark: str, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(sys, "platform", system)
    known = find(provider)
    assert known is not None
    found = to_install(known, packages, driver=driver)
    assert list(found.commands) == commands
    assert remark in found.remark
    assert bool(remark) == bool(found.remark)


@pytest.mark.parametrize(
    ("missing", "commands", "remark"),
    [
        ([], [], ""),
        (["libcublasLt.so.13", "libcudnn.so.9"], ["pip install 'onnxruntime-gpu[cuda,cudnn]'"], ""),
        (["libcuda.so.1"], [], "NVIDIA's driver"),
        (["libnvinfer.so.10", "libnvonnxparser.so.10"], ["pip install 'tensorrt==10.*'"],
         "LD_LIBRARY_PATH"),
        (["libunknown.so"], [], ""),
    ],
)  # fmt: skip
def test_how_to_load(missing: list[str], commands: list[str], remark: str) -> None:
    found = to_load(find("cuda"), missing, driver=True)
    assert list(found.commands) == commands
    assert remark in found.remark
    assert bool(remark) == bool(found.remark)


def test_the_cpu_takes_all_nodes() -> None:
    """Conv with Relu, and MatMul with Add, in a child process: the profile proves it."""
    found = standing(one("cpu"), inventory.look_up())
    assert (found.state, found.why) == (State.WORKS, "")
    assert set(found.kernels) == {"CPUExecutionProvider"}
    require([one("cpu")])


AZURE = "AzureExecutionProvider"


@pytest.mark.skipif(
    AZURE not in onnxruntime.get_available_providers(), reason=f"this onnxruntime has no {AZURE}"
)
def test_a_provider_that_takes_no_node_is_an_error() -> None:
    """That of Azure only takes operators that call a service."""
    with pytest.raises(ConfigError) as error:
        require([one("azure")])
    assert str(error.value) == f"--ep azure: {AZURE} takes no node of small models (Conv, MatMul)"


CUDA = "CUDAExecutionProvider"
CPU = "CPUExecutionProvider"


def tried(kernels: dict[str, int], why: str = "") -> dict[str, Any]:
    return {"kernels": kernels, "copies": 0, "why": why}


@pytest.mark.parametrize(
    ("conv", "matmul", "missing", "state", "why"),
    [
        (tried({CUDA: 2}), tried({CUDA: 2}), [], State.WORKS, ""),
        (tried({CUDA: 1, CPU: 1}), tried({CUDA: 2}), [], State.PARTLY, ""),
        (tried({}, "[ONNXRuntimeError] : 1 : FAIL : no"), tried({CUDA: 2}), [], State.PARTLY,
         "Conv: no"),
        (tried({CPU: 2}), tried({CPU: 2}), [], State.FALLS_BACK,
         f"{CUDA} takes no node of small models (Conv, MatMul)"),
        (tried({}, "a"), tried({}, "a"), [], State.FAILS, "a"),
        (tried({}, "a"), tried({}, "b"), [], State.FAILS, "Conv: a"),
        (tried({}, "a"), tried({}, "a"), ["libcuda.so.1"], State.FAILS,
         f"{CUDA} cannot be loaded: libcuda.so.1 missing"),
    ],
)  # fmt: skip
def test_what_tries_tell(
    conv: dict[str, Any], matmul: dict[str, Any], missing: list[str], state: State, why: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    answer = {"tries": {"Conv": conv, "MatMul": matmul}, "devices": [], "missing": missing}
    monkeypatch.setattr(inventory, "run_job", lambda *_arguments: Done(answer))
    found = standing(one("cuda"), replace(RUNTIME, providers=(CUDA,)))
    assert (found.state, found.why) == (state, why)
    assert found.works == bool(found.kernels.get(CUDA))


def test_a_provider_may_crash(monkeypatch: pytest.MonkeyPatch) -> None:
    failure = Failure(Kind.CRASHED, "crashed (SIGSEGV)")
    monkeypatch.setattr(inventory, "run_job", lambda *_arguments: failure)
    found = standing(one("cuda"), replace(RUNTIME, providers=(CUDA,)))
    assert found.state is State.FAILS
    assert found.why == f"the process that tried {CUDA} crashed (SIGSEGV)"


MISSING = ("libcublas.so.13", "libcuda.so.1")
CUDA_MISSING = to_load(find("cuda"), MISSING, driver=False)


def an_inventory() -> Inventory:
    missing = MISSING
    why = f"{CUDA} cannot be loaded: {', '.join(missing)} missing"
    cuda = Standing(one("cuda"), State.FAILS, {}, (), why, missing, CUDA_MISSING)
    cpu = Standing(one("cpu"), State.WORKS, {CPU: 4}, ("CPU (Intel)",))
    runtime = replace(RUNTIME, packages=("onnxruntime", "onnxruntime-gpu"), providers=(CUDA, CPU))
    return Inventory(runtime, (cpu, cuda), {"webgpu": Remedy(("pip install it",), "try")}, Stored())


def test_the_table() -> None:
    assert render(an_inventory(), Paint(), None).splitlines() == [
        "onnxruntime 1.31.1 from onnxruntime and onnxruntime-gpu",
        "Their files overwrite each other's: uninstall all of them, then install one.",
        "",
        "provider  name in onnxruntime    what it does  small models    timed by  device",
        "cpu       CPUExecutionProvider   takes nodes   4 of 4 kernels  CPU time  CPU (Intel)",
        "cuda      CUDAExecutionProvider  fails         -               -         -",
        "    CUDAExecutionProvider cannot be loaded: libcublas.so.13, libcuda.so.1 missing",
        f"    {CUDA_MISSING}",
        "",
        "Not here, but in packages for this system:",
        "  webgpu  run: pip install it; try",
        "",
        "Not calibrated: 'archlint calibrate' makes times predictable.",
    ]
    other = render(replace(an_inventory(), profile=Stored(problem="It is old.")), Paint(), None)
    assert other.splitlines()[-1] == "It is old."
    narrow = render(an_inventory(), Paint(), 60).splitlines()
    assert max(map(len, narrow)) <= 60
    assert any(line.startswith("cuda      fails") for line in narrow)


def test_the_document() -> None:
    document = json.loads(as_json(an_inventory()))
    assert document["onnxruntime"]["packages"] == ["onnxruntime", "onnxruntime-gpu"]
    cpu, cuda = document["providers"]
    assert (cpu["state"], cpu["kernels"], cpu["clock"]) == ("takes nodes", {CPU: 4}, "CPU time")
    assert (cuda["clock"], cuda["node_times"], cuda["options"]) == ("wall time", True, HONEST)
    assert cuda["missing"] == ["libcublas.so.13", "libcuda.so.1"]
    assert cuda["remedy"]["commands"] == ["pip install 'onnxruntime-gpu[cuda,cudnn]'"]
    assert document["machine_profile"] == {"provider": None, "threads": None, "problem": None}
    assert document["others"] == [
        {"name": "webgpu", "remedy": {"commands": ["pip install it"], "remark": "try"}}
    ]


def test_the_command(run: Run) -> None:
    ran = run("providers", "--ep", "cpu")
    assert ran.code == 0
    assert f"onnxruntime {onnxruntime.__version__} from onnxruntime" in ran.out
    assert "takes nodes" in ran.out
    document = run("providers", "--output-format", "json").document
    assert {CPU} <= {one["full_name"] for one in document["providers"]}
    assert not {"cpu"} & {one["name"] for one in document["others"]}


@pytest.mark.skipif(
    CUDA in onnxruntime.get_available_providers(), reason=f"this onnxruntime has {CUDA}"
)
@pytest.mark.parametrize("command", [("check", "--verify"), ("time",)])
def test_a_provider_that_is_not_here_ends_a_run_before_it_begins(
    run: Run, command: tuple[str, ...], tmp_path: Path
) -> None:
    ran = run(*command, tmp_path / "not-read.onnx", "--ep", "cuda")
    assert (ran.code, ran.out) == (2, "")
    assert ran.error.startswith(f"--ep cuda: onnxruntime {onnxruntime.__version__} has no {CUDA}")
    assert "pip install 'onnxruntime-gpu[cuda,cudnn]'" in ran.error
    ran = run("providers", "--ep", "cuda")
    assert ran.code == 2
    assert "not here" in ran.out


class FakeRuntime(ModuleType):
    """onnxruntime with a plugin that has devices of two types."""

    def __init__(self) -> None:
        super().__init__("onnxruntime")
        self.registered: list[tuple[str, str]] = []

    def register_execution_provider_library(self, name: str, path: str) -> None:
        """Load a plugin, which onnxruntime does once."""
        assert (name, path) not in self.registered
        self.registered.append((name, path))

    def get_ep_devices(self) -> list[Any]:
        """The devices of the plugin, once it is loaded."""
        types = ("GPU", "CPU") if self.registered else ()
        return [
            SimpleNamespace(ep_name="Plugin", device=SimpleNamespace(type=SimpleNamespace(name=t)))
            for t in types
        ]


class FakeOptions:
    """Session options that remember what was added."""

    def __init__(self) -> None:
        self.added: list[tuple[str, dict[str, str]]] = []

    def add_provider_for_devices(self, devices: list[Any], options: dict[str, str]) -> None:
        """Remember the only device."""
        (device,) = devices
        self.added.append((device.device.type.name, options))


def test_a_plugin_is_registered_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its first device is taken, or the first of the type that is asked for."""
    fake, options = FakeRuntime(), FakeOptions()
    monkeypatch.setitem(sys.modules, "onnxruntime", fake)
    plugins._register.cache_clear()
    plugins.use_plugin("Plugin", "/path/of.so", options, {"a": "1"})
    plugins.use_plugin("Plugin", "/path/of.so", options, {"device_type": "cpu", "a": "1"})
    assert options.added == [("GPU", {"a": "1"}), ("CPU", {"a": "1"})]
    assert fake.registered == [("Plugin", "/path/of.so")]
    with pytest.raises(RuntimeError, match="Plugin finds no NPU here"):
        plugins.use_plugin("Plugin", "/path/of.so", options, {"device_type": "NPU"})
    with pytest.raises(RuntimeError, match=r"Other finds no device"):
        plugins.use_plugin("Other", "/path/of.so", options, {})


def test_a_plugin_of_another_name_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", FakeRuntime())
    plugins._register.cache_clear()
    with pytest.raises(RuntimeError, match=r"of\.so brings Plugin, not Other"):
        plugins.use_plugin("Other", "/path/of.so", FakeOptions(), {})


@pytest.mark.parametrize("function", ["get_library_path", "library_path"])
def test_the_module_of_a_plugin_knows_its_library(
    function: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = ModuleType("onnxruntime_of_a_test")
    setattr(module, function, lambda: "/path/of.so")
    monkeypatch.setitem(sys.modules, module.__name__, module)
    assert plugins.path_of(module.__name__) == "/path/of.so"


class Binding:
    """A binding that keeps nothing, as those of onnxruntime 1.24."""

    def bind_ortvalue_input(self, name: str, value: Any) -> None:
        """Refer to the numbers, and forget whose they are."""


class Session:
    """As much of a session as a runner asks for before a run."""

    def io_binding(self) -> Binding:
        """A new one."""
        return Binding()

    def get_outputs(self) -> list[Any]:
        """None."""
        return []


def test_a_runner_holds_its_inputs() -> None:
    """Or a run reads memory that was given back."""
    array = np.ones((4, 4), np.float32)
    alive = weakref.ref(array)
    runner = Runner(Session(), {"x": array}, "cpu")
    del array
    assert alive() is not None
    del runner
    assert alive() is None
