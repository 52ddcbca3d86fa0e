"""Default rules are silent on good designs, and say what matters first on wasteful ones."""

from __future__ import annotations

import pytest

from archlint.analyzer.finding import Severity
from precision import EFFICIENT, LIGHT, WASTEFUL, costly, first, reports

pytestmark = pytest.mark.skipif(
    not LIGHT.is_dir(), reason="this onnx package ships no light models"
)

# What an engineer would do first: narrow the widest convolutions that no 1x1 reduces.
FIRST = {
    # the three 3x3 of 512 channels on 28x28, 9.4 % of the multiply-accumulates each
    "VGG-19": "ARC102 unreduced-residual-block: 3×3 conv 512→512 ×3",
    "VGG-16": "ARC102 unreduced-residual-block: 3×3 conv 512→512 ×2",
    # 37.7 of 61 million weights, read once each: 12.6 of AlexNet's 33.9 ms by ``archlint time`` on
    # one core with AVX-512 (onnxruntime 1.31), and twice the next node
    "AlexNet, grouped": "ARC301 flattened-classifier: Reshape · fully connected 9,216→4,096",
    "AlexNet": "ARC301 flattened-classifier: Flatten · fully connected 9,216→4,096",
    # without its two it takes 0.49 of the time (onnxruntime 1.31), and no MACs tell of it
    "ZFNet-512": "ARC203 local-response-normalization: LRN",
    # He et al. 2015, figure 5: the bottleneck in place of the two layers of the widest blocks
    "ResNet-18": "ARC102 unreduced-residual-block: 3×3 conv 512→512 ×3",
    # Szegedy et al. 2014, section 4: 5x5 and 3x3 over all channels are too expensive
    "Inception module, naive": "ARC101 wide-convolution: 3×3 conv 192→128",
    # Long et al. 2015, section 4.1: the 7x7 is the fully connected layer of a classifier
    "Head of FCN-32s": "ARC101 wide-convolution: 7×7 conv 512→4096",
}


@pytest.mark.parametrize("title", EFFICIENT)
def test_efficient_networks_have_one_finding_at_most(title: str) -> None:
    """Of the default rules of the group cost, and no error of any."""
    assert costly(title).total() <= 1
    assert all(finding.severity < Severity.ERROR for finding in reports()[title].findings)


@pytest.mark.parametrize("title", WASTEFUL)
def test_wasteful_networks_are_told_what_to_do_first(title: str) -> None:
    """The first finding is the one that an engineer would name."""
    assert first(title) == FIRST[title]


@pytest.mark.parametrize("title", [*EFFICIENT, *WASTEFUL])
def test_networks_are_as_large_as_published(title: str) -> None:
    """Multiply-accumulates round to the printed figure."""
    known = {**EFFICIENT, **WASTEFUL}[title]
    macs = reports()[title].costs.total().macs
    number, _, prefix = known.published.partition(" ")
    digits = len(number.partition(".")[2])
    if title == "ShuffleNet":  # 1707.01083, table 2, bounds it only
        assert macs < 140e6
    elif number:
        assert f"{macs / {'G': 1e9, 'M': 1e6}[prefix]:.{digits}f}" == number
