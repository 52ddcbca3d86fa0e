"""``archlint rule --test``: every check is seen to hold, and seen to fail for what it is about."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from archlint.rules import all_rules
from command_line import Run
from rule_packages import ADVISING, EXAMPLE, PROPOSING, forget

PRODUCT = "4096 * 256 + 256 * 4096"
NEAR = '    Passes("narrower than the limit", _LAYER.replace("4096", "2047")),\n'
REST = NEAR + PROPOSING.partition(NEAR)[2]


@pytest.fixture(autouse=True)
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A working directory, and a process that knows no plugin."""
    monkeypatch.chdir(tmp_path)
    forget()
    yield tmp_path
    forget()


@pytest.mark.parametrize("source", [PROPOSING, ADVISING])
def test_a_sound_rule_holds(run: Run, desk: Path, source: str) -> None:
    """One line a check, a summary, exit code 0."""
    (desk / "rules.py").write_text(source, encoding="utf-8")
    ran = run("rule", "--test", "rules.py")
    title, *checks, blank, summary = ran.out.splitlines()
    assert title in ("ACME101 wide-linear", "ACME201 embedded-nms")
    assert all(check.startswith("  ok      ") for check in checks)
    assert blank == ""
    assert summary == f"1 rule, {len(checks)} checks: all of them hold"
    assert (ran.code, ran.err) == (0, "")


def changed(old: str, new: str, source: str = PROPOSING) -> str:
    """The source of a rule with one fault."""
    assert old in source
    return source.replace(old, new)


