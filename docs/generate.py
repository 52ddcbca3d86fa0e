"""Write the pages of docs/ that are made from the code: ``python docs/generate.py``."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

DOCS = Path(__file__).parent
sys.path.insert(0, str(DOCS.parent / "samples"))

import precision  # noqa: E402 - its samples are found by the line above
import rule_pages  # noqa: E402 - as above
from archlint.analyzer.analysis import Analysis  # noqa: E402 - after the path is set
from archlint.analyzer.reader import Model, read  # noqa: E402 - after the path is set
from archlint.analyzer.rule import RuleGroup  # noqa: E402 - after the path is set
from archlint.analyzer.text import percent_change, short  # noqa: E402 - as above
from archlint.config import Chosen, choose_rules  # noqa: E402 - after the path is set
from archlint.explain.markup import table  # noqa: E402 - after the path is set
from archlint.pipeline import lint_model  # noqa: E402 - after the path is set
from build_all import build_sample  # noqa: E402 - found by the line above
from googlenet import build as build_googlenet  # noqa: E402 - found by the line above

LIGHT = precision.LIGHT
CLASSICS = {
    "AlexNet, grouped": "bvlc_alexnet",
    "ZFNet-512": "zfnet512",
    "VGG-19": "vgg19",
    "Inception v1": "inception_v1",
    "Inception v2": "inception_v2",
    "ResNet-50": "resnet50",
    "DenseNet-121": "densenet121",
    "SqueezeNet": "squeezenet",
    "ShuffleNet": "shufflenet",
}
"""The nine networks that the onnx package ships as structure."""
SAMPLES = {
    "Inception module, naive": "inception_module_naive",
    "Inception module": "inception_module",
    "AlexNet": "alexnet",
    "VGG-16": "vgg16",
    "GoogLeNet": "googlenet",
    "Inception v3": "inception_v3",
    "ResNet-18": "resnet18",
    "ResNet-50, samples": "resnet50",
    "DenseNet-121, samples": "densenet121",
    "MobileNet v1": "mobilenet_v1",
}
_HEAD = """# What archlint says of known networks

Made by `python docs/generate.py`, held by a test. The first nine networks are those that the onnx
package ships, the others are built by the scripts in `samples/`. Listed are the rules of the group
`cost` that report something, with the number of places; the last column counts the whole network
again with every proposal in place. What a proposal asks for, retraining or not, stands on the page
of its rule.

"""


def networks() -> Iterator[tuple[str, Analysis]]:
    """The report of every network of the table."""
    chosen = Chosen(choose_rules())
    for title, name in CLASSICS.items():
        yield title, lint_model(read(str(LIGHT / f"light_{name}.onnx")), chosen)
    for title, name in SAMPLES.items():
        yield title, lint_model(Model(name, build_sample(name), 0), chosen)
    auxiliary = Model("googlenet", build_googlenet(auxiliary=True), 0)
    yield "GoogLeNet with its auxiliary classifiers", lint_model(auxiliary, chosen)


def networks_page() -> str:
    """The table of networks with what is found in them."""
    cost = {rule.code for rule in choose_rules() if rule.group is RuleGroup.COST}
    rows = []
    for title, report in networks():
        found = Counter(finding.code for finding in report.findings if finding.code in cost)
        said = ", ".join(_times(code, count) for code, count in sorted(found.items()))
        effect = report.effect
        after = ""
        if effect is not None:
            change = percent_change(effect.macs_before, effect.macs_after)
            after = f"{short(effect.macs_after)} ({change})"
        rows.append([title, said, short(report.costs.total().macs), after])
    head = ["network", "findings", "MACs", "with all proposals"]
    return _HEAD + table(head, rows, numbers=(2, 3)) + "\n"


def _times(code: str, count: int) -> str:
    """A rule with a link to its page, and how often it was found."""
    link = f"[{code}](rules/{code}.md)"
    return link if count == 1 else f"{link} ×{count}"


PAGES: dict[str, Callable[[], str]] = {
    "networks.md": networks_page,
    "precision.md": precision.page,
    **rule_pages.PAGES,
}


def main() -> None:
    """Write every page, and the site's menu; take away the pages of rules that are no more."""
    (DOCS / "rules").mkdir(exist_ok=True)
    for old in (DOCS / "rules").iterdir():
        if f"rules/{old.name}" not in PAGES:
            old.unlink()
    for page, write in PAGES.items():
        (DOCS / page).write_text(write(), encoding="utf-8")
    site = rule_pages.SITE.read_text(encoding="utf-8")
    rule_pages.SITE.write_text(rule_pages.with_menu(site), encoding="utf-8")


if __name__ == "__main__":
    main()
