"""Rules of others: installed packages and local files, what they may do, and what breaks them."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import onnx
import pytest

from archlint.analyzer.reader.text import from_text
from archlint.rule_modules import rules_at
from archlint.selection import covers
from command_line import Run
from rule_packages import ADVISING, EXAMPLE, PROPOSING, forget, install, install_example

DECODER = """agraph (float[1,64,64,64] x) => (float[1,32,128,128] y) <float[64,32,3,3] w> {
    [up] y = ConvTranspose <strides = [2,2], pads = [1,1,1,1], output_padding = [1,1]> (x, w)
}"""
LAYER = """agraph (float[1,4096] x) => (float[1,4096] y) <float[4096,4096] w> {
    [fc] y = MatMul (x, w)
}"""
HOUSE = f'plugins = ["{EXAMPLE}/house_rules"]\n'


@pytest.fixture(autouse=True)
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A working directory with two models, and a process that knows no plugin."""
    (tmp_path / "desk").mkdir()
    monkeypatch.chdir(tmp_path / "desk")
    for name, text in {"decoder": DECODER, "layer": LAYER}.items():
        onnx.save(from_text(text).proto, f"{name}.onnx")
    forget()
    yield tmp_path / "desk"
    forget()


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that packages are imported from."""
    (tmp_path / "site").mkdir()
    monkeypatch.syspath_prepend(tmp_path / "site")
    return tmp_path / "site"


def write(path: str, text: str) -> None:
    """A file below the working directory."""
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_text(text, encoding="utf-8")


def codes(run: Run, *arguments: str) -> list[str]:
    """The codes that a check finds, model by model."""
    ran = run("check", *arguments, "--output-format", "json")
    return [finding["code"] for model in ran.document["models"] for finding in model["findings"]]


def test_without_the_package_its_rules_are_unknown(run: Run) -> None:
    """So that what the next tests see is due to it."""
    assert run("rule", "HOUSE101").error.startswith("rule HOUSE101: there is no rule 'HOUSE101'")
    assert codes(run, "decoder.onnx") == []


def test_an_installed_package_is_known_everywhere(site: Path, run: Run) -> None:
    """By commands, selectors, options, severities and ignores; it runs by its group's default."""
    install_example(site)
    assert run("rule", "uneven-upsampling").out.startswith("HOUSE101 uneven-upsampling\n")
    listed = run("rule", "--all", "--output-format", "json").out
    assert '"code": "HOUSE101"' in listed
    assert '"code": "HOUSE201"' in listed
    assert codes(run, "decoder.onnx") == ["HOUSE101"]
    for selector in ("HOUSE", "HOUSE1", "house101", "uneven-upsampling", "ALL"):
        assert "HOUSE101" in codes(run, "decoder.onnx", "--select", selector)
        assert "HOUSE101" not in codes(run, "decoder.onnx", "--ignore", selector)
    assert codes(run, "decoder.onnx", "--set", "HOUSE101.min_side=129") == []
    write("archlint.toml", 'severity.HOUSE = "note"\n[[ignore]]\nrule = "HOUSE1"\nop = "Conv"\n')
    assert "ARC901" in codes(run, ".")  # the entry hides nothing
    write("archlint.toml", 'severity.HOUSE = "note"\nrules.HOUSE101.min-side = 100\n')
    assert run("decoder.onnx").code == 0
    write("archlint.toml", '[[ignore]]\nrule = "HOUSE1"\nop = "ConvTranspose"\n')
    assert codes(run, "decoder.onnx") == []
    assert '"HOUSE101"' in run("schema", "config").out


def test_a_finding_of_a_plugin_is_as_one_of_ours(site: Path, run: Run) -> None:
    """Priced: 9 products an input pixel and pair of channels become 4."""
    install_example(site)
    ran = run("decoder.onnx")
    now, then = 64 * 64 * 64 * 32 * 9, 64 * 64 * 64 * 32 * 4
    assert "HOUSE101 uneven-upsampling: " in ran.out
    assert f"{now:,} → {then:,} MACs" in ran.out
    assert ran.code == 1


