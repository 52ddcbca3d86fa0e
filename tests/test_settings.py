"""Settings: how files are found, read and checked, what wins, and the JSON Schema of them."""

from __future__ import annotations

import json
import os
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from archlint import __version__
from archlint.analyzer.errors import ConfigError
from archlint.analyzer.finding import Severity
from archlint.analyzer.targets import profile
from archlint.budget_kinds import Located
from archlint.choices import FailOn, Format
from archlint.config import Chosen
from archlint.configuration import configure
from archlint.discovery import nearest_file
from archlint.kinds import Place
from archlint.patterns import Pattern
from archlint.reading import KINDS, layers_of, parse, read_settings
from archlint.remarks import REMARKS
from archlint.rules import all_rules
from archlint.selection import Selection, selected
from archlint.settings import FIELDS, Layer, Settings, combine
from archlint.settings_schema import schema

DEFAULT = {rule.code for rule in selected(all_rules(), [])}
SCHEMA = Draft202012Validator(json.loads(schema()))
HEXAGON = str(Path(profile.__file__).with_name("qualcomm-hexagon.toml"))


def read(text: str) -> Settings:
    return read_settings(Place("x.toml", "/project", rules=all_rules()), tomllib.loads(text))


def write(folder: Path, name: str, text: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


RIGHT = [
    pytest.param("", {}, id="nothing"),
    pytest.param('extend = "../x.toml"', {"extend": "../x.toml"}, id="extend"),
    pytest.param('required-version = ">=0.1"', {"required_version": ">=0.1"}, id="version"),
    pytest.param("plugins = []", {"plugins": ()}, id="plugins"),
    pytest.param('select = ["ARC1", "ALL"]', {"select": ("ARC1", "ALL")}, id="select"),
    pytest.param("select = []", {"select": ()}, id="select-nothing"),
    pytest.param('extend-select = ["ARC103"]', {"extend_select": ("ARC103",)}, id="extend-select"),
    pytest.param('ignore = ["wide-convolution"]', {"ignore": ("ARC101",)}, id="name-is-code"),
    pytest.param(
        'per-file-ignores."old/*" = ["ARC2"]',
        {"per_file_ignores": {Pattern("old/*", "/project"): ("ARC2",)}},
        id="per-file",
    ),
    pytest.param(
        '[severity]\nARC101 = "error"\nARC2 = "note"',
        {"severity": {"ARC101": Severity.ERROR, "ARC2": Severity.NOTE}},
        id="severity",
    ),
    pytest.param(
        "[rules.ARC101]\nreduction = 0.5\nmin-channels = 32\nwidth = 8",
        {"rules": {"ARC101": {"reduction": 0.5, "min_channels": 32, "width": 8}}},
        id="options",
    ),
    pytest.param(
        '[rules.wide-convolution]\nwidth = "none"',
        {"rules": {"ARC101": {"width": None}}},
        id="undecided-option",
    ),
    pytest.param(
        "[rules.ARC101]\nreduction = 1", {"rules": {"ARC101": {"reduction": 1.0}}}, id="whole-share"
    ),
    pytest.param('fail-on = "never"', {"fail_on": FailOn.NEVER}, id="fail-on"),
    pytest.param('output-format = "json"', {"output_format": Format.JSON}, id="format"),
    pytest.param('target = "generic-avx2"', {"target": "generic-avx2"}, id="target"),
    pytest.param(f'target = "{HEXAGON}"', {"target": HEXAGON}, id="file-of-a-target"),
    pytest.param("[dims]\nbatch = 8", {"dims": {"batch": 8}}, id="dims"),
    pytest.param(
        "[input-shapes]\nx = [1, 3, 8, 8]", {"input_shapes": {"x": (1, 3, 8, 8)}}, id="shapes"
    ),
    pytest.param("require-reason = true", {"require_reason": True}, id="require-reason"),
    pytest.param("budget = []", {"budget": ()}, id="no-budget"),
    pytest.param(
        'baseline = "ci/known.json"',
        {"baseline": Located("ci/known.json", "/project")},
        id="baseline",
    ),
    pytest.param(
        'baseline-tolerance = " 2% "', {"baseline_tolerance": "2%"}, id="baseline-tolerance"
    ),
    pytest.param("model-ignores = false", {"model_ignores": False}, id="model-ignores"),
    pytest.param(
        'exclude = ["vendor/**"]', {"exclude": (Pattern("vendor/**", "/project"),)}, id="exclude"
    ),
    pytest.param("exclude = []", {"exclude": ()}, id="exclude-nothing"),
    pytest.param(
        'extend-exclude = ["a"]',
        {"extend_exclude": (Pattern("a", "/project"),)},
        id="extend-exclude",
    ),
    pytest.param("force-exclude = true", {"force_exclude": True}, id="force-exclude"),
    pytest.param('ignore = ["ARC901"]', {"ignore": ("ARC901",)}, id="ignore-a-remark"),
    pytest.param('ignore = ["unused-ignore"]', {"ignore": ("ARC901",)}, id="name-of-a-remark"),
    pytest.param(
        'severity.ARC9 = "note"', {"severity": {"ARC9": Severity.NOTE}}, id="severity-of-remarks"
    ),
]


@pytest.mark.parametrize(("text", "expected"), RIGHT)
def test_a_right_setting_is_read(text: str, expected: dict[str, Any]) -> None:
    """What is given has its type, and the JSON Schema takes it too."""
    settings = read(text)
    assert {name: getattr(settings, name) for name in settings.given} == expected
    SCHEMA.validate(tomllib.loads(text))


def test_every_setting_is_tried() -> None:
    """The table above leaves none out."""
    tried = {name for case in RIGHT for name in read(str(case.values[0])).given}
    assert {name.replace("_", "-") for name in tried} == set(FIELDS) == set(KINDS)


WRONG = [
    pytest.param("selct = []", "there is no key 'selct'; did you mean 'select'?", id="key"),
    pytest.param("fail_on = 1", "did you mean 'fail-on'?", id="underscore"),
    pytest.param("xyzzy = 1", "; there are extend, required-version", id="nothing-near"),
    pytest.param('select = "ARC1"', "select: must be a list, not a text", id="no-list"),
    pytest.param("select = [1]", "select[0]: must be a text, not a whole number", id="no-text"),
    pytest.param(
        'ignore = ["ARC1O1"]', "ignore[0]: there is no rule 'ARC1O1'; did you mean", id="selector"
    ),
    pytest.param('ignore = [""]', "ignore[0]: there is no rule ''", id="empty-selector"),
    pytest.param('extend = " "', "extend: must not be empty", id="empty"),
    pytest.param('fail-on = "eror"', "fail-on: there is no 'eror'; did you mean 'error'?", id="e"),
    pytest.param('fail-on = "x"', "it can be error, warning, note, never", id="choice"),
    pytest.param("fail-on = true", "fail-on: must be a text, not a truth value", id="flag-no-text"),
    pytest.param('severity.ARC101 = "eror"', "severity.ARC101: there is no 'eror'", id="severity"),
    pytest.param('severity.ARC1O1 = "error"', "severity.ARC1O1: there is no rule", id="of-what"),
    pytest.param("severity = 1", "severity: must be a table, not a whole number", id="no-table"),
    pytest.param(
        'severity.ARC101 = "error"\nseverity.wide-convolution = "note"',
        "severity.wide-convolution: says again what stands above it",
        id="twice",
    ),
    pytest.param("rules.ARC1O1.width = 1", "rules.ARC1O1: there is no rule", id="rule"),
    pytest.param("rules.ARC1 = {}", "there is no rule 'ARC1'", id="prefix-is-no-rule"),
    pytest.param("rules.ARC101 = 1", "rules.ARC101: must be a table", id="rule-no-table"),
    pytest.param("rules.ARC101.widht = 1", "did you mean 'width'?", id="option"),
    pytest.param(
        "rules.ARC101.width = 0", "rules.ARC101.width: width must be at least 1, not 0", id="bound"
    ),
    pytest.param("rules.ARC101.width = 2.5", "whole number, not '2.5'", id="no-whole-number"),
    pytest.param("rules.ARC101.width = true", "whole number, not 'True'", id="truth-value"),
    pytest.param('rules.ARC101.reduction = "none"', "must be a number", id="must-be-decided"),
    pytest.param(f"rules.ARC101.reduction = {10**400}", "between 0.01 and 1, not 1000", id="huge"),
    pytest.param(
        "rules.ARC101.width = 1\nrules.wide-convolution.width = 2", "again", id="rule-twice"
    ),
    pytest.param('target = "hexagon"', "did you mean 'qualcomm-hexagon'?", id="target"),
    pytest.param('target = "no.toml"', "target: cannot be read: No such file", id="no-target"),
    pytest.param("dims.n = 0", "dims.n: must be a positive whole number", id="dim"),
    pytest.param(f"dims.n = {2**63}", "dims.n: must be a positive whole number", id="large-dim"),
    pytest.param("dims.n = 1.5", "dims.n: must be a whole number, not a number", id="dim-share"),
    pytest.param("input-shapes.x = []", "input-shapes.x: must not be empty", id="no-dims"),
    pytest.param("input-shapes.x = [1, -1]", "input-shapes.x[1]: must be", id="shape"),
    pytest.param("require-reason = 1", "must be a truth value", id="flag"),
    pytest.param("[[ignore]]\nnode = 'x'", "ignore[0]: says no rule", id="ignore-without-rule"),
    pytest.param("[[ignore]]\nrul = 'x'", "ignore[0]: there is no key 'rul'", id="ignore-key"),
    pytest.param(
        "[[ignore]]\nrule = 'ALL'\nexpires = 'soon'", "ignore[0].expires: must be a date", id="date"
    ),
    pytest.param(
        "[[ignore]]\nrule = 'ARC901'", "ignore[0].rule: ARC901 is no finding in", id="remark-entry"
    ),
    pytest.param("ignore = [{rule = 'ARC9'}]", "ARC9 is no finding in", id="remarks-entry"),
    pytest.param("exclude = 'vendor'", "exclude: must be a list, not a text", id="exclude-text"),
    pytest.param("exclude = ['']", "exclude[0]: must not be empty", id="exclude-empty"),
    pytest.param("force-exclude = 1", "must be a truth value", id="force-exclude-1"),
    pytest.param("model-ignores = 'no'", "must be a truth value", id="model-ignores-text"),
    pytest.param("budget = {}", "budget: must be a list, not a table", id="budget-table"),
    pytest.param("baseline = ''", "baseline: must not be empty", id="baseline-empty"),
    pytest.param("baseline-tolerance = '2'", "'2' is no share; write it as", id="tolerance"),
    pytest.param("baseline-tolerance = 2", "must be a text, not a whole", id="tolerance-number"),
]


@pytest.mark.parametrize(("text", "told"), WRONG)
def test_a_wrong_setting_is_told(text: str, told: str) -> None:
    """The file, the key and what would be right; the JSON Schema takes none of them either."""
    with pytest.raises(ConfigError) as error:
        read(text)
    assert error.value.source.startswith("x.toml")
    assert told in str(error.value)
    unseen = ("again", "soon", "no.toml")  # a schema knows no equal names, dates and files
    if not any(word in told + text for word in unseen):
        assert not SCHEMA.is_valid(tomllib.loads(text))


def test_the_schema_is_one() -> None:
    """It is valid itself, and knows every setting, rule and option."""
    document = json.loads(schema())
    Draft202012Validator.check_schema(document)
    assert set(document["properties"]) == set(FIELDS)
    for rule in all_rules():
        assert {rule.code, rule.name} <= set(document["$defs"]["options"]["properties"])
        options = document["$defs"][rule.code]["properties"]
        assert {name.replace("-", "_") for name in options} == set(rule().__dict__)


CONFIG = 'select = ["ARC1"]'


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        pytest.param({"archlint.toml": ""}, "archlint.toml", id="one"),
        pytest.param({"a/archlint.toml": "", "archlint.toml": ""}, "a/archlint.toml", id="nearest"),
        pytest.param({"archlint.toml": "", "a/x.toml": ""}, "archlint.toml", id="above"),
        pytest.param(
            {".archlint.toml": "", "archlint.toml": "", "pyproject.toml": "[tool.archlint]"},
            ".archlint.toml",
            id="hidden-first",
        ),
        pytest.param(
            {"archlint.toml": "", "pyproject.toml": "[tool.archlint]"}, "archlint.toml", id="own"
        ),
        pytest.param({"pyproject.toml": "[tool.archlint]"}, "pyproject.toml", id="pyproject"),
        pytest.param(
            {"a/pyproject.toml": '[project]\nname = "archlint"', "archlint.toml": ""},
            "archlint.toml",
            id="pyproject-of-another",
        ),
        pytest.param(
            {"a/pyproject.toml": "broken [", "archlint.toml": ""}, "archlint.toml", id="not-parsed"
        ),
        pytest.param({"b/archlint.toml": ""}, None, id="beside"),
    ],
)
def test_the_nearest_file_counts(
    files: dict[str, str], expected: str | None, tmp_path: Path
) -> None:
    """From the folder upwards; in one folder by its name."""
    for name, text in files.items():
        write((tmp_path / name).parent, Path(name).name, text)
    (tmp_path / "a" / "deep").mkdir(parents=True)
    known: dict[str, str | None] = {str(tmp_path.parent): None}
    found = nearest_file(str(tmp_path / "a" / "deep"), known)
    assert found == (None if expected is None else str(tmp_path / expected))
    assert known[str(tmp_path / "a")] == found


