"""The HTML report: its size, what it takes to write, and how soon Chromium lets one work with it.

``python html_report.py ROUNDS PAGE...`` tells the milliseconds of each page as JSON.
"""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from bench import ARCHLINT, HERE, PYTHON, Bench
from measure import Command, Spread, process, ratio
from page import Section, Verdict, at_most, spread

KB = 1000
LIMITS = {"googlenet": 250, "resnet50": 400, "nodes_5000": 3000}
"""Kilobytes that the page of a model must not exceed."""
_LARGEST = "nodes_5000"
_LEAST_ROUNDS = 5
_EMPTY = '<!doctype html><html lang="en"><title>empty</title><p>empty</p></html>\n'
# From the start of the navigation until a task can run after the first frame that follows `load`,
# and until one can after the frame that follows a first click, which sorts the nodes by a number.
_OPEN = """async () => {
  const frame = () => new Promise(done => requestAnimationFrame(() => setTimeout(done)));
  await frame();
  const open = performance.now();
  const button = document.querySelector('.nodes th.num button');
  if (!button) return {open, sorted: open};
  button.click();
  await frame();
  if (!button.closest('th').ariaSort) throw new Error('it is not sorted');
  return {open, sorted: performance.now()};
}"""
# From a word in the filter of the nodes until a task can run after the frame that follows the count
# of what is left, which a long table begins after a pause.
_FILTER = """() => new Promise(done => {
  const [box, output] = ['input[type=search]', '.nodes output'].map(name =>
    document.querySelector(name));
  const begin = performance.now();
  new MutationObserver(() => requestAnimationFrame(() =>
    setTimeout(() => done(performance.now() - begin)))).observe(output, {childList: true});
  box.value = 'conv2';
  box.dispatchEvent(new Event('input', {bubbles: true}));
})"""

Times = Mapping[str, Mapping[str, Sequence[float]]]
"""Milliseconds of every round: of a page, by what was done."""


def html_report(bench: Bench) -> Section:
    """Pages of three models: their bytes, the run that writes one, and what the browser takes."""
    folder = bench.folder / "pages"
    folder.mkdir(exist_ok=True)
    (folder / "empty.html").write_text(_EMPTY, encoding="utf-8")
    pages = {name: folder / f"{name}.html" for name in LIMITS}
    more: dict[str, Spread | None] = {}
    for name, path in pages.items():
        text: Command = [
            ARCHLINT, "check", bench.model(name), "--no-cache", "--fail-on", "never",
        ]  # fmt: skip
        uses = bench.whole({"text": text, "page": [*text, "--html", path]})
        more[name] = ratio(uses["page"], uses["text"])
    times = _opened(bench, [folder / "empty.html", *pages.values()])
    rows = []
    for name, path in {"empty": folder / "empty.html", **pages}.items():
        written = spread(more[name], "×") if name in more else ""
        kilobytes = f"{path.stat().st_size / KB:,.0f}"
        taken = times.get(name, {})
        cells = [_cell(taken.get(way)) for way in ("open", "sorted", "filter")]
        over = spread(_over_empty(taken, times), "×") if taken else ""
        rows.append([name, kilobytes, written, *cells[:2], over, cells[2]])
    told = (
        "`archlint check MODEL --html PAGE`: its CPU time over that of the text alone. Then the "
        f"page in headless Chromium, opened {max(_LEAST_ROUNDS, bench.rounds)} times in turn with "
        "the others and with one that is empty, each time in a new profile. It is open when a task "
        "can run after the first frame that follows the load event, and sorted when one can after "
        "the frame that follows a first click, on the head of a column of its nodes: both from the "
        "start of the navigation, and the latter over what the empty page takes to open. It is "
        "filtered when one can after the frame that follows a word in the filter of its nodes."
    )
    head = (
        "model", "KB", "text and page over text", "open", "sorted", "over the empty page",
        "filtered",
    )  # fmt: skip
    return Section("The HTML report", told, _verdicts(pages, times), head, rows)


def _verdicts(pages: Mapping[str, Path], times: Times) -> list[Verdict]:
    verdicts = []
    for name, path in pages.items():
        size = Spread.of([path.stat().st_size / KB])
        verdicts.append(at_most(f"the page of {name}: size", size, LIMITS[name], "KB"))
    work = f"the page of {_LARGEST}: open and sorted by a first click in Chromium"
    taken = times.get(_LARGEST, {}).get("sorted")
    if taken is None:
        needed = "needs chromium and playwright"
        return [*verdicts, Verdict(work, "≤ 1000 ms", needed, reached=None)]
    return [*verdicts, at_most(work, Spread.of(taken), 1000, "ms")]


def _over_empty(taken: Mapping[str, Sequence[float]], times: Times) -> Spread | None:
    pairs = zip(taken["sorted"], times["empty"]["open"], strict=True)
    return Spread.of([one / other for one, other in pairs])


def _cell(taken: Sequence[float] | None) -> str:
    return "" if not taken else spread(Spread.of(taken), "ms")


def _opened(bench: Bench, pages: Sequence[Path]) -> Times:
    """What a process tells that drives the browser; nothing where there is none."""
    if shutil.which("chromium") is None or find_spec("playwright") is None:
        return {}
    rounds, answer = max(_LEAST_ROUNDS, bench.rounds), bench.folder / "opened.json"
    if process([PYTHON, HERE / "html_report.py", str(rounds), *pages], answer) is None:
        raise RuntimeError("python benchmarks/html_report.py ROUNDS PAGE... fails")
    times: Times = json.loads(answer.read_text(encoding="utf-8"))
    return times


def drive(rounds: int, pages: Sequence[Path]) -> Times:
    """Each page opened in turn, after a round that is not counted."""
    from playwright.sync_api import sync_playwright  # late: who measures stays small

    times: dict[str, dict[str, list[float]]] = {path.stem: {} for path in pages}
    with sync_playwright() as playwright:
        chromium = shutil.which("chromium")
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for number in range(rounds + 1):
            for path in pages:
                for way, taken in _one_visit(browser, path).items():
                    if number:
                        times[path.stem].setdefault(way, []).append(taken)
        browser.close()
    return times


def _one_visit(browser: Any, path: Path) -> dict[str, float]:
    """Milliseconds of one visit to a page."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    view = context.new_page()
    view.goto(path.resolve().as_uri(), wait_until="load")
    taken: dict[str, float] = view.evaluate(_OPEN)
    if view.query_selector("input[type=search]"):
        taken["filter"] = view.evaluate(_FILTER)
    context.close()
    return taken


if __name__ == "__main__":
    print(json.dumps(drive(int(sys.argv[1]), [Path(name) for name in sys.argv[2:]])))
