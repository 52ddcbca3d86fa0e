"""``archlint sketch``: which finding is meant, what is written, and what cannot be."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import ModelProto, numpy_helper

from archlint.analyzer.errors import ConfigError
from archlint.analyzer.load import load
from archlint.analyzer.reader.text import from_text
from archlint.analyzer.text import to_ascii
from archlint.analyzer.torch_module import torch_module
from command_line import Run

SAMPLES = Path(__file__).parents[1] / "samples"
TWO = SAMPLES / "two_3x3.onnx"
ONE = SAMPLES / "inception_5x5.onnx"
TEXT = """<ir_version: 8, opset_import: ["" : 17]>
    agraph (float[1,64,12,12] x) => (float[1,64,12,12] y) <float[64,64,3,3] w, float[64] b> {
    [first] a = Conv <pads = [1,1,1,1]> (x, w, b)
    [second] y = Conv <pads = [1,1,1,1]> (a, w, b)
}"""


def saved(
    folder: Path, kernel: NDArray[Any] | None = None, text: str = TEXT
) -> tuple[Path, ModelProto]:
    """A model of two convolutions with a kernel; without one it has no weights."""
    proto = from_text(text).proto
    if kernel is not None:
        for name, array in (("w", kernel), ("b", np.arange(64))):
            tensor = numpy_helper.from_array(array.astype(np.float32), name)
            proto.graph.initializer.append(tensor)
        del proto.graph.value_info[:]
    onnx.save(proto, folder / "net.onnx")
    return folder / "net.onnx", proto


def some_kernel() -> NDArray[Any]:
    """Random numbers of a fixed seed."""
    return np.random.default_rng(0).standard_normal((64, 64, 3, 3))


SMALL = ("--set", "ARC101.min_macs=0")


def test_the_module_goes_to_stdout_without_a_start(run: Run) -> None:
    """One finding needs no node; what stands there is Python, and says what it replaces."""
    ran = run("sketch", ONE, "ARC101")
    assert ran.code == 0
    assert ran.err == ""
    assert "pretrained" not in ran.out
    (module,) = (one for one in ast.parse(ran.out).body if isinstance(one, ast.ClassDef))
    told = ast.get_docstring(module)
    assert told is not None
    assert told.splitlines() == [
        "A 1×1 bottleneck of 16 channels, as ARC101 wide-convolution suggests.",
        "",
        "In place of Conv 'conv5x5', 1x192x28x28 to 1x32x28x28.",
        "",
        # 28·28·32·25·192 and 28·28·16·(192 + 32·25); 32·(25·192 + 1) and 16·193 + 32·401
        "120,422,400 → 12,443,648 MACs (−89.7 %); 153,632 → 15,920 parameters (−89.6 %).",
        "",
        "The function changes: retrain the network and check its accuracy.",
        "",
        "Its layers start from torch's initial values.",
    ]
    assert "        self.conv2 = nn.Conv2d(16, 32, 5, padding=2)\n" in ran.out
    assert run("sketch", ONE, "wide-convolution:conv5x5", "--torch", "-").out == ran.out


@pytest.mark.parametrize(
    ("model", "finding", "why"),
    [
        (TWO, "ARC101", ("ARC101 wide-convolution finds 2 places: say which, as ARC101:NODE, of "
         "'conv3x3_1', 'conv3x3_2'")),
        (TWO, "ARC101:conv3x3_3", ("ARC101 wide-convolution finds nothing there, only at "
         "'conv3x3_1', 'conv3x3_2'; did you mean 'conv3x3_2'?")),
        (TWO, "ARC101:", ("ARC101 wide-convolution finds 2 places: say which, as ARC101:NODE, of "
         "'conv3x3_1', 'conv3x3_2'")),
        (TWO, "ARC201", "ARC201 large-kernel finds nothing in this model"),
        (TWO, "ARC205:conv3x3_1", ("ARC205 global-attention only gives advice: there is no module "
         "to write")),
        (TWO, "wide-convolutoin", ("there is no rule 'wide-convolutoin'; did you mean "
         "'wide-convolution'?")),
    ],
)  # fmt: skip
def test_what_is_not_found_is_told(run: Run, model: Path, finding: str, why: str) -> None:
    """In one line, with the findings that there are, and exit code 2."""
    ran = run("sketch", model, finding)
    assert (ran.code, ran.error, ran.out) == (2, f"{finding}: {why}", "")


def test_proposals_that_only_remove_have_no_module(run: Run, tmp_path: Path) -> None:
    """A node that nothing reads."""
    text = TEXT.replace("[second]", "[dead] d = Conv (x, w)\n [second]")
    model, _ = saved(tmp_path, some_kernel(), text)
    ran = run("sketch", model, "ARC708:dead")
    assert ran.code == 2
    assert ran.error == (
        "ARC708:dead: ARC708 dead-node takes nodes away and adds none: there is no module to write"
    )


def test_missing_models_are_inputs_that_fail(run: Run, tmp_path: Path) -> None:
    """With exit code 3, as everywhere."""
    ran = run("sketch", tmp_path / "no.onnx", "ARC101")
    assert ran.code == 3
    assert "no.onnx: " in ran.error


def test_nodes_are_called_by_what_they_make(run: Run, tmp_path: Path) -> None:
    """A name may hold colons, and options are those of check."""
    model, proto = saved(tmp_path, some_kernel())
    for node in proto.graph.node:
        node.ClearField("name")
        node.input[:] = ["a:0" if name == "a" else name for name in node.input]
        node.output[:] = ["a:0" if name == "a" else name for name in node.output]
    onnx.save(proto, model)
    ran = run("sketch", model, "ARC101:a:0", *SMALL, "--set", "ARC101.width=20")
    assert (ran.code, ran.err) == (0, "")
    assert "In place of Conv 'a:0', " in ran.out
    assert "self.conv1 = nn.Conv2d(64, 20, 1)" in ran.out


def test_sizes_are_bound_by_options(run: Run, tmp_path: Path) -> None:
    """Without the size of the map nothing is found; a dim that there is not is an error."""
    model, _ = saved(tmp_path, some_kernel(), TEXT.replace("[1,64,12,12]", "[1,64,h,12]"))
    assert "finds nothing" in run("sketch", model, "ARC101:first", *SMALL).error
    ran = run("sketch", model, "ARC101:first", *SMALL, "--dim", "h=14")
    assert "1x64x14x12 to 1x64x14x12" in ran.out
    bound = "--input-shape", "x=1,64,14,12"
    assert run("sketch", model, "ARC101:first", *SMALL, *bound).out == ran.out
    assert "no model has the dim 'm'" in run("sketch", model, "ARC101", "--dim", "m=2").error


def test_files_are_written_with_their_start(run: Run, tmp_path: Path) -> None:
    """The state has the keys and sizes of the layers; two runs give the same bytes."""
    model, _ = saved(tmp_path, some_kernel())
    files = []
    for name in ("a", "b"):
        ran = run("sketch", model, "ARC101:first", *SMALL, "--torch", tmp_path / f"{name}.py")
        assert (ran.code, ran.out, ran.err) == (0, "", "")
        files.append([(tmp_path / f"{name}.{end}").read_bytes() for end in ("py", "npz")])
    assert files[0] == files[1]
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "a.npz", "a.py", "b.npz", "b.py", "net.onnx",
    ]  # fmt: skip
    with np.load(tmp_path / "a.npz", allow_pickle=False) as start:
        state = dict(start)
    assert {key: array.shape for key, array in state.items()} == {
        "conv1.weight": (16, 64, 1, 1), "conv1.bias": (16,),
        "conv2.weight": (64, 16, 3, 3), "conv2.bias": (64,),
    }  # fmt: skip
    assert not state["conv1.bias"].any()
    assert (state["conv2.bias"] == np.arange(64)).all()
    assert "truncated decomposition" in (tmp_path / "a.py").read_text(encoding="utf-8")


def test_the_start_is_the_nearest_of_its_rank(run: Run, tmp_path: Path) -> None:
    """‖W − W_r‖² is the sum of the squares of the singular values that are left out (Eckart and
    Young 1936), here by numpy's decomposition of Cin × Cout·k·k."""
    kernel = some_kernel()
    model, _ = saved(tmp_path, kernel)
    run("sketch", model, "ARC101:first", *SMALL, "--torch", tmp_path / "a.py")
    with np.load(tmp_path / "a.npz") as start:
        near = np.einsum("orhw,ri->oihw", start["conv2.weight"], start["conv1.weight"][:, :, 0, 0])
    values = np.linalg.svd(kernel.swapaxes(0, 1).reshape(64, -1), compute_uv=False)
    assert np.linalg.norm(kernel - near) ** 2 == pytest.approx((values[16:] ** 2).sum(), rel=1e-5)