def test_a_folder_of_that_name_is_no_file(tmp_path: Path) -> None:
    """As pipes and devices are none."""
    (tmp_path / "archlint.toml").mkdir()
    assert nearest_file(str(tmp_path), {str(tmp_path.parent): None}) is None


def test_extended_files_come_first(tmp_path: Path) -> None:
    """A chain over folders, of both kinds of file; what the nearest says wins."""
    write(tmp_path, "pyproject.toml", '[tool.archlint]\nfail-on = "note"\ntarget = "generic-avx2"')
    write(tmp_path / "a", "base.toml", 'extend = "../pyproject.toml"\nfail-on = "error"')
    path = write(tmp_path / "a" / "b", "archlint.toml", 'extend = "../base.toml"\ndims.n = 8')
    layers = layers_of(str(path))
    names = [Path(layer.source).name for layer in layers]
    assert names == ["pyproject.toml", "base.toml", "archlint.toml"]
    settings, sources = combine(layers)
    assert (settings.fail_on, settings.target, settings.dims) == (
        FailOn.ERROR,
        "generic-avx2",
        {"n": 8},
    )
    assert Path(sources["fail-on"]).name == "base.toml"


def test_a_file_that_extends_itself_is_told(tmp_path: Path) -> None:
    """Over any number of steps, and links."""
    write(tmp_path, "a.toml", 'extend = "b.toml"')
    write(tmp_path, "b.toml", 'extend = "link.toml"')
    (tmp_path / "link.toml").symlink_to("a.toml")
    with pytest.raises(ConfigError, match="extends itself") as error:
        layers_of(str(tmp_path / "a.toml"))
    assert error.value.source.endswith("b.toml")


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        pytest.param("archlint.toml", b"select = [", "is no TOML: ", id="broken"),
        pytest.param("archlint.toml", b"a = 1\n= 2", "(at line 2, column 1)", id="line"),
        pytest.param("archlint.toml", b"\xff\xfe", "is no TOML: 'utf-8' codec", id="no-utf-8"),
        pytest.param("archlint.toml", b"a = " + b"[" * 9999, "nested too deeply", id="deep"),
        pytest.param("archlint.toml", b"a = " + b"9" * 9999, "is no TOML: ", id="digits"),
        pytest.param("archlint.toml", b"#" * 8_000_001, "larger than 8 MB", id="large"),
        pytest.param("archlint.toml", b"\x00", "is no TOML: ", id="zero"),
        pytest.param("archlint.toml", b"[tool.archlint]", "leave its name out", id="tool"),
        pytest.param("archlint.toml", b'extend = "no.toml"', "extend: there is no file", id="none"),
        pytest.param("pyproject.toml", b"[tool]\narchlint = 1", "must be a table", id="no-table"),
        pytest.param("pyproject.toml", b"[tool.x]", "has no table [tool.archlint]", id="no-tool"),
        pytest.param("pyproject.toml", b"tool = 1", "has no table [tool.archlint]", id="tool-1"),
        pytest.param(
            "pyproject.toml",
            b"[tool.archlint]\nselct = 1",
            "tool.archlint: there is no key 'selct'",
            id="key-of-pyproject",
        ),
        pytest.param(
            "archlint.toml",
            b'required-version = ">=9"\nnew = 1',
            f"this is {__version__}",
            id="old",
        ),
        pytest.param("archlint.toml", b'required-version = "new"', "names no versions", id="spec"),
        pytest.param("archlint.toml", b"required-version = 1", "must be a text", id="version-1"),
    ],
)
def test_a_broken_file_is_one_line(name: str, content: bytes, told: str, tmp_path: Path) -> None:
    """Whatever is in it, the file is named and the reason is told."""
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(ConfigError) as error:
        layers_of(str(path))
    assert error.value.source == str(path)
    assert told in error.value.why


