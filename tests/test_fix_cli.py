"""The command ``fix``: its options, exit codes and files."""

from __future__ import annotations

import json
import os
import re
from math import sqrt
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import onnx
import pytest
from jsonschema import Draft202012Validator
from onnx import helper

from archlint import fixing
from archlint.analyzer.report import fix_json
from archlint.analyzer.rule import Rule
from fixable import (
    CLEAN,
    CUSTOM,
    HEAD,
    NORMALISED,
    SYMBOLIC,
    TWO_HEADS,
    low_rank,
    model,
    operators,
    save,
)  # fmt: skip
from hostile_corpus import CASES
from hostile_sizes import LARGE
from rule_packages import forget
from structural_fixes import outputs

if TYPE_CHECKING:
    from command_line import Ran, Run

SAMPLES: Final = Path(__file__).parents[1] / "samples"
# Whether a model of this size is faster hangs on noise: tests that are not about it apply all.
QUICK: Final = ("--budget", "0.1", "--even-slower")
JSON: Final = (*QUICK, "--output-format", "json")
FIX_SCHEMA: Final = json.loads(fix_json.schema())
WIDE_NORMALISED: Final = f"""{HEAD} g (float[1,64,8,8] x) => (float[1,64,8,8] y)
<float[64,64,3,3] w, float[64] s, float[64] b, float[64] m, float[64] v> {{
  [conv] c = Conv<pads=[1,1,1,1]>(x, w)
  [norm] y = BatchNormalization(c, s, b, m, v)
}}"""
FILLED: Final = f"""{HEAD} g (float[1,3,16,16] x) => (float[1,8,16,16] y)
<int64[4] dims = {{8, 3, 3, 3}}> {{
  [fill] w = ConstantOfShape<value: tensor = float[1] {{0.5}}>(dims)
  [conv] c = Conv<pads=[1,1,1,1]>(x, w)
  [copy] y = Identity(c)
}}"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory, with models.onnx of several kinds."""
    monkeypatch.chdir(tmp_path)
    for name, text in (("a", NORMALISED), ("clean", CLEAN), ("heads", TWO_HEADS)):
        save(tmp_path / f"{name}.onnx", text)
    return tmp_path


def contents(folder: Path) -> dict[str, bytes]:
    """All files of a folder."""
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def only(ran: Ran) -> dict[str, Any]:
    """What is told of the only model, by the schema."""
    Draft202012Validator(FIX_SCHEMA).validate(ran.document)
    (told,) = ran.document["models"]
    found: dict[str, Any] = told
    return found


def codes(groups: list[dict[str, Any]]) -> list[str]:
    """The rules of what was, or was not, applied."""
    return [group["code"] for group in groups]