@pytest.mark.parametrize(
    ("kernel", "note"),
    [
        (None, "the module has no start, for weights cannot be had: constant '"),
        (np.ones((64, 64, 3, 3)), ("the module has no start, for the model has placeholders in "
         "place of weights")),
    ],
    ids=["left-out", "one-number"],
)  # fmt: skip
def test_models_without_weights_give_no_start(
    run: Run, tmp_path: Path, kernel: NDArray[Any] | None, note: str
) -> None:
    """One line on stderr says so, and the module has no loader."""
    model, _ = saved(tmp_path, kernel)
    ran = run("sketch", model, "ARC101:first", *SMALL, "--torch", tmp_path / "a.py")
    assert ran.code == 0
    (line,) = ran.err.splitlines()
    assert line.startswith(f"archlint: note: {note}")
    assert not (tmp_path / "a.npz").exists()
    assert "pretrained" not in (tmp_path / "a.py").read_text(encoding="utf-8")


@pytest.mark.parametrize("there", ["a.py", "a.npz"])
def test_files_are_overwritten_by_force_alone(run: Run, tmp_path: Path, there: str) -> None:
    """Whichever of the two is there already."""
    model, _ = saved(tmp_path, some_kernel())
    wanted = "sketch", model, "ARC101:first", *SMALL, "--torch", tmp_path / "a.py"
    (tmp_path / there).write_text("mine")
    ran = run(*wanted)
    assert (ran.code, ran.error) == (
        2, f"{tmp_path / there}: is there already; give --force to overwrite it",
    )  # fmt: skip
    assert (tmp_path / there).read_text() == "mine"
    assert run(*wanted, "--force").code == 0
    assert (tmp_path / "a.py").read_text(encoding="utf-8").startswith("from pathlib import Path\n")
    assert (tmp_path / "a.npz").read_bytes()[:2] == b"PK"


