"""How often the default rules speak on networks that are efficient, and on some that are not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import onnx

from archlint.analyzer.analysis import Analysis
from archlint.analyzer.reader import Model, read
from archlint.analyzer.report.groups import grouped
from archlint.analyzer.report.reporting import reported
from archlint.analyzer.rule import RuleGroup
from archlint.analyzer.text import percent_change, short
from archlint.config import Chosen, choose_rules
from archlint.pipeline import lint_model
from archlint.selection import is_default
from build_all import build_sample

LIGHT = Path(onnx.__file__).parent / "backend" / "test" / "data" / "light"
"""The networks that the onnx package ships as structure."""


@dataclass(frozen=True, slots=True)
class Known:
    """A network of samples/, or of the onnx package where ``light`` is set; ``published`` are its
    multiply-accumulates as its source prints them."""

    name: str
    published: str
    light: bool = False

    def model(self) -> Model:
        """The network as archlint reads it."""
        if self.light:
            return read(str(LIGHT / f"light_{self.name}.onnx"))
        return Model(self.name, build_sample(self.name), 0)


EFFICIENT = {
    "SqueezeNet 1.1": Known("squeezenet", "0.349 G", light=True),
    "MobileNet v1": Known("mobilenet_v1", "569 M"),
    "MobileNetV2": Known("mobilenet_v2", "0.301 G"),
    "MobileNetV3-Large": Known("mobilenet_v3_large", "0.217 G"),
    "ShuffleNet": Known("shufflenet", "140 M", light=True),
    "ShuffleNetV2": Known("shufflenet_v2", "0.145 G"),
    "EfficientNet-B0": Known("efficientnet_b0", "0.386 G"),
    "RegNetY-400MF": Known("regnet_y_400mf", "0.402 G"),
    "ConvNeXt-T": Known("convnext_tiny", "4.456 G"),
    "ViT-B/16": Known("vit_b_16", "17.564 G"),
    "Swin-T": Known("swin_t", "4.491 G"),
    "ResNet-50": Known("resnet50", "4.089 G"),
    "DenseNet-121": Known("densenet121", "2.834 G"),
}
"""Networks whose authors cut their cost, by the figures of torchvision or of the paper."""
WASTEFUL = {
    "VGG-19": Known("vgg19", "19.632 G", light=True),
    "VGG-16": Known("vgg16", "15.470 G"),
    "AlexNet, grouped": Known("bvlc_alexnet", "", light=True),
    "AlexNet": Known("alexnet", "0.714 G"),
    "ZFNet-512": Known("zfnet512", "", light=True),
    "ResNet-18": Known("resnet18", "1.814 G"),
    "Inception module, naive": Known("inception_module_naive", ""),
    "Head of FCN-32s": Known("fcn_head", ""),
}
"""Networks in which an engineer knows what to do first."""
_HEAD = """# How precise the rules are

Made by `python docs/generate.py`, held by a test. A rule that speaks on good designs teaches its
users to ignore it. So on a network whose authors cut its cost, at most one finding of the group
`cost` is on by default; and on one that they did not, what an engineer would do first comes first.

The columns are the rules that are on by default and report anything here; a number is how often one
does. `on request` are the rules of other groups that would report something if they were selected.

## Efficient networks

"""
_MIDDLE = """
## Wasteful networks

The first finding is the one whose proposal saves most time as MACs tell it: a weight that is read
once counts as 12 of them, an element of a local response normalisation as 1000. ×3 says that it is
at three places, whose savings count together. The last column is the whole network with every
proposal in place, counted again.

"""


@cache
def reports() -> Mapping[str, Analysis]:
    """What the default rules say of every network."""
    chosen = Chosen(choose_rules())
    networks = {**EFFICIENT, **WASTEFUL}
    return {title: lint_model(known.model(), chosen) for title, known in networks.items()}


def costly(title: str) -> Counter[str]:
    """How often each default rule of the group ``cost`` reports."""
    of_cost = {rule.code for rule in choose_rules() if rule.group is RuleGroup.COST}
    return Counter(f.code for f in reports()[title].findings if f.code in of_cost)


def first(title: str) -> str:
    """The first finding of the group ``cost``: its rule and its nodes."""
    codes = costly(title)
    group = next(g for g in grouped(reported(reports()[title]).findings) if g.first.code in codes)
    finding = group.first
    text = f"{finding.code} {finding.name}: {finding.described}"
    return f"{text} {group.times}".rstrip()


def _requested(known: Known) -> str:
    """The rules that are off by default and would report something."""
    off = [rule.code for rule in choose_rules(["ALL"]) if not is_default(type(rule))]
    found = lint_model(known.model(), Chosen(choose_rules([",".join(off)])))
    return ", ".join(sorted({finding.code for finding in found.findings}))


def _row(title: str, known: Known, codes: list[str]) -> list[str]:
    found = Counter(finding.code for finding in reports()[title].findings)
    macs = short(reports()[title].costs.total().macs)
    return [title, macs, known.published, *(str(found[code] or "") for code in codes)]


def _effect(title: str) -> str:
    effect = reports()[title].effect
    if effect is None:
        return ""
    change = percent_change(effect.macs_before, effect.macs_after)
    return f"{short(effect.macs_after)} ({change})"


def _table(head: list[str], rows: Iterator[list[str]], right: int) -> str:
    """A table whose columns from the second to the ``right``-th are numbers."""
    rules = ["---" if place == 0 or place > right else "--:" for place in range(len(head))]
    lines = [f"| {' | '.join(row)} |" for row in (head, *rows)]
    return "\n".join([lines[0], f"|{'|'.join(rules)}|", *lines[1:]]) + "\n"


def page() -> str:
    """Both tables."""
    codes = sorted({f.code for report in reports().values() for f in report.findings})
    head = ["network", "MACs", "published", *codes]
    efficient = ([*_row(t, k, codes), _requested(k)] for t, k in EFFICIENT.items())
    wasteful = ([*_row(t, k, codes), first(t), _effect(t)] for t, k in WASTEFUL.items())
    right = len(head) - 1
    return (
        _HEAD
        + _table([*head, "on request"], efficient, right)
        + _MIDDLE
        + _table([*head, "first", "with all proposals"], wasteful, right)
    )
