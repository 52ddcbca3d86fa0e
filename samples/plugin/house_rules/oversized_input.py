"""HOUSE201: an image input of more pixels than the device's budget."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from archlint.analyzer.finding import Confidence
from archlint.analyzer.graph import Value
from archlint.analyzer.proposal import FixKind
from archlint.analyzer.rule import Flags, Match, Passes, Rule, RuleContext, RuleGroup, option

_CHANNELS = (1, 3, 4)  # of an image: grey, colour, colour with transparency


@dataclass(frozen=True)
class OversizedInput(Rule):
    """An image input of more pixels than the device's budget.

    Why it matters
        The MACs of a convolutional network grow with the pixels of its input: both sides doubled
        make it four times the work, in every layer. A 3×3 from 3 to 16 channels does 640·640·16·3·9
        = 176,947,200 MACs on 640×640 and 1080·1920·16·3·9 = 895,795,200 on 1080×1920.

    What to do
        Scale the image before the model, or cut it into tiles; retrain on the size that is chosen.

    When not to apply
        The model runs offline, or what it looks for is lost at a lower resolution.

    Not flagged
        Inputs within ``max_pixels``; inputs with symbolic sides, whose size is bound at run time;
        inputs of other than 1, 3 or 4 channels, which are no images.

    Known limits
        A budget says nothing of what the model does with the pixels: ``archlint cost`` tells that.

    References
        Tan and Le, EfficientNet, 2019, arXiv:1905.11946, section 3.3.
    """

    code = "HOUSE201"
    name = "oversized-input"
    group = RuleGroup.SUSPICIOUS
    confidence = Confidence.HIGH
    kind = FixKind.DECISION
    since = "1.0.0"
    advice: ClassVar[str] = "scale the image to the budget before the model, or cut it into tiles"

    max_pixels: int = option(
        640 * 640, "pixels of an image up to which it is within the budget", minimum=1
    )

    def match(self, context: RuleContext) -> Iterator[Match]:
        """Each image that is too large, at the nodes that read it."""
        for name in context.graph.inputs:
            height, width = _sides(context.graph.value(name))
            if height * width > self.max_pixels:
                yield Match(
                    context.graph.consumers(name),
                    f"input '{name}' is an image of {height}×{width}, {height * width:,} pixels; "
                    f"the budget is {self.max_pixels:,}",
                    {"pixels": height * width},
                )


def _sides(value: Value) -> tuple[int, int]:
    """Height and width of an image in either layout; 0 for anything else."""
    shape = value.static_shape or ()
    if len(shape) != 4:
        return 0, 0
    if shape[1] in _CHANNELS:
        return shape[2], shape[3]
    return (shape[1], shape[2]) if shape[3] in _CHANNELS else (0, 0)


CASES = (
    Flags(
        "a frame of a camera",
        """agraph (float[1,3,1080,1920] x) => (float[1,16,1080,1920] y) <float[16,3,3,3] w> {
            [stem] y = Conv <pads = [1,1,1,1]> (x, w)
        }""",
        at="stem",
    ),
    Flags(
        "channels last",
        """agraph (float[1,1080,1920,3] x) => (float[1,3,1080,1920] y) {
            [turn] y = Transpose <perm = [0,3,1,2]> (x)
        }""",
        at="turn",
    ),
    Flags(
        "another budget",
        """agraph (float[1,1,64,64] x) => (float[1,1,64,64] y) { [act] y = Relu (x) }""",
        at="act",
        options={"max_pixels": 64 * 64 - 1},
    ),
    Passes(
        "an image that is just within the budget",
        """agraph (float[1,3,640,640] x) => (float[1,3,640,640] y) { y = Relu (x) }""",
    ),
    Passes(
        "a map of features",
        """agraph (float[1,64,1080,1920] x) => (float[1,64,1080,1920] y) { y = Relu (x) }""",
    ),
    Passes(
        "sides that are bound at run time",
        """agraph (float[1,3,h,w] x) => (float[1,3,h,w] y) { y = Relu (x) }""",
    ),
)
