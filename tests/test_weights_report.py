"""What ``--weights`` tells of layers, against the ranks that their weights were made with."""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil, prod
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from jsonschema import Draft202012Validator
from numpy.typing import NDArray
from onnx import numpy_helper

import archlint
from archlint.analyzer import low_rank
from archlint.analyzer.cost import count
from archlint.analyzer.errors import ModelReadError
from archlint.analyzer.load import load
from archlint.analyzer.reader import read
from archlint.analyzer.report import weighing
from archlint.analyzer.report.weights import KernelReport, WeightReport
from archlint.analyzer.targets import default_target, load_target
from archlint.work import Request
from command_line import Run

RANDOM = np.random.default_rng(5)
SHARES = (0.9, 0.95, 0.99)
Array = NDArray[np.float64]

HEAD = '<ir_version: 8, opset_import: ["": 17, "com.microsoft": 1]>\n'
NETWORK = """net (float[1,64,28,28] x) => (float[1,784,128] y) {
    [conv] a = Conv <pads = [1,1,1,1]> (x, k)
    [point] b = Conv (a, p)
    c = Reshape (b, shape)
    t = Transpose <perm = [0,2,1]> (c)
    [layer] y = MatMul (t, m)
}"""


def even(rows: int, columns: int, rank: int) -> Array:
    """A matrix whose singular values are ``rank`` ones and zeros."""
    left = np.linalg.qr(RANDOM.standard_normal((rows, rank)))[0]
    right = np.linalg.qr(RANDOM.standard_normal((columns, rank)))[0]
    product: Array = left @ right.T
    return product


def narrow(filters: int, channels: int, taps: int, rank: int) -> Array:
    """A kernel of which ``rank`` directions of the input channels are equal and all there are."""
    matrix = even(channels, filters * taps * taps, rank)
    return matrix.reshape(channels, filters, taps, taps).swapaxes(0, 1)


RANKS = {"k": 25, "p": 42, "m": 31}
WEIGHTS: Mapping[str, Array] = {
    "k": narrow(64, 64, 3, RANKS["k"]),
    "p": narrow(128, 64, 1, RANKS["p"]),
    "m": even(128, 128, RANKS["m"]),
}


def saved(
    path: Path,
    text: str = NETWORK,
    weights: Mapping[str, NDArray[Any]] = WEIGHTS,
    *,
    external: bool = False,
) -> Path:
    """A model of this text with these weights, in 32 bits where they are in 64, and in the file
    w.bin where they are external."""
    model = onnx.parser.parse_model(HEAD + text)
    shape = numpy_helper.from_array(np.array([0, 128, 784], np.int64), "shape")
    tensors = [
        numpy_helper.from_array(w.astype(np.float32) if w.dtype == np.float64 else w, name)
        for name, w in weights.items()
    ]
    model.graph.initializer.extend([*tensors, *([shape] if text is NETWORK else [])])
    if external:
        onnx.save(model, path, save_as_external_data=True, location="w.bin", size_threshold=0)
    else:
        onnx.save(model, path)
    return path


def weighed(path: Path, **options: Any) -> WeightReport:
    """What a lint tells of the weights."""
    (model,) = archlint.lint(path, isolated=True, weights=True, **options).models
    assert model.weights is not None
    return model.weights


def kernel(path: Path, label: str, **options: Any) -> KernelReport:
    """What it tells of the layer of this name."""
    (found,) = [one for one in weighed(path, **options).kernels if one.label == label]
    return found


@pytest.fixture
def network(tmp_path: Path) -> Path:
    """A 3×3 convolution, a 1×1 and a product, of known ranks."""
    return saved(tmp_path / "net.onnx")