@pytest.mark.parametrize(
    "wanted", [__version__, f"=={__version__}", ">=0.1,<9", f"~={__version__}"]
)
def test_a_wanted_version_is_taken(wanted: str, tmp_path: Path) -> None:
    """A plain version is that one."""
    (layer,) = layers_of(str(write(tmp_path, "x.toml", f'required-version = "{wanted}"')))
    assert layer.settings.required_version == wanted


def test_a_byte_order_mark_is_no_fault() -> None:
    """Editors of Windows write one."""
    assert parse("x", b"\xef\xbb\xbfa = 1\r\n") == {"a": 1}


@pytest.mark.parametrize(
    ("pattern", "path", "matches"),
    [
        pytest.param("m.onnx", "m.onnx", True, id="name"),
        pytest.param("m.onnx", "a/b/m.onnx", True, id="name-at-any-depth"),
        pytest.param("*.onnx", "a/m.onnx", True, id="star"),
        pytest.param("m_?.onnx", "a/m_1.onnx", True, id="question-mark"),
        pytest.param("m_[0-9].onnx", "m_x.onnx", False, id="range"),
        pytest.param("old", "a/old/m.onnx", True, id="folder-at-any-depth"),
        pytest.param("old/", "old/b/m.onnx", True, id="folder-with-slash"),
        pytest.param("old", "a/older/m.onnx", False, id="not-a-part-of-a-name"),
        pytest.param("a/*.onnx", "a/m.onnx", True, id="in-folder"),
        pytest.param("a/*.onnx", "a/b/m.onnx", False, id="star-stays-in-its-folder"),
        pytest.param("a/*.onnx", "b/a/m.onnx", False, id="anchored"),
        pytest.param("./m.onnx", "a/m.onnx", False, id="anchored-name"),
        pytest.param("a/**/m.onnx", "a/m.onnx", True, id="no-folder-between"),
        pytest.param("a/**/m.onnx", "a/b/c/m.onnx", True, id="folders-between"),
        pytest.param("a/**", "a/b/m.onnx", True, id="all-in"),
        pytest.param("**", "m.onnx", True, id="all"),
        pytest.param(".", "a/m.onnx", True, id="own-folder"),
        pytest.param("../x/*", "../x/m.onnx", True, id="above"),
        pytest.param("a/*", "../a/m.onnx", False, id="outside"),
    ],
)
def test_patterns_mean_paths(pattern: str, path: str, matches: bool, tmp_path: Path) -> None:
    """As those of .gitignore do: relative to their file."""
    folder = tmp_path / "project"
    assert Pattern(pattern, str(folder)).matches(os.path.join(folder, path)) == matches