@pytest.mark.parametrize("name", ["house-rules", "House_Rules", "house_rules", "archlint.rules"])
def test_an_installed_package_is_tested_by_its_name(site: Path, run: Run, name: str) -> None:
    """Or as a module; ours too."""
    install_example(site)
    ran = run("rule", "--test", name)
    assert "flags: " in ran.out
    assert ran.err == ""
    assert name == "archlint.rules" or ran.code == 0


@pytest.mark.parametrize(
    "value", ["acme_rules", "acme_rules:WideLinear", "house_rules.oversized_input"]
)
def test_what_an_entry_point_can_name(site: Path, run: Run, value: str) -> None:
    """A module, a rule, a module of a package."""
    shutil.copytree(EXAMPLE / "house_rules", site / "house_rules")
    install(site, PROPOSING, value)
    code = "HOUSE201" if value.startswith("house") else "ACME101"
    assert run("rule", code).code == 0
    assert run("rule", "HOUSE101").code == 2


LOCAL = [
    pytest.param("rules.py", {"rules.py": PROPOSING}, id="file"),
    pytest.param("rules/", {"rules/a.py": PROPOSING, "rules/b-2.py": ADVISING}, id="folder"),
    pytest.param(
        "rules",
        {
            "rules/__init__.py": "START = 1",
            "rules/a.py": f"from . import START\nfrom ._text import CODE\n{PROPOSING}".replace(
                '"ACME101"', "CODE"
            ).replace("from __future__ import annotations\n", ""),
            "rules/_text.py": 'CODE = "ACME101"',
            "rules/test_a.py": "raise SystemExit",
            "rules/note.txt": "no rule",
        },
        id="with-helpers",
    ),
]


@pytest.mark.parametrize(("plugin", "files"), LOCAL)
def test_a_local_plugin_holds_where_it_is_named(
    run: Run, plugin: str, files: dict[str, str]
) -> None:
    """For the models of that configuration, and those that extend it; not for others."""
    for name, text in files.items():
        write(name, text)
    path = list(sys.path)
    write("archlint.toml", f'plugins = ["{plugin}"]\nselect = ["ACME", "wide-linear"]\n')
    write("other/archlint.toml", "")
    write("more/archlint.toml", 'extend = "../archlint.toml"\nrules.ACME101.rank = 64\n')
    for folder in ("other", "more"):
        shutil.copy("layer.onnx", folder)
    for order in (["layer.onnx", "other", "more"], ["more", "other", "layer.onnx"]):
        assert codes(run, *order) == ["ACME101", "ACME101"]
        forget()
    assert codes(run, "other") == []
    assert sys.path == path
    assert run("config", "plugins").out == f'plugins = ["{plugin.rstrip("/")}"]  # archlint.toml\n'
    assert run("rule", "ACME101").code == 0
    assert codes(run, "layer.onnx", "--isolated") == []


def test_the_command_line_speaks_of_local_rules(run: Run) -> None:
    """Of those of the working directory's configuration, and of plugins that it names itself."""
    write("rules.py", PROPOSING)
    write("archlint.toml", 'plugins = ["rules.py"]')
    assert codes(run, "layer.onnx", "--select", "ACME101", "--set", "ACME101.rank=64") == [
        "ACME101"
    ]
    assert codes(run, "layer.onnx", "--config", "rules.ACME101.min_share=1.0") == []
    assert "ACME101" in run("schema", "config").out
    write("archlint.toml", "")
    forget()
    inline = ("--config", 'plugins=["rules.py"]', "--config", 'select=["ACME"]')
    assert codes(run, "layer.onnx", *inline) == ["ACME101"]
    assert run("check", "layer.onnx", "--select", "ACME101").code == 2


def test_files_of_one_name_keep_apart(run: Run) -> None:
    """In two folders; a file that is named twice is one."""
    write("a/rules.py", PROPOSING)
    write("b/rules.py", ADVISING)
    write("archlint.toml", 'plugins = ["a/rules.py", "b/rules.py", "./a/rules.py"]')
    found = run("rule", "--all", "--output-format", "json").out
    assert '"ACME101"' in found
    assert '"ACME201"' in found