@pytest.mark.parametrize(("label", "name"), [("conv", "k"), ("point", "p"), ("layer", "m")])
def test_ranks_are_those_that_the_weights_were_made_with(
    network: Path, label: str, name: str
) -> None:
    """Of r equal directions ceil(e·r) hold the share e, and the effective rank is r."""
    rank, found = RANKS[name], kernel(network, label)
    first = found.unfoldings[0]
    assert first.side == ("input" if label == "conv" else "matrix")
    assert first.full == min(WEIGHTS[name].shape[1], WEIGHTS[name].size // WEIGHTS[name].shape[1])
    assert first.ranks == tuple(ceil(share * rank) for share in SHARES)
    assert first.effective_rank == pytest.approx(rank, rel=1e-4)


def ranks_of(matrix: Array) -> tuple[int, ...]:
    """By numpy's singular values."""
    sums = np.cumsum(np.linalg.svd(matrix, compute_uv=False) ** 2)
    return tuple(int(np.searchsorted(sums, share * sums[-1])) + 1 for share in SHARES)


def test_the_other_sides_of_a_kernel_are_those_of_numpy(network: Path) -> None:
    """Output: Cout × Cin·k·k; spatial: Cin·kh × Cout·kw; of Tucker each side may lose half."""
    found, whole = kernel(network, "conv"), WEIGHTS["k"]
    sides = {one.side: one.ranks for one in found.unfoldings}
    spatial = whole.transpose(1, 2, 0, 3).reshape(64 * 3, 64 * 3)
    assert list(sides) == ["input", "output", "spatial"]
    assert sides["output"] == ranks_of(whole.reshape(64, -1))
    assert sides["spatial"] == ranks_of(spatial)
    outputs = np.cumsum(np.linalg.svd(whole.reshape(64, -1), compute_uv=False) ** 2)
    for share, pair in zip(SHARES, found.tucker, strict=True):
        each = (1 + share) / 2
        after = int(np.searchsorted(outputs, each * outputs[-1])) + 1
        assert pair == (ceil(each * RANKS["k"]), after)


def test_widths_are_on_the_grid_and_macs_are_those_of_the_form(network: Path) -> None:
    """23 of 25 directions hold 90 %: 32 on the grid of 16 channels, 24 on that of 8."""
    grids = {"generic-avx512": 16, "generic-avx2": 8}
    for target, grid in grids.items():
        found = kernel(network, "conv", target=target).narrowed
        width = ceil(23 / grid) * grid
        assert found is not None
        assert (found.form, found.ranks) == ("input", (width,))
        assert found.macs == 28 * 28 * width * (64 + 9 * 64)
        assert found.pays
    layer = kernel(network, "layer")
    assert layer.macs == 784 * 128 * 128
    assert layer.narrowed is not None
    assert layer.narrowed.macs == 784 * 32 * (128 + 128)  # 28 of 31


def test_the_energy_is_that_of_the_rule(network: Path) -> None:
    """55 % are in 24 of 42 directions, which 32 hold; the rule says the same."""
    report = weighed(network, set={"ARC104.energy": 0.55})
    assert report.energy == 0.55
    (point,) = [one for one in report.kernels if one.label == "point"]
    assert point.narrowed is not None
    assert point.narrowed.ranks == (32,)
    (finding,) = [
        one
        for one in archlint.lint(network, isolated=True, select="ARC104", set={
            "ARC104.energy": 0.55, "ARC104.min_share": 0.0}).findings
        if one.nodes[0].label == "point"
    ]  # fmt: skip
    assert "32 of 64 input directions hold 55 % of its weights' energy" in finding.message
    assert finding.evidence["input_rank"] == 24


def test_layers_are_in_the_order_of_their_macs_and_the_rest_is_counted(
    network: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """28.9, 12.8 and 6.4 million."""
    assert [one.label for one in weighed(network).kernels] == ["conv", "layer", "point"]
    monkeypatch.setattr(weighing, "MOST", 2)
    report = weighed(network)
    assert ([one.label for one in report.kernels], report.more) == (["conv", "layer"], 1)


def test_small_layers_are_told_only_if_they_are_flagged(tmp_path: Path) -> None:
    """A 3×3 of 0.4 % of the MACs: it is there where a finding flags it, the 1×1 beside it never."""
    text = """net (float[1,16,8,8] x, float[1,784,512] z) => (y, q) {
        [small] a = Conv <pads = [1,1,1,1]> (x, k)
        [tiny] y = Conv (a, p)
        [large] q = MatMul (z, m)
    }"""
    weights = {
        "k": narrow(16, 16, 3, 4), "p": narrow(16, 16, 1, 4), "m": RANDOM.normal(size=(512, 512)),
    }  # fmt: skip
    path = saved(tmp_path / "net.onnx", text, weights)
    graph = load(read(str(path)))
    costs = count(graph)
    flagged = [node for node in graph.nodes if node.label != "large"]
    for nodes, expected in ((flagged, ["large", "small"]), ([], ["large"])):
        report = weighing.weight_report(costs, nodes, 0.9, default_target(), lambda _step: None)
        assert [one.label for one in report.kernels] == expected


def test_progress_says_which_weights_are_read(network: Path) -> None:
    """Each layer once more than it is read: the spectra are kept with the graph."""
    costs, steps = count(load(read(str(network)))), list[str]()
    weighing.weigh(costs, steps.append)
    assert steps == [f"weights {n} of 3: {name}"
                     for n, name in enumerate(("conv", "layer", "point"), 1)]  # fmt: skip


def test_the_table_stands_behind_the_findings(network: Path, run: Run) -> None:
    """A row for each side; the width beside the side that the form is by."""
    ran = run(network, "--isolated", "--weights", "--fail-on", "never")
    text = ran.out.partition("What the weights use:")[2].partition("\n\n")[0]
    rows = [line.split() for line in text.splitlines()[1:]]
    assert ran.err == ""
    assert rows[0][:3] == ["layer", "sizes", "side"]
    assert [row[0] for row in rows[1:5]] == ["conv", "output", "spatial", "tucker"]
    assert rows[1][-3:] == ["32", "−44.4", "%"]
    assert pytest.approx(1 - 0.444, abs=5e-4) == (64 + 9 * 64) * 32 / (9 * 64 * 64)
    assert ran.out.index("ARC104") < ran.out.index("What the weights use:")


@pytest.mark.parametrize("columns", [60, 80, 100])
def test_narrow_terminals_lose_columns_and_not_lines(network: Path, columns: int) -> None:
    """No line of the table is wider than the terminal."""
    from archlint.analyzer.report import weights_text
    from archlint.analyzer.text import Paint

    lines = list(weights_text.lines(weighed(network), Paint(), columns))
    assert max(map(len, lines)) <= columns
    assert sum("tucker" in line for line in lines) == 1


def test_json_keeps_to_its_schema(network: Path, run: Run) -> None:
    """Null where nothing was read."""
    validator = Draft202012Validator(run("schema", "report").document)
    plain = run(network, "--isolated", "--output-format", "json").document
    validator.validate(plain)
    assert plain["models"][0]["weights"] is None
    document = run(network, "--isolated", "--weights", "--output-format", "json").document
    validator.validate(document)
    (model,) = document["models"]
    conv, layer, _ = model["weights"]["layers"]
    assert conv["sides"][0]["ranks"] == {"90": 23, "95": 24, "99": 25}
    assert conv["narrowed"]["width"] == [32]
    assert conv["narrowed"]["ratio"] == pytest.approx(32 * 640 / (9 * 64 * 64), abs=1e-6)
    assert layer["tucker_ranks"] is None
    assert layer["shape"] == [128, 128]


def test_the_page_has_a_section_only_where_weights_were_read(network: Path) -> None:
    """With a row for each side."""
    plain = archlint.render(archlint.lint(network, isolated=True), "html")
    assert "What the weights use" not in plain
    page = archlint.render(archlint.lint(network, isolated=True, weights=True), "html")
    section = page.partition('id="weights"')[2].partition("</section>")[0]
    assert section.count("<tr>") == 1 + 4 + 1 + 1
    assert '<th scope="rowgroup" rowspan="4">conv <small>' in section
    assert '<td class="num">−44.4\u00a0%</td>' in section
    assert 'href="#weights"' in page


def test_hostile_names_are_written_out(tmp_path: Path, run: Run) -> None:
    """In the table, in the page, in what could not be read."""
    text = NETWORK.replace("[conv]", "").replace("[layer]", "")
    path = saved(tmp_path / "net.onnx", text.replace("shape", "s"), {
        **WEIGHTS, "s": np.array([0, 128, 784], np.int64), "k": WEIGHTS["k"] * np.nan,
    })  # fmt: skip
    model = onnx.load(path)
    model.graph.node[0].name = model.graph.node[4].name = "\x1b[31m<script>alert(1)</script>"
    onnx.save(model, path)
    ran = run(path, "--isolated", "--weights", "--fail-on", "never")
    assert "\x1b" not in ran.out
    table = ran.out.partition("What the weights use:")[2]
    assert "\\x1b[31m<script>alert(1)</script>: the weights hold NaN" in table
    page = archlint.render(archlint.lint(path, isolated=True, weights=True), "html")
    assert "<script>alert" not in page
    assert "What the weights use" in page


NOTHING = """net (float[1,64] x) => (float[1,64] y) { y = Relu (x) }"""
DECLARED = """net (float[1,128] x) => (float[1,128] y) <float[128,128] m> {
    [layer] y = MatMul (x, m)
}"""
FILLED = """net (float[1,128] x) => (float[1,128] y) {
    dims = Constant <value_ints = [128,128]> ()
    m = ConstantOfShape <value = float[1] {0.5}> (dims)
    [layer] y = MatMul (x, m)
}"""
FED = """net (float[784,128] x, float[128,128] m) => (float[784,128] y) {
    [layer] y = MatMul (x, m)
}"""
QUANTISED = """net (float[784,128] x) => (float[784,128] y) {
    w = DequantizeLinear (q, s)
    [layer] y = MatMul (x, w)
}"""
BODY = """net (float[784,128] x, bool c) => (float[784,128] y) {
    y = If (c) <
        then_branch = t () => (float[784,128] a) { a = MatMul (x, m) },
        else_branch = e () => (float[784,128] b) { b = Relu (x) }
    >
}"""
TURNED = """net (float[784,128] x) => (float[784,128] y) {
    t = Transpose (m)
    [layer] y = MatMul (x, t)
}"""
HALF = """net (float16[784,128] x) => (float16[784,128] y) { [layer] y = MatMul (x, m) }"""
SQUARE = {"m": WEIGHTS["m"]}
INTEGERS = {
    "q": RANDOM.integers(-9, 9, (128, 128), np.int8), "s": np.array(0.1, np.float32),
}  # fmt: skip


@pytest.mark.parametrize(
    ("text", "weights"),
    [
        pytest.param(NOTHING, {}, id="no-layers"),
        pytest.param(QUANTISED, INTEGERS, id="quantised"),
        pytest.param(BODY, SQUARE, id="only-in-a-body"),
    ],
)  # fmt: skip
def test_what_has_no_spectra_is_one_line(
    tmp_path: Path, run: Run, text: str, weights: Mapping[str, Array]
) -> None:
    """And nothing fails."""
    path = saved(tmp_path / "net.onnx", text, weights)
    ran = run(path, "--isolated", "--weights", "--select", "ARC104")
    assert (ran.code, ran.err) == (0, "")
    lines = [line for line in ran.out.splitlines() if line.startswith("What the weights use:")]
    why = "no convolution or product with weights of its own does 1 % of the MACs"
    assert lines == [f"What the weights use: {why}"]


@pytest.mark.parametrize(
    ("text", "weights", "why"),
    [
        pytest.param(DECLARED, {}, "constant 'm' is not in the file", id="declared-without-data"),
        pytest.param(FILLED, {}, "the weights are one number over and over", id="filled"),
        pytest.param(
            FED, SQUARE, "constant 'm' is the default of an input, which may be fed", id="fed"
        ),
    ],
)
def test_weights_that_are_not_there_are_told(
    tmp_path: Path, run: Run, text: str, weights: Mapping[str, Array], why: str
) -> None:
    """In one line each, and no rule speaks of them."""
    path = saved(tmp_path / "net.onnx", text, weights)
    ran = run(path, "--isolated", "--weights", "--select", "ARC104", "--ignore", "ARC715")
    assert ran.code == 0
    assert f"  layer: {why}\n" in ran.out
    assert "No findings" in ran.out


@pytest.mark.parametrize(
    ("text", "weights"),
    [
        pytest.param(TURNED, {"m": WEIGHTS["m"].T}, id="transposed-by-a-node"),
        pytest.param(HALF, {"m": (WEIGHTS["m"] * 16).astype(np.float16)}, id="half-precision"),
    ],
)
def test_other_ways_to_hold_a_matrix(
    tmp_path: Path, text: str, weights: Mapping[str, Array]
) -> None:
    """The same ranks."""
    found = kernel(saved(tmp_path / "net.onnx", text, weights), "layer")
    assert found.unfoldings[0].ranks == (28, 30, 31)


def test_weights_that_nodes_make_are_held_to_a_size(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are not in a file that could be read in blocks."""
    text = TURNED.replace("Transpose", "Neg")
    path = saved(tmp_path / "net.onnx", text, {"m": -WEIGHTS["m"]})
    assert kernel(path, "layer").unfoldings[0].ranks == (28, 30, 31)
    monkeypatch.setattr(low_rank, "_MOST_BYTES", 128 * 128 * 4 - 1)
    assert kernel(path, "layer").why == "the weights are made of others, and are too many for that"


def test_shared_weights_are_measured_and_not_flagged(tmp_path: Path) -> None:
    """Both layers have a row; a factorisation of one would keep the weights of both."""
    text = """net (float[784,128] x) => (float[784,128] y) {
        [one] a = MatMul (x, m)
        b = Relu (a)
        [two] y = MatMul (b, m)
    }"""
    path = saved(tmp_path / "net.onnx", text, SQUARE)
    (model,) = archlint.lint(path, isolated=True, select="ARC104", weights=True).models
    assert model.findings == ()
    assert model.weights is not None
    assert [(one.label, one.unfoldings[0].ranks[0]) for one in model.weights.kernels] == [
        ("one", 28), ("two", 28)]  # fmt: skip


def test_external_data_is_read(tmp_path: Path, run: Run) -> None:
    """Where it is there; where it is not, that is told, and the run fails."""
    path = saved(tmp_path / "net.onnx", external=True)
    assert kernel(path, "conv").unfoldings[0].ranks == (23, 24, 25)
    (tmp_path / "w.bin").unlink()
    ran = run(path, "--isolated", "--weights", "--select", "ARC104")
    assert ran.code == 3
    assert "not read" in ran.err
    assert "conv: " in ran.out.partition("What the weights use:")[2]


def test_what_is_kept_is_that_of_these_weights(
    tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of answers and runs that are kept: with other weights, or without ``--weights``, others."""
    monkeypatch.delenv("ARCHLINT_NO_CACHE")
    monkeypatch.setenv("ARCHLINT_CACHE_DIR", str(tmp_path / "cache"))
    path = tmp_path / "net.onnx"
    arguments = path, "--isolated", "--fail-on", "never", "--select", "ARC104"
    for external in (False, True):
        told = []
        for rank in (25, 8):
            (tmp_path / "w.bin").unlink(missing_ok=True)
            saved(path, weights={**WEIGHTS, "k": narrow(64, 64, 3, rank)}, external=external)
            told += [run(*arguments, "--weights").out for _ in range(2)]
        assert told[0] == told[1] != told[2] == told[3]
        assert "What the weights use" not in run(*arguments).out


ALL = {"ARC104", "ARC709", "ARC711", "ARC713", "ARC715"}


@pytest.mark.parametrize(
    ("select", "ignore", "expected"),
    [
        pytest.param("", "", ALL, id="default"),
        pytest.param("ARC201", "", ALL, id="another-rule-selected"),
        pytest.param("", "ARC71", {"ARC104", "ARC709"}, id="a-family-ignored"),
        pytest.param("ALL", "low-rank-weights", ALL - {"ARC104"}, id="one-ignored"),
    ],
)
def test_the_rules_about_weights_run_beside_what_is_selected(
    network: Path, select: str, ignore: str, expected: set[str]
) -> None:
    """All of the default groups, but for what is ignored; in the order of their codes."""
    path, chosen = str(network), {"select": [select], "ignore": [ignore]}
    plain = Request.of({"isolated": True, **chosen}).configuration()
    asked = Request.of({"isolated": True, "weights": True, **chosen}).configuration()
    codes = [rule.code for rule in asked.chosen(path).rules]
    before = {rule.code for rule in plain.chosen(path).rules}
    assert codes == sorted(before | expected)
    assert not ALL.intersection(codes) - expected


def test_the_grid_is_that_of_the_data_type() -> None:
    """Blocks of channels where there are; else by type, or by the type that stands in for it."""
    cpu, gpu = default_target(), load_target("nvidia-tensor-cores")
    half, single = onnx.TensorProto.FLOAT16, onnx.TensorProto.FLOAT
    assert low_rank.grid_of(cpu, single) == low_rank.grid_of(cpu, half) == cpu.block
    assert low_rank.grid_of(gpu, half) == gpu.grid["float16"]


def test_macs_are_those_of_the_cost_table(network: Path) -> None:
    """Of a batch too."""
    costs = count(load(read(str(network))))
    for layer, macs in low_rank.counted_layers(costs):
        places = 784 if layer.conv is None else prod(layer.conv.out_map)
        assert macs == prod(layer.shape) * places


def test_a_graph_without_a_file_has_no_weights(network: Path, monkeypatch: Any) -> None:
    """What cannot be read says why, whatever the reason."""
    costs = count(load(read(str(network))))
    layer, _ = next(low_rank.counted_layers(costs))

    def refused(_self: object, name: str) -> NDArray[Any]:
        raise ModelReadError("net.onnx", f"'{name}' is behind a pipe")

    monkeypatch.setattr("archlint.analyzer.constants.Constants.__call__", refused)
    assert low_rank.spectra_of(costs.graph, layer).why == "'k' is behind a pipe"