@pytest.mark.parametrize(
    ("file", "why"),
    [
        ("a.txt", "must be the name of a Python file, as in block.py"),
        ("no/a.py", "cannot be written: No such file or directory"),
    ],
)
def test_files_that_cannot_be_written(run: Run, tmp_path: Path, file: str, why: str) -> None:
    """One line, and exit code 2."""
    ran = run("sketch", ONE, "ARC101", "--torch", tmp_path / file)
    assert (ran.code, ran.error) == (2, f"--torch {tmp_path / file}: {why}")


HOSTILE = [
    '"""\nimport os\n"""',
    "a'''b",
    "\\",
    '\\"""',
    "\\N{no such}",
    "\\u12",
    "é\u202e\x1b[31m",
    "{x}%s",
    "x" * 5_000,
]


@pytest.mark.parametrize("name", HOSTILE)
def test_names_of_models_are_text_alone(run: Run, tmp_path: Path, name: str) -> None:
    """Whatever a node is called: the file has the statements that it would have anyway."""
    model, proto = saved(tmp_path, some_kernel())
    plain = run("sketch", model, "ARC101:first", *SMALL).out
    proto.graph.node[0].name = name
    onnx.save(proto, model)
    ran = run("sketch", model, "ARC101:a", *SMALL)
    assert (ran.code, ran.err) == (0, "")
    assert skeleton(ran.out) == skeleton(plain)
    assert skeleton(to_ascii(ran.out)) == skeleton(plain)
    assert ran.out.isprintable() or "\x1b" not in ran.out


def skeleton(source: str) -> str:
    """The syntax without the docstring of the class."""
    tree = ast.parse(source)
    for node in tree.body:
        if isinstance(node, ast.ClassDef):
            del node.body[0]
    return ast.dump(tree)


@pytest.mark.parametrize(
    ("nodes", "operator"),
    [
        ("y = LRN <size = 5> (x)", "LRN node 'y'"),
        ("[odd] y = ConvTranspose <pads = [0,0,1,1]> (x, w)", "ConvTranspose node 'odd'"),
        ("y = HardSigmoid <alpha = 0.3> (x)", "HardSigmoid node 'y'"),
        ('y = Pad <mode = "edge"> (x, s)', "Pad node 'y'"),
        ("y, i = MaxPool <kernel_shape = [2,2]> (x)", "MaxPool node 'y'"),
        ("y = Add (x, s)", "Add node 'y'"),
        ("y = Conv (x, x)", "Conv node 'y'"),
    ],
)
def test_operators_that_cannot_be_written_are_named(nodes: str, operator: str) -> None:
    """By a line that names the node."""
    graph = load(
        from_text(
            '<ir_version: 8, opset_import: ["" : 17]> agraph (float[1,4,9,9] x) => (float y) '
            f"<float[4,4,3,3] w, int64[8] s = {{0,0,1,1,0,0,1,1}}> {{ {nodes} }}"
        )
    )
    with pytest.raises(ConfigError) as caught:
        torch_module(graph)
    assert str(caught.value) == (
        f"sketch: what is proposed holds the {operator}, which cannot be written as PyTorch"
    )


def test_graphs_of_several_inputs_and_outputs() -> None:
    """A residual block is written value by value."""
    graph = load(
        from_text(
            """<ir_version: 8, opset_import: ["" : 17]>
            agraph (float[1,4,9,9] a, float[1,4,9,9] b) => (float[1,4,9,9] y, float[1,8,9,9] z)
            <float[4,4,3,3] w, float[1,4,1,1] s> {
                c = Conv <pads = [1,1,1,1]> (a, w)
                m = Mul (b, s)
                y = Add (c, m)
                z = Concat <axis = 1> (y, b)
            }"""
        )
    )
    module = torch_module(graph)
    assert module.layers == (
        "self.conv1 = nn.Conv2d(4, 4, 3, padding=1, bias=False)",
        "self.weight1 = nn.Parameter(torch.ones((1, 4, 1, 1)))",
    )
    assert module.steps == (
        "y1 = self.conv1(x1)",
        "y2 = x2 * self.weight1",
        "y3 = y1 + y2",
        "y4 = torch.cat([y3, x2], 1)",
    )
    source = module.source(["Tried."], has_start=False)
    assert "def forward(self, x1: Tensor, x2: Tensor) -> tuple[Tensor, Tensor]:\n" in source
    assert source.endswith("        return y3, y4\n")
    assert source.startswith("import torch\nfrom torch import Tensor, nn\n\n\nclass ")