WRONG = {
    "nowhere to": ((), "fix: say where the result goes, by one of -o FILE, --in-place, and"),
    "two places": (("-o", "b.onnx", "--in-place"), "fix: say where the result goes, by one of"),
    "a text in place": (("--diff", "--in-place"), "fix: say where the result goes, by one of"),
    "the file itself": (("-o", "a.onnx"), "-o a.onnx: is the model itself; give --in-place"),
    "by another path": (("-o", "./a.onnx"), "-o ./a.onnx: is the model itself"),
    "a symbolic link": (("-o", "link.onnx"), "-o link.onnx: is the model itself"),
    "a hard link": (("-o", "hard.onnx"), "-o hard.onnx: is the model itself"),
    "no folder": (("-o", "no/b.onnx"), "-o no/b.onnx: there is no such folder; make it first"),
    "standard output": (("-o", "-"), "-o -: models are written to files alone; name one"),
    "no amount": (("-o", "b.onnx", "--unsafe"), "--unsafe: say how far, by one of --energy 0.9"),
    "two amounts": (
        ("-o", "b.onnx", "--unsafe", "--energy", "0.9", "--rank", "2"),
        "--energy and --rank: say how far, by one of --energy 0.9, --rank 0.5 and",
    ),
    "an amount that is safe": (
        ("-o", "b.onnx", "--target-macs", "-30%"),
        "--target-macs: changes the function a little; say --unsafe too",
    ),
    "an energy that is none": (
        ("-o", "b.onnx", "--unsafe", "--energy", "nan"),
        "--energy nan: write it as a share, as 0.9",
    ),
    "too much energy": (
        ("-o", "b.onnx", "--unsafe", "--energy", "1.5"),
        "usage: Invalid value for '--energy': 1.5 is not in the range",
    ),
    "half a rank": (
        ("-o", "b.onnx", "--unsafe", "--rank", "1.5"),
        "--rank 1.5: is neither a whole number nor a share below 1",
    ),
    "an infinite rank": (("-o", "b.onnx", "--unsafe", "--rank", "inf"), "--rank inf: is neither"),
    "an error that is none": (("-o", "b.onnx", "--max-error", "nan"), "--max-error nan: write it"),
    "no rule": (("-o", "b.onnx", "--select", "NONE"), "--select NONE: there is no rule 'NONE'"),
    "no dim": (("-o", "b.onnx", "--dim", "n"), "--dim n: write it as name=size"),
    "no samples": (("-o", "b.onnx", "--inputs", "no.npz"), "no.npz: No such file"),
    "samples of another shape": (
        ("-o", "b.onnx", "--inputs", "wide.npz"),
        "wide.npz: input 'x' takes [1, 3, 16, 16], or a stack of them, not [5, 16, 16]",
    ),
    "samples of another input": (
        ("-o", "b.onnx", "--inputs", "other.npz"),
        "other.npz: the model has no input 'z'; its inputs are 'x'",
    ),
    "samples of no input": (
        ("-o", "b.onnx", "--inputs", "empty.npz"),
        "empty.npz: holds no array for input 'x'; save one of this name",
    ),
    "no .npz file": (("-o", "b.onnx", "--inputs", "a.onnx"), "a.onnx: is no .npz file; write it"),
    "no such output": (
        ("-o", "b.onnx", "--drop-output", "z"),
        "a.onnx: --drop-output: there is no output 'z'; its outputs are 'y'",
    ),
    "all outputs": (
        ("-o", "b.onnx", "--drop-output", "y"),
        "a.onnx: --drop-output: all outputs would go; leave one",
    ),
}


@pytest.mark.parametrize("title", WRONG)
def test_wrong_use_is_one_line(title: str, folder: Path, run: Run) -> None:
    (folder / "link.onnx").symlink_to("a.onnx")
    os.link("a.onnx", "hard.onnx")
    np.savez("wide.npz", x=np.zeros((5, 16, 16), np.float32))
    np.savez("other.npz", z=np.zeros(3))
    np.savez("empty.npz")
    before = contents(folder)
    options, why = WRONG[title]
    ran = run("fix", "a.onnx", *options)
    assert ran.code == 2
    assert ran.error.startswith(why)
    assert ran.out == ""
    assert contents(folder) == before


@pytest.mark.parametrize(
    "text", ["9" * 400, "30%", "-0%", "-100%", "-1e2%", "0", "0M", "-7", "7X", "", "nan"]
)
def test_a_target_is_a_share_or_a_number(text: str, folder: Path, run: Run) -> None:
    ran = run("fix", "a.onnx", "-o", "b.onnx", "--unsafe", f"--target-macs={text}")
    assert (ran.code, ran.out) == (2, "")
    assert ran.error.startswith(f"--target-macs {text[:50]}")
    assert ran.error.endswith(
        ": write it as -30% of what there is, or as a number to reach, as 700M"
    )


def test_the_nearest_output_is_named(folder: Path, run: Run) -> None:
    ran = run("fix", "heads.onnx", "-o", "b.onnx", "--drop-output", "aus")
    assert ran.error.endswith("there is no output 'aus'; did you mean 'aux'?")


def test_one_file_takes_one_model(folder: Path, run: Run) -> None:
    ran = run("fix", ".", "-o", "b.onnx")
    assert (ran.code, ran.error) == (2, "-o: one file for 3 models; use --in-place")