TRUST = [
    pytest.param({"models/archlint.toml": HOUSE}, "models", ".", True, id="below"),
    pytest.param({"models/archlint.toml": HOUSE}, "decoder.onnx", "models", False, id="from-there"),
    pytest.param({"models/archlint.toml": HOUSE}, "models/decoder.onnx", ".", True, id="file"),
    pytest.param({"archlint.toml": HOUSE}, "models", ".", False, id="here"),
    pytest.param({"archlint.toml": HOUSE}, ".", "models", False, id="above"),
    pytest.param(
        {"archlint.toml": HOUSE, "models/archlint.toml": 'extend = "../archlint.toml"'},
        "models", ".", False, id="extends-ours",
    ),
    pytest.param(
        {"archlint.toml": 'extend = "base/x.toml"', "base/x.toml": HOUSE},
        "models", ".", False, id="ours-extends",
    ),
    pytest.param(
        {"models/archlint.toml": 'extend = "x.toml"', "models/x.toml": HOUSE},
        "models", ".", True, id="below-extends",
    ),
    pytest.param({"models/archlint.toml": "plugins = []"}, "models", ".", False, id="names-none"),
]  # fmt: skip


@pytest.mark.parametrize(("files", "model", "place", "refused"), TRUST)
def test_who_may_run_code(
    run: Run, monkeypatch: pytest.MonkeyPatch, desk: Path, files: dict[str, str], model: str,
    place: str, refused: bool,
) -> None:  # fmt: skip
    """A configuration around the working directory, and those that it extends."""
    for name, text in files.items():
        write(name, text)
    (desk / "models").mkdir(exist_ok=True)
    shutil.copy("decoder.onnx", "models")
    monkeypatch.chdir(desk / place)
    ran = run("check", model)
    if refused:
        assert (ran.code, ran.out) == (2, "")
        assert "plugins[0]: runs code, which a file can ask for only in or above" in ran.error
        assert f"run archlint from {desk}/models/, or give the file by --config" in ran.error
        given = run("check", model, "--config", str(next(iter(files))))
        assert "HOUSE101" in given.out
    else:
        named = any("house_rules" in text for text in files.values())
        assert ("HOUSE101" in ran.out) == named