@pytest.mark.parametrize(
    ("selections", "expected"),
    [
        pytest.param([], DEFAULT, id="default"),
        pytest.param([{"ignore": ["ARC101"]}], DEFAULT - {"ARC101"}, id="ignore"),
        pytest.param([{"extend_select": ["ARC103"]}], DEFAULT | {"ARC103"}, id="extend"),
        pytest.param(
            [{"ignore": ["ARC101"]}, {"select": ["ARC101"]}], {"ARC101"}, id="select-starts-afresh"
        ),
        pytest.param(
            [{"select": ["ARC101"]}, {"extend_select": ["ARC201"]}], {"ARC101", "ARC201"}, id="adds"
        ),
        pytest.param(
            [{"extend_select": ["ARC103"]}, {"select": ["ARC101"]}], {"ARC101"}, id="no-carry"
        ),
        pytest.param(
            [{"select": ["ARC101", "ARC201"]}, {"ignore": ["ARC2"]}], {"ARC101"}, id="later-ignore"
        ),
        pytest.param(
            [{"select": ["ARC101"]}, {"ignore": ["ARC1"]}], set(), id="later-prefix-beats-code"
        ),
        pytest.param([{"select": []}], set(), id="nothing-selected"),
    ],
)
def test_places_change_what_runs(
    selections: Sequence[dict[str, list[str]]], expected: set[str]
) -> None:
    """As ruff 0.17.6 does, asked with F401 and E702 in these places."""
    assert {
        rule.code for rule in selected(all_rules(), [Selection(**s) for s in selections])
    } == expected