@pytest.mark.parametrize("path", ["-", "file:///tmp/a.onnx"])
def test_what_is_no_file_here_has_no_place(path: str, folder: Path, run: Run) -> None:
    ran = run("fix", path, "--in-place")
    assert ran.code in (2, 3)  # 3 where there is no such address
    assert ran.out == ""
    assert ran.error


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        pytest.param("no.onnx", None, "no such file or folder", id="missing"),
        pytest.param("e.onnx", b"", "the file is empty; export the model again", id="empty"),
        pytest.param("t.onnx", b"PK\3\4" + bytes(99), "not ONNX", id="archive"),
        pytest.param("s.onnx", SYMBOLIC, "dim 'H' is unbound; bind it with --dim H=", id="dims"),
        pytest.param("c.onnx", CUSTOM, "acme:Magic(-1) is not a registered", id="operator"),
    ],
)
def test_what_cannot_be_fixed_is_one_line(
    name: str, content: bytes | str | None, why: str, folder: Path, run: Run
) -> None:
    """It names the model, the reason and what to do."""
    if isinstance(content, str):
        save(folder / name, content)
    elif content is not None:
        (folder / name).write_bytes(content)
    before = contents(folder)
    ran = run("fix", name, "-o", "b.onnx", *QUICK)
    assert (ran.code, ran.out) == (3, "")
    assert ran.error.startswith(f"{name}: ")
    assert why in ran.error
    assert contents(folder) == before


def test_weights_that_are_left_out_are_named(folder: Path, run: Run) -> None:
    """Fixes are proven by runs, which need them."""
    proto = model(NORMALISED)
    proto.graph.initializer[0].ClearField("raw_data")
    onnx.save(proto, "left.onnx")
    ran = run("fix", "left.onnx", "-o", "b.onnx", *QUICK)
    assert ran.code == 3
    assert ran.error.startswith("left.onnx: cannot be run: its weight 'w' has no data; ")


def test_a_fixed_model_computes_the_same(folder: Path, run: Run) -> None:
    """The input stays as it is, and what is told is by the schema."""
    before = contents(folder)
    ran = run("fix", "a.onnx", "-o", "b.onnx", *JSON)
    assert (ran.code, ran.err) == (0, "")
    told = only(ran)
    assert contents(folder) == {**before, "b.onnx": Path("b.onnx").read_bytes()}
    assert operators(folder / "b.onnx") == ["Conv", "Relu", "Sigmoid"]
    (old,), (new,) = outputs(onnx.load("a.onnx")), outputs(onnx.load("b.onnx"))
    assert np.linalg.norm(new - old) <= 1e-5 * np.linalg.norm(old)
    assert told["output"] == "b.onnx"
    assert codes(told["applied"]) == ["ARC404", "ARC402"]
    assert told["before"]["bytes"] == len(before["a.onnx"])
    assert told["after"]["bytes"] == Path("b.onnx").stat().st_size
    macs, kernel = 8 * 3 * 9 * 16 * 16, 8 * 3 * 9
    assert told["before"] | {"bytes": 0} == {
        "macs": macs, "uncosted_nodes": 0, "parameters": kernel + 2 * 8, "nodes": 5, "bytes": 0,
    }  # fmt: skip
    assert told["after"] | {"bytes": 0} == {
        "macs": macs, "uncosted_nodes": 0, "parameters": kernel + 8, "nodes": 3, "bytes": 0,
    }  # fmt: skip
    errors = {error["value"]: error for error in told["errors"]}
    assert errors["y"]["probe_of"] == []
    assert errors["r"]["probe_of"] == ["y"]  # in front of the Sigmoid: the copy is gone
    assert told["samples"] == {"count": 2, "file": None}


def test_nothing_to_fix_gives_a_copy(folder: Path, run: Run) -> None:
    ran = run("fix", "clean.onnx", "-o", "b.onnx")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out == "clean.onnx → b.onnx\n  nothing to fix: the file is a copy\n"
    assert onnx.load("b.onnx") == onnx.load("clean.onnx")


@pytest.mark.parametrize("option", ["--in-place", "--diff"])
def test_nothing_to_fix_writes_nothing(option: str, folder: Path, run: Run) -> None:
    before = contents(folder)
    os.utime("clean.onnx", (1, 1))
    ran = run("fix", "clean.onnx", option)
    assert (ran.code, ran.err) == (0, "")
    assert ran.out == ("" if option == "--diff" else "clean.onnx\n  nothing to fix\n")
    assert contents(folder) == before
    assert Path("clean.onnx").stat().st_mtime == 1


def test_rules_without_fixes_are_told(folder: Path, run: Run) -> None:
    ran = run("fix", "a.onnx", "-o", "b.onnx", "--select", "ARC101")
    assert ran.out.endswith(
        "  nothing to fix: the file is a copy\n"
        "  note      No rule that is selected has fixes; see: archlint rule CODE\n"
    )
    assert onnx.load("b.onnx") == onnx.load("a.onnx")


