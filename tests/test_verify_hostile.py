"""Models that hang, crash or take all memory when they are run: one line, and the report."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import onnx
import pytest
from onnx import ModelProto, TensorProto, helper, numpy_helper

from archlint.analyzer.reader.text import from_text

if TYPE_CHECKING:
    from command_line import Run

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs limits of a POSIX system")

# A convolution that ARC101 flags, beside what must not be run.
FLAGGED = "[wide] y = Conv<pads=[2,2,2,2]>(x, w)"
HEAD = '<ir_version: 10, opset_import: ["": 23]> g (float[1,192,28,28] x) => (y, z)'
WEIGHT = "float[32,192,5,5] w"

HOSTILE = {
    "an endless loop": (
        f"""{HEAD} <{WEIGHT}, bool yes = {{1}}> {{ {FLAGGED}
            r = ReduceMean<keepdims=0>(y)
            z = Loop(, yes, r) <body = b (int64 i, bool c, float s) => (bool d, float t) {{
                d = Identity(c)  t = Identity(s) }}>
        }}""",
        "took longer than 4 s; allow more with --timeout",
    ),
    "an allocation of 10^12 elements": (
        f"""{HEAD} <{WEIGHT}, int64[2] big = {{1000000, 1000000}}> {{ {FLAGGED}
            z = ConstantOfShape(big)
        }}""",
        "needs more than 2.0 GiB of memory; allow more with --memory",
    ),
    "constants that take for ever to fold": (
        f"""{HEAD} <{WEIGHT}, float[1,512,256,256] a, float[512,512,7,7] b> {{ {FLAGGED}
            z = Conv(a, b)
        }}""",
        "took longer than 4 s; allow more with --timeout",
    ),
    "attention without heads": (
        f"""{HEAD} <{WEIGHT}, int64[3] s = {{1, 4, 8}}> {{ {FLAGGED}
            p = GlobalAveragePool(y)  q = Reshape(p, s)
            z = Attention<q_num_heads=0, kv_num_heads=0>(q, q, q)
        }}""",
        "crashed (SIGFPE)",
    ),
}
# What newer versions of onnxruntime (1.32) refuse when they load it.
REFUSED = {
    "attention without heads": (
        "Node () Op (Attention) [TypeInferenceError] q_num_heads and kv_num_heads must be positive."
    ),
}


@pytest.mark.parametrize("title", HOSTILE)
def test_a_hostile_model_ends_in_one_line(run: Run, tmp_path: Path, title: str) -> None:
    text, why = HOSTILE[title]
    path = tmp_path / "hostile.onnx"
    onnx.save(from_text(text).proto, path)
    began = time.monotonic()
    ran = run(path, "--verify", "--timeout=4", "--budget=0.3", "--set=ARC101.min_share=0")
    assert time.monotonic() - began < 30  # the limit, twice the start of a process, and a margin
    told = f"{path}: cannot be timed on cpu: "
    assert ran.error in {told + why, told + REFUSED.get(title, why)}
    assert ran.code == 3
    assert "ARC101 wide-convolution" in ran.out
    assert "  measured   confirmed on cpu: " in ran.out  # the part itself is harmless
    assert "the whole model with its 1 confirmed proposal: cannot be timed" in ran.out


def test_hard_linked_external_data_is_not_opened(run: Run, tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(bytes(4 * 32 * 192 * 25))
    folder = tmp_path / "models"
    folder.mkdir()
    os.link(tmp_path / "secret", folder / "weights.bin")
    weight = TensorProto(
        name="w", dims=[32, 192, 5, 5], data_type=1, data_location=TensorProto.EXTERNAL
    )
    weight.external_data.add(key="location", value="weights.bin")
    onnx.save(flagged(weight), folder / "m.onnx")
    ran = run(folder / "m.onnx", "--verify", "--budget=0.3")
    assert "ARC701 unsafe-external-data" in ran.out
    assert "  measured   confirmed on cpu: " in ran.out  # with weights of its own
    assert "hard link" in ran.out.split("the whole model with its 1 confirmed proposal: ")[1]


def test_names_are_no_paths_and_no_options(run: Run, tmp_path: Path) -> None:
    model = flagged(numpy_helper.from_array(np.ones((32, 192, 5, 5), np.float32), "w"))
    model.graph.node[0].name = "../../escaped\n--help\x1b[31m"
    model.graph.name = "/tmp/graph"  # noqa: S108 - a name that must not become a file
    path = tmp_path / "m.onnx"
    onnx.save(model, path)
    ran = run(path, "--verify", "--budget=0.3")
    assert (ran.code, ran.err) == (1, "")
    assert "\x1b" not in ran.out
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["m.onnx"]


def flagged(weight: TensorProto) -> ModelProto:
    """A model of one wide convolution."""
    node = helper.make_node("Conv", ["x", "w"], ["y"], name="wide", pads=[2] * 4)
    graph = helper.make_graph(
        [node],
        "g",
        [helper.make_tensor_value_info("x", 1, [1, 192, 28, 28])],
        [helper.make_tensor_value_info("y", 1, [1, 32, 28, 28])],
        [weight],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
