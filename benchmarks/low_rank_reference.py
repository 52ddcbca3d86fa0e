"""What the same variants came to elsewhere, with other code: numpy's SVD, and onnxruntime 1.31.1 on
an AMD EPYC (Zen 4, AVX-512), 2 virtual cores, CPU time of one thread."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

MACHINE: Final = (
    "an AMD EPYC (Zen 4, AVX-512), 2 virtual cores, onnxruntime 1.31.1, CPU time of one thread"
)
ENERGIES: Final = (0.90, 0.95, 0.99)
SPECTRA: Final[Mapping[tuple[str, str], Mapping[str, tuple[float, float, float]]]] = {
    ("Open NSFW", "k×k"): {
        "rank": (0.56, 0.70, 0.91), "input": (0.62, 0.78, 1.01), "tucker": (0.49, 0.71, 1.05),
    },
    ("Open NSFW", "1×1"): {
        "rank": (0.38, 0.50, 0.74), "input": (0.73, 0.88, 1.12), "tucker": (0.81, 1.00, 1.32),
    },
    ("320n", "k×k"): {
        "rank": (0.62, 0.76, 0.94), "input": (0.70, 0.85, 1.04), "tucker": (0.55, 0.77, 1.09),
    },
    ("320n", "1×1"): {
        "rank": (0.27, 0.34, 0.45), "input": (0.73, 0.94, 1.24), "tucker": (0.86, 1.13, 1.60),
    },
    ("PP-OCRv4 det", "k×k"): {
        "rank": (0.45, 0.57, 0.80), "input": (0.65, 0.83, 1.16), "tucker": (0.56, 0.78, 1.19),
    },
    ("PP-OCRv4 det", "1×1"): {
        "rank": (0.35, 0.47, 0.66), "input": (0.73, 0.92, 1.20), "tucker": (0.83, 1.08, 1.46),
    },
}  # fmt: skip
"""Medians over the convolutions of a network and a kind of kernel, at each of the energies: the
rank as a share of Cin, and the layer's MACs as a share of what they were, by the two forms."""
VARIANTS: Final[Mapping[tuple[str, str], tuple[float | None, float, float | None]]] = {
    ("Cin r=½", "Open NSFW"): (0.964, 0.136, 0.969),
    ("Cin r=½", "320n"): (0.922, 0.028, 0.925),
    ("Cin r=½", "PP-OCRv4 det"): (0.851, 0.019, 0.925),
    ("Cin r=½, data", "Open NSFW"): (0.964, 0.056, 0.953),
    ("Cin r=½, data", "320n"): (0.922, 0.013, 0.934),
    ("Cin r=½, data", "PP-OCRv4 det"): (0.851, 0.013, 0.935),
    ("Cin r=¼", "320n"): (0.874, 0.069, 0.883),
    ("Cin r=¼", "PP-OCRv4 det"): (0.723, 0.047, 0.821),
    ("Cin r=¼, data", "320n"): (0.874, 0.026, 0.888),
    ("Cin r=¼, data", "PP-OCRv4 det"): (0.723, 0.025, 0.904),
    ("Cout r=½", "Open NSFW"): (None, 0.433, None),
    ("Cout r=½", "320n"): (None, 0.093, None),
    ("Cout r=½", "PP-OCRv4 det"): (None, 0.045, None),
    ("Cout r=½, data", "Open NSFW"): (None, 0.166, None),
    ("Cout r=½, data", "320n"): (None, 0.012, None),
    ("Cout r=½, data", "PP-OCRv4 det"): (None, 0.030, None),
    ("Tucker-2 r=½", "Open NSFW"): (0.948, 0.410, 0.953),
    ("Tucker-2 r=½", "320n"): (0.888, 0.087, 0.901),
    ("Tucker-2 r=½", "PP-OCRv4 det"): (0.772, 0.065, 0.874),
    ("Cin 90 %", "Open NSFW"): (0.963, 0.147, 0.929),
    ("Cin 90 %", "320n"): (0.942, 0.022, 0.972),
    ("Cin 90 %", "PP-OCRv4 det"): (0.783, 0.033, 0.862),
    ("Cin 95 %", "Open NSFW"): (0.975, 0.068, 1.02),
    ("Cin 95 %", "320n"): (0.970, 0.010, 1.02),
    ("Cin 95 %", "PP-OCRv4 det"): (0.884, 0.019, 1.02),
    ("Cin 99 %", "Open NSFW"): (0.993, 0.020, 1.04),
    ("Cin 99 %", "320n"): (1.004, 0.003, 1.00),
    ("Cin 99 %", "PP-OCRv4 det"): (1.072, 0.007, 1.09),
    ("Tucker-2 VBMF", "Open NSFW"): (0.945, 0.491, 0.996),
    ("Tucker-2 VBMF", "320n"): (0.865, 0.143, 0.905),
    ("Tucker-2 VBMF", "PP-OCRv4 det"): (0.582, 0.107, 0.798),
    ("all k×k, Cin r=½, data", "Open NSFW"): (0.808, 0.383, 0.822),
    ("all k×k, Cin r=½, data", "320n"): (0.691, 0.075, 0.752),
    ("all k×k, Cin r=½, data", "PP-OCRv4 det"): (0.846, 0.015, 0.901),
}
"""By variant and network: MACs of the whole network as a share, the relative error of the probe on
the picture that was held out, and the time as a share."""
DIFFERENCES: Final[Mapping[tuple[str, str], str]] = {
    ("Cin r=¼, data", "PP-OCRv4 det"): "other pairs of pictures give 0.027 to 0.029",
    ("Tucker-2 r=½", "PP-OCRv4 det"): "four sweeps of the iteration: ten give 0.066, none 0.052",
}
"""What is known of errors that differ."""