def test_a_difference_is_a_text_alone(folder: Path, run: Run) -> None:
    before = contents(folder)
    ran = run("fix", "a.onnx", "clean.onnx", "--diff", *QUICK)
    assert (ran.code, ran.err) == (1, "")
    assert contents(folder) == before
    lines = ran.out.splitlines()
    assert lines[:2] == ["--- a/a.onnx", "+++ b/a.onnx"]
    assert "-i = Identity(r)  # copy" in lines
    assert "+y = Sigmoid(r)  # head" in lines
    assert "clean" not in ran.out


def test_several_models_in_their_places(folder: Path, run: Run) -> None:
    """Those that can be fixed are, and the others are told."""
    save(folder / "custom.onnx", CUSTOM)
    before = contents(folder)
    ran = run("fix", "no.onnx", "custom.onnx", "a.onnx", "clean.onnx", "--in-place", *JSON)
    assert ran.code == 3
    document = ran.document
    Draft202012Validator(FIX_SCHEMA).validate(document)
    assert [failure["path"] for failure in document["failures"]] == ["no.onnx", "custom.onnx"]
    assert [told["output"] for told in document["models"]] == ["a.onnx", None]
    assert len(ran.err.splitlines()) == 2
    after = contents(folder)
    assert {name for name in before if before[name] != after[name]} == {"a.onnx"}
    assert after.keys() == before.keys()


def test_what_does_not_fit_one_model_stops_no_other(folder: Path, run: Run) -> None:
    """A wrong use is 2 all the same; an output goes with the nodes that only it needs."""
    before = Path("a.onnx").read_bytes()
    ran = run("fix", "a.onnx", "heads.onnx", "--in-place", "--drop-output", "aux", *JSON)
    assert ran.code == 2
    assert ran.error.startswith("a.onnx: --drop-output: there is no output 'aux'")
    assert only(ran)["path"] == "heads.onnx"
    assert codes(only(ran)["applied"]) == ["ARC302"]
    assert operators(folder / "heads.onnx") == ["Conv", "Relu"]
    assert [output.name for output in onnx.load("heads.onnx").graph.output] == ["y"]
    assert Path("a.onnx").read_bytes() == before


def test_no_error_at_all_rejects_what_rounds(folder: Path, run: Run) -> None:
    ran = run("fix", "a.onnx", "-o", "b.onnx", "--max-error", "0", *JSON)
    told = only(ran)
    assert (ran.code, told["applied"]) == (0, [])
    assert codes(told["not_applied"]) == ["ARC404", "ARC402"]
    assert all(
        "is above 0; --max-error sets the bound" in one["why"] for one in told["not_applied"]
    )
    assert onnx.load("b.onnx") == onnx.load("a.onnx")


def test_ignored_rules_are_not_followed(folder: Path, run: Run) -> None:
    (folder / "archlint.toml").write_text('ignore = ["ARC402"]\n', encoding="utf-8")
    told = only(run("fix", "a.onnx", "-o", "b.onnx", *JSON))
    assert codes(told["applied"]) == ["ARC404"]
    assert operators(folder / "b.onnx") == ["Conv", "BatchNormalization", "Relu", "Sigmoid"]


PLUGIN: Final = '''
from dataclasses import dataclass

from archlint.analyzer.proposal import FixKind, Proposal
from archlint.analyzer.rule import Match, Rule


@dataclass(frozen=True)
class TwiceRelu(Rule):
    """A Relu of what a Relu makes is the same."""

    code = "ACME107"
    name = "twice-relu"
    kind = FixKind.EQUIVALENT

    def match(self, context):
        for node in context.graph.nodes:
            maker = context.graph.producer(node.input(0))
            if node.op_type == "Relu" and maker is not None and maker.op_type == "Relu":
                yield Match((node,), "twice")

    def propose(self, match, context):
        (node,) = match.nodes
        renames = {node.output(0): node.input(0)}
        return Proposal("the first alone", FixKind.EQUIVALENT, match.nodes, renames=renames)
'''