def test_tables_are_merged_entry_by_entry() -> None:
    """Later entries win, others stay, and each has its source."""
    first = (
        'severity.ARC101 = "note"\nrules.ARC101 = {width = 8, min_channels = 2}\nignore=["ARC2"]'
    )
    second = 'severity.ARC2 = "error"\nrules.ARC101.width = 9\nignore = ["ARC3"]'
    settings, sources = combine([Layer("a", read(first)), Layer("b", read(second))])
    assert settings.severity == {"ARC101": Severity.NOTE, "ARC2": Severity.ERROR}
    assert settings.rules == {"ARC101": {"width": 9, "min_channels": 2}}
    assert settings.ignore == ("ARC2", "ARC3")
    assert sources == {
        "severity.ARC101": "a", "severity.ARC2": "b", "rules.ARC101.width": "b",
        "rules.ARC101.min_channels": "a", "ignore": "a, b",
    }  # fmt: skip


def chosen(text: str, model: str, folder: Path, **options: Any) -> Chosen:
    write(folder, "archlint.toml", text)
    return configure(**options).chosen(str(folder / model))


def test_rules_are_left_out_by_path(tmp_path: Path) -> None:
    """However narrowly they are selected; alternatives too."""
    text = 'select = ["ARC101", "ARC201"]\nper-file-ignores = {"old" = ["ARC1"], "x*" = ["ARC2"]}'
    codes = {
        model: [rule.code for rule in chosen(text, model, tmp_path).rules]
        for model in ("m.onnx", "old/m.onnx", "x.onnx", "old/x.onnx")
    }
    expected = {"m.onnx": ["ARC101", "ARC201"], "old/m.onnx": ["ARC201"]}
    assert codes == {**expected, "x.onnx": ["ARC101"], "old/x.onnx": []}
    silent = chosen('per-file-ignores."*" = ["ARC103"]', "m.onnx", tmp_path).alternatives
    assert "ARC103" not in [rule.code for rule in silent]


