"""The HTML report and the pictures as the command line writes them."""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from archlint.choices import PlotKind
from command_line import Run

SAMPLES = Path(__file__).parents[1] / "samples"
SAMPLE = SAMPLES / "inception_5x5.onnx"
SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ARCHLINT_CACHE_DIR", str(tmp_path / "cache"))


@pytest.mark.parametrize(
    "asked",
    [
        ["--html", "r.html"],
        ["--output", "html=r.html"],
        ["--output-format", "html", "-o", "r.html"],
    ],
)
def test_each_way_writes_the_page(asked: Sequence[str], run: Run) -> None:
    """With the exit code of the findings, and the text report beside it where that is asked."""
    ran = run(SAMPLE, *asked)
    assert (ran.code, ran.err) == (1, "")
    assert bool(ran.out) == ("-o" not in asked)
    page = Path("r.html").read_text(encoding="utf-8")
    assert page.startswith("<!DOCTYPE html>")
    assert "120,422,400" in page or "120.4 M" in page
    assert [path.name for path in Path().iterdir() if path.is_file()] == ["r.html"]


@pytest.mark.parametrize(
    ("level", "title"), [("warning", "FAIL · "), ("error", "PASS · "), ("never", "")]
)
def test_the_verdict_is_that_of_the_run(level: str, title: str, run: Run) -> None:
    """The sample has a warning; where a run never fails nothing is judged."""
    run(SAMPLE, "--html", "r.html", "--fail-on", level)
    page = Path("r.html").read_text(encoding="utf-8")
    assert re.findall(r"<title>(FAIL · |PASS · |)", page)[0] == title
    assert ("Passes" in page, "Fails" in page) == (level == "error", level == "warning")


@pytest.mark.parametrize(("most", "title"), [("0", "FAIL"), ("1", "PASS")])
def test_too_many_warnings_fail(most: str, title: str, run: Run) -> None:
    """The page says so, as the exit code does."""
    ran = run(SAMPLE, "--html", "r.html", "--fail-on", "error", "--max-warnings", most)
    assert ran.code == (title == "FAIL")
    assert f"<title>{title} · " in Path("r.html").read_text(encoding="utf-8")


def again(page: str) -> str:
    """The command that a page tells."""
    found = re.search("To run it again</dt> <dd>(.*?)</dd>", Path(page).read_text(encoding="utf-8"))
    assert found is not None
    return html.unescape(found[1])


def test_how_to_run_it_again(run: Run) -> None:
    """As it was typed, but for where the page is; what a URL holds to let somebody in is left
    out."""
    Path("a b.onnx").write_bytes(SAMPLE.read_bytes())
    options = ["--fail-on", "never", "--set", "ARC101.width=20", "--isolated"]
    run("a b.onnx", *options, "-j", "2", "--no-cache", "--output", "html=r.html")
    told = "archlint check 'a b.onnx' --isolated --set ARC101.width=20 --fail-on never"
    assert again("r.html") == f"{told} --html report.html"
    run(SAMPLE, "memory://user:secret@host/m.onnx", "--html", "r.html")
    assert again("r.html").endswith("memory://host/m.onnx --html report.html")


def test_a_difference_has_a_page_too(run: Run) -> None:
    """Of two files, named as they were typed; the text is as ever, and nothing is judged."""
    sides = SAMPLES / "lenet5.onnx", SAMPLE
    plain = run("diff", *sides)
    ran = run("diff", *sides, "--html", "d.html", "--html", "e.html", "--assets", "external")
    assert (ran.code, ran.out, ran.err) == (0, plain.out, "")
    assert {path.name for path in Path().glob("[de].*")} == {
        f"{stem}.{suffix}" for stem in "de" for suffix in ("css", "html", "js")
    }
    page = Path("d.html").read_text(encoding="utf-8")
    assert f"<title>{SAMPLE} · archlint</title>" in page
    assert f"against {sides[0]}" in page
    assert page.index('id="change"') < page.index('id="findings"') < page.index('id="node-0"')
    assert again("d.html") == f"archlint diff {sides[0]} {SAMPLE} --html report.html"


def test_a_difference_of_nothing(run: Run) -> None:
    """Equal sides have a page, and one that cannot be read has one that says why."""
    assert run("diff", SAMPLE, SAMPLE, "--html", "d.html").code == 0
    assert "The same architecture as in the base" in Path("d.html").read_text(encoding="utf-8")
    Path("m.onnx").write_text("no model")
    ran = run("diff", SAMPLE, "m.onnx", "--html", "d.html")
    assert (ran.code, ran.out) == (3, "")
    page = Path("d.html").read_text(encoding="utf-8")
    assert "<b>m.onnx.</b> It could not be analysed" in page
    assert "<title>FAIL · " in page


def test_what_a_difference_cannot_write_is_told(run: Run) -> None:
    """In one line, before anything is compared."""
    ran = run("diff", SAMPLE, SAMPLE, "--assets", "external")
    assert (ran.code, ran.error) == (2, "--assets: is for HTML; give --html FILE too")
    ran = run("diff", SAMPLE, SAMPLE, "--html", str(SAMPLE))
    assert (ran.code, ran.out) == (2, "")
    assert "would be overwritten" in ran.error


def test_it_goes_to_stdout_too(run: Run) -> None:
    """As every format does."""
    assert run(SAMPLE, "--output-format", "html").out.startswith("<!DOCTYPE html>")