FAILS = [
    pytest.param(changed("ACME101", "ARC177"), "metadata", "has the code 'ARC177'", id="reserved"),
    pytest.param(changed('"wide-linear"', '"Wide"'), "metadata", "has the name 'Wide'", id="name"),
    pytest.param(changed('since = "1.0.0"', 'since = "new"'), "metadata", "has the since", id="s"),
    pytest.param(
        changed('"1.0.0"\n', '"1.0.0"\n    group = "cost"\n'),
        "metadata",
        "group must be a RuleGroup, not 'cost'",
        id="group",
    ),
    pytest.param(
        changed("    advice =", "    text =", ADVISING), "metadata", "no advice", id="advice"
    ),
    pytest.param(changed("option(256", "option(0"), "options", "rank: has the default 0", id="bnd"),
    pytest.param(changed("option(256", "option(2.5"), "options", "which is no int", id="default"),
    pytest.param(changed(", minimum=1)", ")"), "options", "rank: has no minimum", id="minimum"),
    pytest.param(
        changed("wide on both sides.", "wide"),
        "documentation",
        "must begin with one sentence on a line of its own",
        id="summary",
    ),
    pytest.param(
        changed("    Why it costs\n", "    Why it matters\n"),
        "documentation",
        "there is no section 'Why it matters'; there are: Why it costs, What to do",
        id="why",
    ),
    pytest.param(
        changed("    Not flagged\n", "    Nothing found\n"),
        "documentation",
        "there is no section 'Nothing found'",
        id="foreign-section",
    ),
    pytest.param(
        changed("    What to do\n        Take", "        Take"),
        "documentation",
        "there is no section 'What to do'",
        id="lacking-section",
    ),
    pytest.param(
        changed("    What to do\n", "    Not flagged\n").replace(
            "    Not flagged\n        Layers", "    What to do\n        Layers"
        ),
        "documentation",
        "the sections must stand in this order: Why it costs, What to do",
        id="order",
    ),
    pytest.param(
        changed("2015, arXiv:1504.08083, ", ""),
        "documentation",
        "the reference 'Girshick, Fast R-CNN, section 3.1.' has neither a year nor",
        id="source",
    ),
    pytest.param(
        changed("        Girshick, Fast R-CNN, 2015, arXiv:1504.08083, section 3.1.\n", ""),
        "documentation",
        "there is no section 'References'",
        id="no-source",
    ),
    pytest.param(
        changed("``min_share``", "``min_shares``"),
        "documentation",
        "speaks of an option min_shares, which there is not",
        id="no-such-option",
    ),
    pytest.param(changed(REST, ")\n"), "cases", "fewer than 1 Passes", id="no-passes"),
    pytest.param(changed("CASES", "_CASES"), "cases", "CASES has no Flags", id="no-cases"),
    pytest.param(f"{PROPOSING}CASES = [*CASES]\n", "cases", "CASES must be a tuple", id="no-tuple"),
    pytest.param(
        changed('"another rank"', '"a layer of VGG"'),
        "cases",
        "two cases have the title",
        id="title",
    ),
    pytest.param(
        changed(PRODUCT, "4096 * 256"),
        "flags: a layer of VGG",
        f"expected {4096 * 4096:,} → {4096 * 256:,} MACs, got {4096 * 4096:,} → {8192 * 256:,}",
        id="macs",
    ),
    pytest.param(
        changed(f"        macs=(4096 * 4096, {PRODUCT}),\n", ""),
        "flags: a layer of VGG",
        "states no macs",
        id="no-macs",
    ),
    pytest.param(
        changed('at="nms")', 'at="nms", macs=(1, 2))', ADVISING),
        "flags: the boxes",
        "expected 1 → 2 MACs, and the rule proposes nothing",
        id="macs-of-advice",
    ),
    pytest.param(
        changed('VGG",\n        _LAYER,', 'VGG",\n        _LAYER.replace("4096", "64"),'),
        "flags: a layer of VGG",
        "expected one finding at node 'fc', got nothing",
        id="silent",
    ),
    pytest.param(
        changed('at="fc"', 'at="fb"'),
        "flags: a layer of VGG",
        "expected one finding at node 'fb', got a finding at 'fc': a fully connected",
        id="place",
    ),
    pytest.param(
        changed('at="fc"', 'at=""'),
        "flags: a layer of VGG",
        "expected one finding without a node, got a finding at 'fc'",
        id="no-place",
    ),
    pytest.param(
        changed('_LAYER.replace("4096", "2047")', "_LAYER"),
        "passes: narrower than the limit",
        "expected nothing, got a finding at 'fc': a fully connected layer 4,096→4,096",
        id="passes",
    ),
    pytest.param(
        changed("(title, FixKind.APPROXIMATE,", "(title, FixKind.RETRAIN,"),
        "flags: a layer of VGG",
        "the proposal is of the kind retrain, the rule approximate",
        id="kind",
    ),
    pytest.param(
        changed(
            'builder.weight("second", (self.rank, v))', 'builder.weight("second", (self.rank, 8))'
        ),
        "flags: a layer of VGG",
        "output 'y' has the shape (1, 8) instead of (1, 4096)",
        id="shape",
    ),
    pytest.param(
        changed(">= max(self.min_features, 2 * self.rank)", ">= 2").replace(
            "    def match",
            "    def may_pay(self, *_): return True\n    pays = may_pay\n    def match",
        ),
        "flags: a layer of VGG",
        "the rule flags its own proposal: a finding at 'archlint0/",
        id="again",
    ),
    pytest.param(
        changed("[fc] y = MatMul", "[fc] y = acme.MatMul"),
        "flags: a layer of VGG",
        "the cost of node 'fc' is unknown: ",
        id="unknown-cost",
    ),
    pytest.param(
        changed("        u, v = int", "        1 / 0\n        u, v = int"),
        "flags: a layer of VGG",
        "got rule ACME101 failed: ZeroDivisionError: division by zero; this is a fault of the "
        "plugin rules.py, line ",
        id="crash",
    ),
    pytest.param(
        changed('options={"rank": 64}', 'options={"rang": 64}'),
        "flags: another rank",
        "TypeError: WideLinear.__init__() got an unexpected keyword argument 'rang'",
        id="option",
    ),
    pytest.param(
        changed('_LAYER = """agraph (', '_LAYER = """agraph ['),
        "flags: a layer of VGG",
        "the graph is no ONNX text: [ParseError at position",
        id="text",
    ),
    pytest.param(
        f"{PROPOSING}\n\n@dataclass(frozen=True)\nclass Other(WideLinear):\n    '''As it.'''\n",
        "unique",
        "the code 'ACME101' is that of ",
        id="twice",
    ),
    pytest.param(
        changed('"wide-linear"', '"wide-convolution"'),
        "unique",
        "the name 'wide-convolution' is that of WideConvolution too",
        id="name-of-ours",
    ),
]


