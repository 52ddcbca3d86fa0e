"""OpenVINO as a second provider, in an environment of its own: its build of onnxruntime cannot be
installed beside another.

The variable ARCHLINT_OPENVINO_PYTHON names the interpreter of one that has archlint, its
dependencies but for onnxruntime, and onnxruntime-openvino.
"""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

VARIABLE = "ARCHLINT_OPENVINO_PYTHON"
PYTHON = os.environ.get(VARIABLE, "")
OPENVINO = "OpenVINOExecutionProvider"
CPU = "CPUExecutionProvider"
SAMPLES = Path(__file__).parent.parent / "samples"
pytestmark = [
    pytest.mark.openvino,
    pytest.mark.skipif(not PYTHON, reason=f"{VARIABLE} names no interpreter with OpenVINO"),
]


def archlint(*arguments: str | Path, code: int = 0) -> Any:
    """The document that archlint writes in that environment."""
    ran = subprocess.run(
        [PYTHON, "-m", "archlint", *map(str, arguments), "--output-format", "json"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (ran.returncode, ran.stderr) == (code, "")
    return json.loads(ran.stdout)


def test_it_takes_nodes() -> None:
    """Each of the two small models is one kernel: OpenVINO compiles what it takes."""
    document = archlint("providers")
    assert [name for name in document["onnxruntime"]["packages"] if "openvino" in name]
    (found,) = [one for one in document["providers"] if one["full_name"] == OPENVINO]
    assert (found["state"], found["kernels"]) == ("takes nodes", {OPENVINO: 2})
    assert (found["clock"], found["node_times"]) == ("CPU time", False)
    assert "openvino" not in {other["name"] for other in document["others"]}


# OpenVINO 2025.4, which is that of onnxruntime-openvino 1.24.1, takes no Unique.
PARTLY = """
import json, sys, time
import onnx, onnx.parser
from archlint.analyzer.timing.harness import Runner, end_profiling, fed, open_session, placement
from archlint.analyzer.timing.providers import parse_providers

model = onnx.parser.parse_model('''<ir_version: 8, opset_import: ["": 17]>
    g (float[1,64,64] x) => (float[n] y) { a = MatMul(x, x) y = Unique(a) }''')
with open("model.onnx", "wb") as stream:
    stream.write(model.SerializeToString())
feed = {"name": "x", "dtype": 1, "shape": [1, 64, 64], "fill": None}
subject = {"model": "model.onnx", "folder": "", "weights": [], "inputs": [feed]}
setup = parse_providers(["openvino"])[0].setup(threads=1, fallback=sys.argv[1] == "fallback")
try:
    session = open_session(
        subject, setup, {}, lambda options: setattr(options, "enable_profiling", True)
    )
except Exception as error:
    print(json.dumps(str(error)))
    sys.exit()
Runner(session, fed(subject), setup.device).run()
print(json.dumps(placement(end_profiling(session)).kernels))
"""


def partly(argument: str, folder: Path) -> Any:
    ran = subprocess.run(
        [PYTHON, "-c", PARTLY, argument], capture_output=True, text=True, check=True, cwd=folder
    )
    return json.loads(ran.stdout.splitlines()[-1])


def test_what_it_does_not_take_is_seen(tmp_path: Path) -> None:
    """MatMul runs on it, and Unique on the CPU's provider; or that is an error."""
    assert partly("fallback", tmp_path) == {CPU: 1, OPENVINO: 1}
    assert "fallback to CPU EP has been explicitly disabled" in partly("none", tmp_path)


def test_a_claim_is_timed_on_it() -> None:
    """On one thread its CPU time, over all threads of the process, is about its wall time."""
    sample = SAMPLES / "wide_5x5.onnx"
    options = ("--verify", "--ep", "openvino,cpu", "--budget", "1", "--fail-on", "never")
    (model,) = archlint(sample, *options)["models"]
    (finding,) = model["findings"]
    openvino, cpu = finding["measured"]
    assert (openvino["provider"], cpu["provider"]) == (OPENVINO, CPU)
    assert (openvino["verdict"], cpu["verdict"]) == ("confirmed", "confirmed")
    times = openvino["times"]
    assert (times["clock"], times["threads"]) == ("CPU time", 1)
    assert set(times["kernels_before"]) == set(times["kernels_after"]) == {OPENVINO}
    # The same work: neither provider takes ten times the time of the other.
    assert 0.1 < times["before_ns"] / cpu["times"]["before_ns"] < 10
    (whole, _) = model["measured"]
    assert (whole["provider"], whole["proposals"]) == (OPENVINO, 1)


def test_it_computes_on_as_many_threads_as_it_may(tmp_path: Path) -> None:
    """With one thread, all CPU time is that of the thread that runs the model."""
    script = PARTLY.partition("try:")[0].replace("y = Unique(a)", "y = Relu(a)")
    script = script.replace("float[n] y", "float[1,512,512] y").replace("64,64", "512,512")
    script = script.replace("[1, 64, 64]", "[1, 512, 512]")
    script += """
session = open_session(subject, setup, {})
runner = Runner(session, fed(subject), setup.device)
runner.warm_up(3)
process, thread = time.process_time(), time.thread_time()
for _ in range(20):
    runner.run()
print(json.dumps((time.thread_time() - thread) / (time.process_time() - process)))
"""
    ran = subprocess.run(
        [PYTHON, "-c", script, "none"], capture_output=True, text=True, check=True, cwd=tmp_path
    )
    assert json.loads(ran.stdout.splitlines()[-1]) > 0.9
