"""Several reports at once: what is asked for, what they are rendered in, what is written when."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.metadata import metadata
from pathlib import Path

import pytest

from archlint import __version__
from archlint.analyzer.errors import ConfigError
from archlint.analyzer.report import Report
from archlint.analyzer.report.context import Context
from archlint.choices import Format
from archlint.outputs import Output, parse_outputs, rendered, write_all
from archlint.surroundings import context_of
from reports import REPORTS, finding, model


def test_what_is_asked_for() -> None:
    asked = parse_outputs(["sarif=a.sarif", "json-lines=b=c.jsonl"], "d.txt")
    assert asked == (Output(Format.SARIF, "a.sarif"), Output(Format.JSON_LINES, "b=c.jsonl"))
    assert parse_outputs([]) == ()


@pytest.mark.parametrize(
    ("texts", "why"),
    [
        (["sariff=a"], "there is no format 'sariff'; did you mean 'sarif'?"),
        (["xyz=a"], "there is no format 'xyz'; it can be full, concise, grouped"),
        (["=a"], "there is no format ''"),
        (["sarif"], "names no file; write sarif=FILE"),
        (["sarif="], "names no file; write sarif=FILE"),
        (["sarif=-"], "use --output-format sarif for stdout"),
        (["sarif=a", "json=./x/../a"], "two reports would be written to ./x/../a"),
        (["json=out.txt"], "two reports would be written to out.txt"),
    ],
)
def test_what_cannot_be_asked_for(texts: list[str], why: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_outputs(texts, "out.txt")
    assert why in str(caught.value)
    assert str(caught.value).startswith("--output")


@pytest.mark.parametrize("output_format", Format)
@pytest.mark.parametrize("name", REPORTS)
def test_every_report_in_every_format(name: str, output_format: Format, tmp_path: Path) -> None:
    """It can be written as UTF-8, is the same twice, and tells nothing of the machine."""
    text = rendered(REPORTS[name], output_format, "file")
    assert text == rendered(REPORTS[name], output_format, "file")
    assert text == "" or text.endswith("\n")
    (tmp_path / "report").write_text(text, "utf-8")
    assert os.getcwd() not in text
    assert "\x1b" not in text


def test_all_are_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    outputs = [Output(one, str(tmp_path / one)) for one in Format]
    write_all(REPORTS["compared"], Format.CONCISE, None, "-o", outputs)
    assert capsys.readouterr().out == rendered(REPORTS["compared"], Format.CONCISE)
    for output in outputs:
        written = Path(output.file).read_text("utf-8")
        assert written == rendered(REPORTS["compared"], output.output_format, output.file)


def test_none_is_written_where_one_cannot_be_rendered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from archlint.analyzer.report import tabular

    def fail(report: Report) -> str:
        raise RuntimeError("no")

    monkeypatch.setattr(tabular, "render", fail)
    first = tmp_path / "a.sarif"
    outputs = [Output(Format.SARIF, str(first)), Output(Format.CSV, str(tmp_path / "b.csv"))]
    with pytest.raises(RuntimeError):
        write_all(REPORTS["one"], Format.FULL, None, "-o", outputs)
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_cannot_be_written(tmp_path: Path) -> None:
    file = str(tmp_path / "missing" / "a.sarif")
    with pytest.raises(ConfigError, match="cannot be written"):
        write_all(REPORTS["one"], Format.FULL, None, "-o", [Output(Format.SARIF, file)])


def test_paths_start_at_the_top_of_the_working_tree(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / "ml" / "deep").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "ml" / "deep")
    report = Report(__version__, (model("../net.onnx", [finding()]),))
    context = context_of(report, Format.SARIF)
    assert context.path("../net.onnx") == "ml/net.onnx"
    assert context.path(str(tmp_path / "ml" / "net.onnx")) == "ml/net.onnx"
    assert "file=ml/net.onnx," in rendered(report, Format.GITHUB)
    monkeypatch.setenv("CI_PROJECT_DIR", str(tmp_path / "ml"))
    (issue,) = json.loads(rendered(report, Format.GITLAB))
    assert issue["location"]["path"] == "net.onnx"
    monkeypatch.setenv("CI_PROJECT_DIR", str(tmp_path / "elsewhere"))
    (issue,) = json.loads(rendered(report, Format.GITLAB))
    assert issue["location"]["path"] == "ml/net.onnx"


def test_outside_of_a_repository_paths_start_where_archlint_was_started(tmp_path: Path) -> None:
    context = Context(str(tmp_path), str(tmp_path))
    assert context.path("a/./b.onnx") == "a/b.onnx"
    assert context.path("../b.onnx") == "../b.onnx"
    assert context.path("-") == "-"
    assert context.path("nul\0.onnx") == "nul\0.onnx"


def test_a_link_to_the_repository_is_the_repository(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    context = Context(str(tmp_path / "real"), str(tmp_path / "real"))
    assert context.path(str(tmp_path / "link" / "a.onnx")) == "a.onnx"


def test_the_rules_that_found_something_are_described() -> None:
    found = [finding(), finding(code="ARC901"), finding(code="XYZ1")]
    context = context_of(Report(__version__, (model(findings=found),)), Format.SARIF)
    assert list(context.rules) == ["ARC101", "ARC901"]
    wide = context.rules["ARC101"]
    assert wide.tags == ("cost", "retrain")
    assert "`" not in wide.summary + wide.why
    for heading in ("Why it costs", "What to do", "When not to apply", "References", "Options"):
        assert f"\n## {heading}\n" in wide.help
    assert "](" not in wide.help  # it needs no other page
    assert context.rules["ARC901"].tags == ("suspicious",)


def test_a_rule_that_nothing_is_known_of_is_described_by_its_name() -> None:
    report = Report(__version__, (model(findings=[finding(code="XYZ1")]),))
    (rule,) = json.loads(rendered(report, Format.SARIF))["runs"][0]["tool"]["driver"]["rules"]
    assert rule["shortDescription"]["text"] == "Wide convolution."
    assert rule["help"] == {"text": "Wide convolution: see archlint rule XYZ1."}


def test_the_address_of_the_documentation_is_the_one_that_the_package_says() -> None:
    site = context_of(REPORTS["empty"], Format.SARIF).site
    entries = metadata("archlint").get_all("Project-URL") or []
    assert site == next(
        (entry.split(", ", 1)[1].rstrip("/") for entry in entries if "Documentation" in entry), ""
    )


def test_only_the_renderer_that_is_asked_for_is_imported() -> None:
    program = (
        "import sys; from archlint.analyzer.report import Report;"
        "from archlint.choices import Format; from archlint.outputs import rendered;"
        "rendered(Report('1'), Format.CONCISE);"
        "import archlint.analyzer.report as report;"
        "late = ['archlint.surroundings', 'archlint.explain', report.__name__ + '.tabular'];"
        "print([name for name in late if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"
