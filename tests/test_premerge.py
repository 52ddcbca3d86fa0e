"""The check before a merge, as a repository of models meets it: one story, in the order of days.

Costs are those that the two samples state: 128,049,152 MACs with the reductions of Inception, and
308,281,344 without (Szegedy et al. 2014, figure 2).
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import onnx
import pytest

from _layers import conv_relu
from archlint.analyzer.builder import GraphBuilder
from command_line import Run
from inception_module import build as build_reduced
from inception_module_naive import BRANCHES
from inception_module_naive import build as build_naive
from repositories import Repo, isolate

REDUCED, NAIVE = 128_049_152, 308_281_344
GROWN = f"+{100 * (NAIVE / REDUCED - 1):.1f} %"
NODE_3X3, NODE_5X5 = (f"/inception_3a/branch{size}/conv/Conv" for size in ("3x3", "5x5"))
SETTINGS = """
[[budget]]
path = "models/*.onnx"
macs = "{most}"
regression = {{macs = "+2%"}}
"""


@pytest.fixture
def repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Repo:
    """A repository on a branch that drops the reductions, whose ``main`` has them."""
    isolate(monkeypatch)
    repo = Repo(tmp_path / "repo")
    monkeypatch.chdir(repo.root)
    Path("archlint.toml").write_text(SETTINGS.format(most="200M"), encoding="utf-8")
    Path("models").mkdir()
    onnx.save(build_reduced(), "models/net.onnx")
    repo.commit()
    repo.git("checkout", "-q", "-b", "wider")
    onnx.save(build_naive(), "models/net.onnx")
    repo.commit()
    return repo


def renamed(model: onnx.ModelProto) -> onnx.ModelProto:
    """The model as another exporter may write it: other names of nodes and values."""
    names = {value.name: value.name for value in (*model.graph.input, *model.graph.output)}

    def name(old: str) -> str:
        return names.setdefault(old, f"value_{len(names)}") if old else old

    for place, node in enumerate(model.graph.node):
        node.name = f"node_{node.op_type}_{place}"
        node.input[:] = map(name, node.input)
        node.output[:] = map(name, node.output)
    for tensor in model.graph.initializer:
        tensor.name = name(tensor.name)
    return model


def naive(width: int) -> onnx.ModelProto:
    """The module without reductions, its 5x5 branch of another width."""
    scope = "/inception_3a"
    b = GraphBuilder("inception_module_naive")
    x = b.input("input", [1, 192, 28, 28])
    parts = [
        conv_relu(b, x, channels, kernel, f"{scope}/{name}")
        for name, (channels, kernel) in {**BRANCHES, "branch5x5": (width, 5)}.items()
    ]
    pool = b.pool("MaxPool", x, 3, stride=1, pads=1, name=f"{scope}/branch_pool/pool/MaxPool")
    parts.append(conv_relu(b, pool, 32, 1, f"{scope}/branch_pool"))
    b.output(b.concat(parts, name=f"{scope}/Concat"), [1, 224 + width, 28, 28])
    return b.model()


def named(text: str) -> set[str]:
    """The nodes of the module that a text names."""
    return {node for node in (NODE_3X3, NODE_5X5) if node in text}


def test_a_change_that_drops_the_reductions_is_stopped(repo: Repo, run: Run) -> None:
    """It fails by what is new, with the numbers; the summary for the forge says the same."""
    summary = repo.root / "summary.md"
    ran = run("check", ".", "--base", "main", "--output", f"markdown={summary}")
    assert ran.code == 1
    assert named(ran.out) == {NODE_3X3, NODE_5X5}
    for told in (
        f"{REDUCED:,} → {NAIVE:,} MACs ({GROWN})",
        "ARC905 over-budget",
        "ARC906 cost-regression",
        "200M",
    ):
        assert told in ran.out
    text = summary.read_text(encoding="utf-8")
    assert named(text) == {NODE_3X3, NODE_5X5}
    assert GROWN in text
    assert "ARC905" in text
    assert "ARC906" in text
    document = run("check", ".", "--base", "main", "--output-format", "json").document
    (model,) = document["models"]
    states = {(one["code"], one["state"]) for one in model["findings"]}
    assert states == {("ARC101", "new"), ("ARC905", "new"), ("ARC906", "new")}
    assert model["base"]["difference"]["after"]["macs"] == NAIVE


def test_what_was_there_before_stops_nobody(repo: Repo, run: Run) -> None:
    """On a branch that touches nothing, and on one that only mends."""
    repo.git("checkout", "-q", "main")
    assert run("check", ".", "--base", "main").code == 0
    repo.git("merge", "-q", "wider")
    repo.git("checkout", "-q", "-b", "mended")
    settings = SETTINGS.format(most="400M")
    Path("archlint.toml").write_text(settings, encoding="utf-8")
    assert run("check", ".", "--base", "main").code == 0
    assert run("check", ".").code == 1
    onnx.save(build_reduced(), "models/net.onnx")
    ran = run("check", ".", "--base", "main")
    assert ran.code == 0
    assert "No new or worse findings" in ran.out
    assert "2 fixed" in ran.out


@pytest.mark.parametrize("program", ["pre_commit", "prek"])
def test_a_hook_stops_it_as_well(program: str, repo: Repo) -> None:
    """The same command, run by what runs hooks."""
    hook = f"""
repos:
  - repo: local
    hooks:
      - id: archlint
        name: archlint
        entry: {sys.executable} -m archlint check --force-exclude --base main
        language: system
        files: \\.onnx$
        require_serial: true
"""
    Path(".pre-commit-config.yaml").write_text(hook.replace("\\\\", "\\"), encoding="utf-8")
    repo.commit()
    done = subprocess.run(
        [sys.executable, "-m", program, "run", "--all-files"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1, done.stderr
    assert named(done.stdout) == {NODE_3X3, NODE_5X5}
    assert GROWN in done.stdout


def test_an_accepted_model_may_stay_and_not_grow(repo: Repo, run: Run) -> None:
    """What is accepted passes under every name of its nodes; what grows is told again."""
    settings = SETTINGS.format(most="400M")
    Path("archlint.toml").write_text(settings, encoding="utf-8")
    accepted = run("check", ".", "--write-baseline")
    assert accepted.code == 0
    assert "2 findings accepted" in accepted.out
    baseline = Path(".archlint-baseline.json")
    before = json.loads(baseline.read_text(encoding="utf-8"))
    passed = run("check", ".")
    assert (passed.code, named(passed.out)) == (0, set())
    assert "2 ignored" in passed.out

    onnx.save(renamed(build_naive()), "models/net.onnx")
    again = run("check", ".")
    assert again.code == 0
    assert "2 ignored" in again.out

    onnx.save(naive(48), "models/net.onnx")
    grown = run("check", ".")
    assert grown.code == 1
    assert named(grown.out) == {NODE_5X5}
    was, now = (28 * 28 * width * 25 * 192 for width in (32, 48))
    assert f"{was:,} → {now:,} MACs (+50.0 %)" in grown.out
    assert json.loads(baseline.read_text(encoding="utf-8")) == before