BROKEN = [
    pytest.param("import not_there", "line 1: ModuleNotFoundError: No module named", id="import"),
    pytest.param("\nclass X(", "line 2: SyntaxError: '(' was never closed", id="syntax"),
    pytest.param("x = 1\n1 / 0", "line 2: ZeroDivisionError: division by zero", id="crash"),
    pytest.param("raise SystemExit(3)", "line 1: SystemExit: 3", id="exit"),
    pytest.param("x = 1", "defines no rule: no subclass of archlint.analyzer.rule.Rule", id="none"),
    pytest.param(
        PROPOSING.replace("ACME101", "ARC101"),
        "rule ARC101 (WideLinear): has the code 'ARC101'; codes with ARC are archlint's own",
        id="reserved",
    ),
    pytest.param(PROPOSING.replace("ACME101", "A1"), "has the code 'A1': write 2 to 6", id="code"),
    pytest.param(PROPOSING.replace('"ACME101"', "101"), "has the code 101: write", id="code-type"),
    pytest.param(
        PROPOSING.replace('    code = "ACME101"\n', ""),
        "rule WideLinear (WideLinear): has no code: write 2 to 6 capital letters", id="no-code",
    ),
    pytest.param(
        PROPOSING.replace('"wide-linear"', '"wide"'), "has the name 'wide': write two words", id="n"
    ),
    pytest.param(
        PROPOSING.replace('"wide-linear"', '"wide-convolution"'),
        "rule ACME101 (WideLinear): wide-convolution is a rule of archlint already", id="taken",
    ),
    pytest.param(
        PROPOSING.replace('"wide-linear"', '"unused-ignore"'), "a rule of archlint already", id="r"
    ),
    pytest.param(
        PROPOSING.replace('option(256, "features between the two layers", minimum=1)', "256"),
        "option rank: is no option: write name: int = option(", id="no-option",
    ),
    pytest.param(
        PROPOSING.replace('"features between the two layers"', '""'), "rank: has no help", id="help"
    ),
    pytest.param(
        PROPOSING.replace("rank: int", "rank: str"), "rank: is a str; options are int", id="type"
    ),
    pytest.param(PROPOSING.replace("option(256", "option(0"), "beyond its bounds", id="bounds"),
    pytest.param(PROPOSING.replace("option(256", "option(None"), "has no default", id="default"),
    pytest.param(
        PROPOSING.replace("@dataclass(frozen=True)\n", ""), "is no dataclass: write", id="plain"
    ),
    pytest.param(
        PROPOSING.replace("FixKind.APPROXIMATE\n", '"approximate"\n'),
        "kind must be a FixKind, not 'approximate'", id="kind",
    ),
    pytest.param(
        PROPOSING.replace("def propose", "def suggest"),
        "has the kind approximate and no method propose", id="no-propose",
    ),
    pytest.param(PROPOSING.replace("def match", "def find"), "has no method match", id="no-match"),
    pytest.param(
        ADVISING.replace("    advice =", "    other ="), "kind decision and no advice", id="advice"
    ),
    pytest.param(
        f"{PROPOSING}\n@dataclass(frozen=True)\nclass Second(WideLinear):\n    pass\n",
        "rule ACME101 (Second): ACME101 is a rule of ", id="twice",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("source", "told"), BROKEN)
def test_a_broken_local_plugin_is_one_line(run: Run, source: str, told: str) -> None:
    """Which names the configuration and the file."""
    write("rules.py", source)
    write("archlint.toml", 'plugins = ["rules.py"]')
    ran = run("layer.onnx")
    assert (ran.code, ran.out) == (2, "")
    assert ran.error.startswith("archlint.toml: plugins")
    assert "'rules.py': " in ran.error
    assert told in ran.error


@pytest.mark.parametrize(("source", "told"), BROKEN)
def test_a_broken_package_is_one_line(site: Path, run: Run, source: str, told: str) -> None:
    """Which names the package; what needs no rules does not mind it."""
    install(site, source)
    ran = run("layer.onnx")
    assert (ran.code, ran.out) == (2, "")
    assert ran.error.startswith("plugin 'acme-rules' (entry point 'acme')")
    assert told in ran.error
    assert run("cost", "layer.onnx").code == 0


def test_two_packages_with_one_rule_are_told(site: Path, run: Run) -> None:
    """The second by the name of its entry point."""
    install(site, PROPOSING)
    install(site, PROPOSING, package="zeta-rules", value="acme_rules:WideLinear")
    assert run("layer.onnx").code == 1  # the same class twice is one rule
    write("rules.py", PROPOSING)
    write("archlint.toml", 'plugins = ["rules.py"]')
    assert "ACME101 is a rule of the plugin zeta-rules already" in run("layer.onnx").error


@pytest.mark.parametrize(
    ("path", "told"),
    [
        pytest.param("no.py", "'no.py': there is no such file or folder", id="missing"),
        pytest.param("layer.onnx", "is no folder, and no file '*.py'", id="no-python"),
        pytest.param("empty", "'empty': defines no rule", id="empty-folder"),
        pytest.param("outer", "folders within it are not looked into: give inner", id="too-high"),
        pytest.param(" ", "plugins[0]: must not be empty", id="blank"),
        pytest.param("a\x1b[31m.py", "'a\\x1b[31m.py': there is no such file", id="escaped"),
    ],
)
def test_a_path_without_rules_is_told(run: Run, desk: Path, path: str, told: str) -> None:
    """In one line without control characters."""
    (desk / "empty").mkdir()
    (desk / "outer" / "inner").mkdir(parents=True)
    (desk / "outer" / "inner" / "rules.py").write_text(PROPOSING, encoding="utf-8")
    write("archlint.toml", f'plugins = ["{path}"]'.replace("\x1b", "\\u001b"))
    assert told in run("layer.onnx").error


def test_an_entry_point_that_is_no_rule_is_told(site: Path, run: Run) -> None:
    """A function, or a name that is not there."""
    install(site, f"{PROPOSING}\ndef rules(): pass\n", "acme_rules:rules")
    assert "'acme_rules:rules' is no rule, module or package" in run("layer.onnx").error


FAULTS = [
    pytest.param(
        "        (node,) = match.nodes\n", "        1 / 0\n", "ZeroDivisionError", id="propose"
    ),
    pytest.param(
        "        graph = context.graph\n", "        graph = 1 / 0\n", "ZeroDivision", id="match"
    ),
    pytest.param(
        "        (node,) = match.nodes\n",
        "        raise SystemExit(0)\n",
        "SystemExit: 0",
        id="exit",
    ),
    pytest.param(
        "Match((node,), f",
        "Match([node.name], f",
        "TypeError: the nodes of a Match must be",
        id="nodes",
    ),
    pytest.param(
        '{"u": u, "v": v})', '{"u": [u], "v": v})', "TypeError: the evidence of a Match", id="facts"
    ),
    pytest.param(
        'yield Match((node,), f"a fully connected layer {u:,}→{v:,}", {"u": u, "v": v})',
        "yield node",
        "TypeError: match yields a Node where a Match is wanted",
        id="no-match",
    ),
    pytest.param(
        "output=node.output(0)",
        'output="z"',
        "ValueError: the proposal does not make 'y'",
        id="unfit",
    ),
]


@pytest.mark.parametrize(("old", "new", "told"), FAULTS)
def test_a_rule_that_fails_is_a_finding(run: Run, old: str, new: str, told: str) -> None:
    """That names the plugin and where it has one the line; other rules go on; exit code 2."""
    assert PROPOSING.count(old) == 1
    source = PROPOSING.replace(old, new)
    write("lint_rules/wide.py", source)
    write("archlint.toml", f'plugins = ["lint_rules", "{EXAMPLE}/house_rules"]')
    ran = run("layer.onnx", "decoder.onnx", "--output-format", "concise")
    assert ran.code == 2
    assert "rule ACME101 failed: " in ran.out
    assert told in ran.out
    assert "this is a fault of the plugin lint_rules/wide.py" in ran.out
    if new.lstrip() in source.splitlines(keepends=True):
        assert f"wide.py, line {source[: source.index(new)].count(chr(10)) + 1}" in ran.out
    assert "HOUSE101" in ran.out


def test_options_that_a_rule_refuses_are_one_line(run: Run) -> None:
    """Its own check of them fails where the rule is made."""
    check = "    def __post_init__(self) -> None:\n        assert self.rank % 2 == 0, 'odd'\n"
    write("rules.py", PROPOSING.replace("    def match", f"{check}\n    def match"))
    write("archlint.toml", 'plugins = ["rules.py"]')
    told = run("check", "layer.onnx", "--set", "ACME101.rank=3").error
    assert told == "rule ACME101: cannot be made with rank=3: AssertionError: odd"
    assert codes(run, "layer.onnx", "--set", "ACME101.rank=4") == ["ACME101"]


@pytest.mark.parametrize(
    ("prefix", "expected"),
    [("AB", True), ("AB1", True), ("AB10", True), ("AB101", True),
     ("A", False), ("ABC", False), ("AB2", False), ("AB1012", False), ("1", False), ("", False)],
)  # fmt: skip
def test_a_prefix_has_all_letters(prefix: str, expected: bool) -> None:
    """As those of ruff: letters whole, then any digits."""
    assert covers(prefix, "AB101") is expected


def test_rules_are_imported_once_and_privately(desk: Path) -> None:
    """Under a name of their own; one that fails leaves no module behind."""
    write("rules.py", PROPOSING)
    write("broken.py", "1 / 0")
    before = set(sys.modules)
    rules = rules_at("rules.py")
    assert rules is rules_at(str(desk / "rules.py"))
    added = set(sys.modules) - before
    assert {rules[0].__module__} == {name for name in added if "archlint_plugin" in name}
    with pytest.raises(ValueError, match="line 1: ZeroDivisionError"):
        rules_at("broken.py")
    assert set(sys.modules) - before == added