@pytest.mark.parametrize(("source", "check", "told"), FAILS)
def test_a_fault_fails_its_check(run: Run, desk: Path, source: str, check: str, told: str) -> None:
    """The line of the check says what is wrong; exit code 1; the same as JSON."""
    (desk / "rules.py").write_text(source, encoding="utf-8")
    ran = run("rule", "--test", "rules.py")
    failed = [line for line in ran.out.splitlines() if line.startswith(f"  failed  {check}")]
    assert any(told in line for line in failed), ran.out
    assert ran.out.splitlines()[-1].endswith("failed")
    assert (ran.code, ran.err) == (1, "")
    listed = json.loads(run("rule", "--test", "rules.py", "--output-format", "json").out)
    flaws = [c["flaws"] for rule in listed for c in rule["checks"] if c["check"].startswith(check)]
    assert any(told in flaw for found in flaws for flaw in found)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("no.py",), "rule --test no.py: there is no such file or folder, and no package"),
        (("no_such_module",), "ModuleNotFoundError: No module named 'no_such_module'"),
        (("json",), "rule --test json: defines no rule"),
        (("broken.py",), "rule --test broken.py: broken.py, line 1: ZeroDivisionError"),
        (("rules.py", "--output-format", "markdown"), "is written as text or json"),
        (("rules.py", "--all"), "give either a rule, --all or --test PATH"),
        (("rules.py", "ACME101"), "give either a rule, --all or --test PATH"),
    ],
)
def test_wrong_use_is_told(run: Run, desk: Path, arguments: tuple[str, ...], told: str) -> None:
    """In one line, with exit code 2."""
    (desk / "broken.py").write_text("1 / 0", encoding="utf-8")
    (desk / "rules.py").write_text(PROPOSING, encoding="utf-8")
    ran = run("rule", "--test", *arguments)
    assert (ran.code, ran.out) == (2, "")
    assert told in ran.error


def test_what_a_rule_says_is_escaped(run: Run, desk: Path) -> None:
    """Titles, names and errors may hold anything."""
    source = changed('"another rank"', '"\\x1b[31mred\\n::error"')
    (desk / "rules.py").write_text(source, encoding="utf-8")
    out = run("rule", "--test", "rules.py").out
    assert "\x1b" not in out
    assert "flags: \\x1b[31mred\\x0a" in out


def test_several_rules_of_a_file_have_cases_by_code(run: Run, desk: Path) -> None:
    """A table of cases in place of a tuple."""
    second = (
        "\n\n@dataclass(frozen=True)\nclass HugeLinear(WideLinear):\n"
        "    __doc__ = WideLinear.__doc__\n    code = 'ACME102'\n    name = 'huge-linear'\n"
        "\nCASES = {'ACME101': CASES, 'ACME102': CASES[1:]}\n"
    )
    (desk / "rules.py").write_text(PROPOSING + second, encoding="utf-8")
    ran = run("rule", "--test", "rules.py")
    assert ran.code == 0, ran.out
    assert ran.out.splitlines()[-1] == "2 rules, 17 checks: all of them hold"


def test_the_example_holds(run: Run) -> None:
    """By its folder and by one of its files."""
    ran = run("rule", "--test", EXAMPLE / "house_rules")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.splitlines()[-1].startswith("2 rules, ")
    assert run("rule", "--test", EXAMPLE / "house_rules" / "oversized_input.py").code == 0


def test_the_example_tests_itself() -> None:
    """Its own test file passes, one test a check."""
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(EXAMPLE)],
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert ran.returncode == 0, ran.stdout
    assert re.search(r"^2\d passed", ran.stdout, re.MULTILINE)


def test_our_own_rules_are_tested_where_they_are(run: Run) -> None:
    """A file of rules/ is the rule that archlint brings, not another of its code."""
    file = Path(__file__).parents[1] / "rules" / "wide_convolution.py"
    if file.is_file():  # not where only the package is installed
        assert "  ok      metadata" in run("rule", "--test", file).out
    assert len(all_rules()) >= 35