def test_severities_go_by_the_narrowest_selector(tmp_path: Path) -> None:
    """A code beats a prefix, a prefix ALL."""
    text = '[severity]\nALL = "note"\nARC1 = "warning"\nARC101 = "error"'
    found = chosen(text, "m.onnx", tmp_path).severities
    assert (found["ARC101"], found["ARC102"], found["ARC201"]) == (3, 2, 1)
    assert set(found) == {r.code for r in all_rules()} | {remark.code for remark in REMARKS}


def test_the_command_line_wins(tmp_path: Path) -> None:
    """Over --config key=value, which wins over files."""
    text = "dims = {a = 1, b = 1, c = 1}\nrules.ARC101 = {width = 1, min_channels = 3}"
    found = chosen(
        text, "m.onnx", tmp_path, config=["dims.b=2", "dims.c=2", "rules.ARC101.width=2"],
        dims=["c=3"], options=["ARC101.width=3"], select=["ARC101"],
    )  # fmt: skip
    assert found.bindings.dims == {"a": 1, "b": 2, "c": 3}
    (rule,) = found.rules
    assert (rule.__dict__["width"], rule.__dict__["min_channels"]) == (3, 3)


def test_isolated_looks_for_no_file(tmp_path: Path) -> None:
    """But --config key=value holds."""
    found = chosen(CONFIG, "m.onnx", tmp_path, isolated=True, config=["dims.n=8"])
    assert {rule.code for rule in found.rules} == DEFAULT
    assert found.bindings.dims == {"n": 8}


def test_one_file_for_all(tmp_path: Path) -> None:
    """--config FILE stands in place of what would be found."""
    other = write(tmp_path / "b", "other.toml", 'select = ["ARC201"]')
    found = chosen(CONFIG, "m.onnx", tmp_path, config=[str(other)])
    assert [rule.code for rule in found.rules] == ["ARC201"]


@pytest.mark.parametrize(
    ("config", "isolated", "told"),
    [
        pytest.param(["no.toml"], False, "no such file", id="no-file"),
        pytest.param(["fail-on=error"], False, "write the value as TOML", id="no-quotes"),
        pytest.param(["fail-no='error'"], False, "did you mean 'fail-on'?", id="key"),
        pytest.param(["extend='x.toml'"], False, "only a file can say extend", id="extend"),
        pytest.param(["required-version='1'"], False, "only a file can say", id="version"),
        pytest.param(["a.toml", "b.toml"], False, "a.toml is given already", id="two-files"),
        pytest.param(["a.toml"], True, "--isolated uses no file", id="isolated"),
    ],
)
def test_a_wrong_config_option_is_told(
    config: list[str], isolated: bool, told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the option as it was given."""
    monkeypatch.chdir(tmp_path)
    write(tmp_path, "a.toml", "")
    write(tmp_path, "b.toml", "")
    with pytest.raises(ConfigError) as error:
        configure(config, isolated=isolated)
    assert error.value.source.startswith(f"--config {config[-1]}")
    assert told in error.value.why