def test_rules_of_plugins_are_followed(folder: Path, run: Run) -> None:
    save(folder / "b.onnx", NORMALISED.replace("Identity(r)", "Relu(r)"))
    (folder / "rules.py").write_text(PLUGIN, encoding="utf-8")
    forget()
    plugin = ("--config", 'plugins=["rules.py"]')
    told = only(run("fix", "b.onnx", "--in-place", "--select", "ACME107", *plugin, *JSON))
    assert [(one["code"], one["places"]) for one in told["applied"]] == [
        ("ACME107", [{"node": "copy", "title": "the first alone"}])
    ]
    assert operators(folder / "b.onnx") == ["Conv", "BatchNormalization", "Relu", "Sigmoid"]


def test_a_rule_that_crashes_is_told_and_the_others_are_followed(folder: Path, run: Run) -> None:
    """As in a check: exit code 2."""
    save(folder / "b.onnx", NORMALISED)
    crashing = PLUGIN.replace("for node in context.graph.nodes:", "for node in 1 / 0:")
    (folder / "rules.py").write_text(crashing, encoding="utf-8")
    forget()
    given = ("--select", "ACME107,ARC404", "--config", 'plugins=["rules.py"]', "--in-place")
    ran = run("fix", "b.onnx", *given, *JSON)
    told = only(ran)
    assert ran.code == 2
    (refused,) = told["refused"]
    assert refused["why"].startswith(
        "the rule failed: ZeroDivisionError: division by zero; a fault"
    )
    assert [one["code"] for one in told["applied"]] == ["ARC404"]