def test_style_and_script_can_be_files(run: Run) -> None:
    """Beside the page, called as it is; nothing of them is left inside."""
    Path("out").mkdir()
    run(SAMPLE, "--html", "out/r.html", "--assets", "external")
    assert sorted(path.name for path in Path("out").iterdir()) == ["r.css", "r.html", "r.js"]
    page = Path("out/r.html").read_text(encoding="utf-8")
    assert 'href="r.css"' in page
    assert 'src="r.js"' in page
    assert "<style" not in page


@pytest.mark.parametrize(
    ("options", "error"),
    [
        (["--assets", "external"], "--assets: is for HTML; give --html FILE too"),
        (
            ["--output-format", "html", "--assets", "external"],
            "--assets external: writes files beside the report; name it by -o FILE",
        ),
        (["--html", "missing/r.html"], "--html missing/r.html: cannot be written: No such"),
        (["--html", "."], "--html .: cannot be written: Is a directory; name"),
        (["--html", ""], "--html: names no file; write --html report.html"),
        (["--html", "-"], "--html -: is where the text report goes; name a file"),
        (["--html", "a.html", "--html", "./a.html"], "two reports would be written to ./a.html"),
        (["--html", "r.css", "--assets", "external"], "its assets would both be written to r.css"),
        (["--html", str(SAMPLE)], "is a model, or is named as one, and would be overwritten"),
        (["--html", "a.html", "--write-baseline"], "--write-baseline: writes no report; leave out"),
        (["--html", "new.onnx"], "--html new.onnx: is a model, or is named as one"),
        (["--base", "net.pb", "-o", "net.pb"], "-o net.pb: is a model"),
    ],
)
def test_what_cannot_be_written_is_told(options: Sequence[str], error: str, run: Run) -> None:
    """In one line, and nothing is written."""
    ran = run(SAMPLE, *options)
    assert ran.code == 2
    assert error in ran.error
    assert not [*Path().glob("*.html")]


def test_it_is_the_same_whether_it_was_kept(run: Run) -> None:
    """Of a cold run, one with kept answers, and one that is remembered as a whole."""
    pages = []
    for options in ([], ["--no-cache"], [], ["-j", "2"]):
        run(SAMPLE, "--html", "r.html", *options)
        pages.append(Path("r.html").read_bytes())
        Path("r.html").unlink()
    assert len(set(pages)) == 1


def test_a_run_without_a_page_keeps_another_answer(run: Run) -> None:
    """What a page draws is not in the answer of a run that draws none."""
    run(SAMPLE)
    run(SAMPLE, "--html", "r.html")
    assert "node-0" in Path("r.html").read_text(encoding="utf-8")


@pytest.mark.parametrize("kind", [PlotKind.COST_MAP, PlotKind.DEPTH])
@pytest.mark.parametrize("form", ["{}.svg", "out/{}.svg", "{}=picture.svg"])
def test_pictures_of_the_cost(kind: PlotKind, form: str, run: Run) -> None:
    """Beside the table, as SVG that stands alone."""
    Path("out").mkdir()
    option = form.format(kind)
    ran = run("cost", SAMPLES / "resnet_bottleneck_block.onnx", "--plot", option)
    assert (ran.code, ran.err) == (0, "")
    assert "MACs" in ran.out
    root = ET.parse(option.partition("=")[2] or option).getroot()  # noqa: S314 - our own
    assert root.tag == f"{SVG}svg"
    texts = [text for one in root.iter(f"{SVG}text") for text in one.itertext()]
    assert any("resnet_bottleneck_block.onnx" in text for text in texts)


def test_pictures_are_written_each_time(run: Run) -> None:
    """A run that is remembered writes them again."""
    for _ in range(2):
        run("cost", SAMPLE, "--plot", "depth.svg", "--plot", "cost-map.svg")
        for name in ("depth.svg", "cost-map.svg"):
            Path(name).unlink()


@pytest.mark.parametrize(
    ("paths", "plots", "error"),
    [
        ([SAMPLE], ["depht.svg"], "there is no picture 'depht'; did you mean 'depth'?"),
        ([SAMPLE], ["pie=a.svg"], "there is no picture 'pie'; it can be cost-map, depth, roofline"),
        ([SAMPLE], ["depth=a.png"], "a picture is an SVG file; write depth=FILE.svg"),
        ([SAMPLE], ["depth"], "a picture is an SVG file; write depth.svg"),
        ([SAMPLE], ["depth=a.svg", "cost-map=a.svg"], "two pictures would be written to a.svg"),
        ([SAMPLE, SAMPLES / "lenet5.onnx"], ["depth.svg"], "draws one model; give one path"),
        ([SAMPLE], ["roofline.svg"], "archlint calibrate"),
        ([SAMPLE], ["missing/depth.svg"], "--plot missing/depth.svg: cannot be written"),
    ],
)
def test_what_cannot_be_drawn_is_told(
    paths: Sequence[Path], plots: Sequence[str], error: str, run: Run
) -> None:
    """In one line, and no table is printed."""
    ran = run("cost", *paths, *(word for plot in plots for word in ("--plot", plot)))
    assert (ran.code, ran.out) == (2, "")
    assert error in ran.error
    assert not [*Path().glob("*.svg")]


def test_a_model_that_cannot_be_read_has_no_picture(run: Run) -> None:
    """It is told as ever."""
    Path("m.onnx").write_text("no model")
    ran = run("cost", "m.onnx", "--plot", "depth.svg")
    assert ran.code == 3
    assert not Path("depth.svg").exists()