@pytest.mark.parametrize(
    ("given", "some", "none"),
    [
        pytest.param((), "ARC402 ARC404 ARC709", "ARC502 ARC504", id="groups-that-fix"),
        pytest.param(("--extend-select", "ARC502"), "ARC402 ARC502", "ARC504", id="added"),
        pytest.param(("--select", "ARC404"), "ARC404", "ARC402 ARC709", id="selected"),
        pytest.param(("--ignore", "ARC4"), "ARC707 ARC709", "ARC402 ARC408", id="ignored"),
        pytest.param(("--config", 'ignore=["ARC709"]'), "ARC402", "ARC709", id="settings"),
        pytest.param(("--config", 'select=["ARC408"]'), "ARC408", "ARC402", id="settings-select"),
    ],
)
def test_which_rules_are_followed(
    given: tuple[str, ...],
    some: str,
    none: str,
    folder: Path,
    run: Run,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The settings hold as for a check; rules without fixes take no time."""
    seen: list[str] = []

    def followed(_now: object, rules: list[Rule], _progress: object) -> None:
        seen.extend(rule.code for rule in rules)

    monkeypatch.setattr(fixing, "_equivalents", followed)
    assert run("fix", "clean.onnx", "--diff", *given).code == 0
    assert set(some.split()) <= set(seen)
    assert set(seen).isdisjoint([*none.split(), "ARC101", "ARC104", "ARC703", "ARC711"])


@pytest.mark.parametrize("option", [("-o", "there/b.onnx"), ("--in-place",)])
def test_external_data_stay_external(option: tuple[str, ...], folder: Path, run: Run) -> None:
    """Though all that is left of them is new."""
    save(folder / "e.onnx", WIDE_NORMALISED, external=True)
    (folder / "there").mkdir()
    (expected,) = outputs(onnx.load("e.onnx"))
    before = contents(folder)
    told = only(run("fix", "e.onnx", *option, *JSON))
    assert codes(told["applied"]) == ["ARC402"]
    written = folder / told["output"]
    graph = onnx.load(written, load_external_data=False).graph
    external = [tensor.name for tensor in graph.initializer if tensor.external_data]
    assert (external == ["conv/weight"]) is (option[0] == "-o")  # small ones stay in their own file
    (found,) = outputs(onnx.load(written))
    assert np.linalg.norm(found - expected) <= 1e-5 * np.linalg.norm(expected)
    files = [*written.parent.glob(f"{written.name}*")]
    assert told["after"]["bytes"] == sum(
        path.stat().st_size for path in files if "bin" not in path.name
    )
    if option[0] == "-o":
        assert contents(folder) == before


def test_dims_that_are_bound_stay_free_in_the_file(folder: Path, run: Run) -> None:
    save(folder / "s.onnx", SYMBOLIC)
    dims = ("--dim", "N=2", "--dim", "H=8", "--dim", "W=9")
    assert run("fix", "s.onnx", "-o", "b.onnx", *dims, *QUICK).code == 0
    assert operators(folder / "b.onnx") == ["Conv", "Relu", "Sigmoid"]
    assert list(onnx.load("b.onnx").graph.input) == list(onnx.load("s.onnx").graph.input)


def test_placeholders_are_told(folder: Path, run: Run) -> None:
    """What is filled with one number proves little; real samples are named."""
    np.savez("some.npz", x=np.ones((3, 3, 16, 16), np.float32))
    save(folder / "f.onnx", FILLED)
    ran = run("fix", "f.onnx", "-o", "b.onnx", "--inputs", "some.npz", *QUICK)
    assert ran.code == 0
    assert "  on        3 samples of some.npz\n" in ran.out
    assert ran.out.endswith(
        "  note      The weights are placeholders, one number each: errors say little.\n"
    )


@pytest.mark.slow
def test_a_target_that_cannot_be_reached_says_what_can(folder: Path, run: Run) -> None:
    """And that can be reached."""
    low_rank(folder / "low.onnx", 4)
    options = ("-o", "b.onnx", "--unsafe", *JSON)
    ran = run("fix", "low.onnx", "--target-macs", "-99.9%", *options)
    assert (ran.code, ran.document["models"]) == (3, [])
    pattern = (
        r"low.onnx: --target-macs: low-rank layers cannot save 99.9 % of its MACs and the time "
        r"that goes with them; ask for (-\d+%) at most"
    )
    (line,) = ran.err.splitlines()
    found = re.fullmatch(f"archlint: error: {pattern}", line)
    assert found is not None
    assert not Path("b.onnx").exists()
    told = only(run("fix", "low.onnx", "--target-macs", found[1], "--max-error", "2", *options))
    assert codes(told["applied"]) == ["ARC104"]
    saved = 1 - told["after"]["macs"] / told["before"]["macs"]
    assert saved >= int(found[1][1:-1]) / 100


def test_a_target_that_is_met_needs_no_low_rank_layer(folder: Path, run: Run) -> None:
    ran = run("fix", "clean.onnx", "-o", "b.onnx", "--unsafe", "--target-macs", "1G", *QUICK)
    assert ran.code == 0
    assert "  note      The MACs are as few as asked for: no layer need be low-rank.\n" in ran.out


def test_a_layer_of_low_rank_is_factorised(folder: Path, run: Run) -> None:
    """Of a kernel of rank 4 nothing is lost: its error is told beside it."""
    low_rank(folder / "low.onnx", 4)
    options = ("-o", "b.onnx", "--unsafe", "--energy", "0.99")
    told = only(run("fix", "low.onnx", *options, *JSON))
    (group,) = told["applied"]
    assert (group["code"], group["kind"]) == ("ARC104", "approximate")
    assert "; relative error " in group["places"][0]["title"]
    assert len(told["notes"]) == 1
    (error,) = (one for one in told["errors"] if one["value"] == "y")
    assert error["relative"] <= sqrt(1 - 0.99)
    ran = run("fix", "clean.onnx", "-o", "b.onnx", "--unsafe", "--energy", "0.99", *QUICK)
    assert "  note      No layer becomes low-rank: none has a form that saves time " in ran.out


def test_a_schema_is_printed_and_closed(run: Run) -> None:
    schema = run("schema", "fix").document
    Draft202012Validator.check_schema(schema)
    document = {
        "schema_version": fix_json.SCHEMA_VERSION,
        "tool": {"name": "archlint", "version": "0"},
        "models": [],
        "failures": [],
    }
    validator = Draft202012Validator(schema)
    assert validator.is_valid(document)
    assert not validator.is_valid({**document, "more": 1})
    assert not validator.is_valid({**document, "schema_version": fix_json.SCHEMA_VERSION + 1})


SPECIAL: Final = {
    "IR 3": (NORMALISED.replace("ir_version: 8", "ir_version: 3"), ["Conv", "Relu", "Sigmoid"]),
    "a branch": (
        f"""{HEAD} g (float[1,4,8,8] x) => (float[1,4,8,8] y)
        <bool yes = {{1}}, float[4,4,3,3] w> {{
          [if] z = If(yes) <
            then_branch = t () => (float[1,4,8,8] p) {{ p = Conv<pads=[1,1,1,1]>(x, w) }},
            else_branch = e () => (float[1,4,8,8] q) {{ q = Identity(x) }}>
          [copy] i = Identity(z)
          [relu] y = Relu(i)
        }}""",
        ["If", "Relu"],
    ),
    "a quantised layer": (
        f"""{HEAD} g (float[1,3,8,8] x) => (float[1,2,6,6] y)
        <float xs = {{0.02}}, uint8 xz = {{128}}, float ws = {{0.01}}, int8 wz = {{0}},
         int8[2,3,3,3] k = {{{", ".join(map(str, range(54)))}}}> {{
          [q] a = QuantizeLinear(x, xs, xz)
          [d] b = DequantizeLinear(a, xs, xz)
          [wd] w = DequantizeLinear(k, ws, wz)
          [conv] c = Conv(b, w)
          [copy] y = Identity(c)
        }}""",
        ["QuantizeLinear", "DequantizeLinear", "DequantizeLinear", "Conv"],
    ),
    "a weight of two layers": (
        f"""{HEAD} g (float[1,4,8,8] x) => (float[1,4,8,8] y)
        <float[4,4,3,3] w, float[4] s, float[4] b, float[4] m, float[4] v> {{
          [one] c = Conv<pads=[1,1,1,1]>(x, w)
          [norm] n = BatchNormalization(c, s, b, m, v)
          [copy] i = Identity(n)
          [two] y = Conv<pads=[1,1,1,1]>(i, w)
        }}""",
        None,  # folding into one of the two would store the weight twice
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("title", SPECIAL)
def test_special_models(title: str, folder: Path, run: Run) -> None:
    """What is rare is fixed around, and computes the same."""
    text, expected = SPECIAL[title]
    proto = model(text)
    if proto.ir_version < 4:  # where every initializer is an input too
        proto.graph.input.extend(
            helper.make_tensor_value_info(tensor.name, tensor.data_type, tensor.dims)
            for tensor in proto.graph.initializer
        )
    onnx.save(proto, "s.onnx")
    ran = run("fix", "s.onnx", "-o", "b.onnx", *QUICK)
    assert (ran.code, ran.err) == (0, "")
    if expected is not None:
        assert operators(folder / "b.onnx") == expected
    assert "Identity" not in operators(folder / "b.onnx")
    onnx.checker.check_model(onnx.load("b.onnx"), full_check=True)
    old, new = outputs(proto)[0], outputs(onnx.load("b.onnx"))[0]
    assert np.linalg.norm(new - old) <= 1e-5 * np.linalg.norm(old)


@pytest.mark.slow
def test_channels_are_padded_where_that_is_asked_for(folder: Path, run: Run) -> None:
    """With zeros: the function stays."""
    text = f"""{HEAD} g (float[1,63,28,28] x) => (float[1,63,28,28] y)
    <float[63,63,3,3] w> {{ [conv] y = Conv<pads=[1,1,1,1]>(x, w) }}"""
    save(folder / "p.onnx", text)
    (old,) = outputs(onnx.load("p.onnx"))
    assert "nothing to fix" in run("fix", "p.onnx", "-o", "b.onnx", *QUICK).out
    told = only(run("fix", "p.onnx", "-o", "b.onnx", "--pad-channels", *JSON))
    assert codes(told["applied"]) == ["ARC501"]
    assert operators(folder / "b.onnx") == ["Pad", "Conv"]
    weights = [list(one.dims) for one in onnx.load("b.onnx").graph.initializer]
    assert [63, 64, 3, 3] in weights
    (new,) = outputs(onnx.load("b.onnx"))
    assert np.linalg.norm(new - old) <= 1e-5 * np.linalg.norm(old)
    ran = run("fix", "clean.onnx", "--in-place", "--pad-channels")
    assert "  note      No convolution has channels that are worth filling up.\n" in ran.out


@pytest.mark.slow
def test_hostile_files_end_in_a_model_or_one_line(folder: Path, run: Run) -> None:
    """One in sixteen of the corpus; what is refused leaves no file."""
    for case in [case for case in CASES if case.name not in LARGE][::16]:
        path = case.write(folder)
        ran = run("fix", path, "-o", "out.onnx", "--budget", "0.1", "--timeout", "5")
        assert ran.code in (0, 3), (case.name, ran.err)
        assert len(ran.err.splitlines()) == (1 if ran.code else 0), (case.name, ran.err)
        assert Path("out.onnx").exists() is (ran.code == 0), case.name
        Path("out.onnx").unlink(missing_ok=True)
