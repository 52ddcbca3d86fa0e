"""What the weights use as JSON."""

from __future__ import annotations

from typing import Any

from archlint.analyzer.report.weights import ENERGIES, KernelReport, NarrowedReport, WeightReport


def as_object(weights: WeightReport | None) -> dict[str, Any] | None:
    """As the schema has it; None where no weights were read."""
    if weights is None:
        return None
    return {
        "energy": weights.energy,
        "target": weights.target,
        "layers": [_kernel(one) for one in weights.kernels],
        "more": weights.more,
    }


def _kernel(kernel: KernelReport) -> dict[str, Any]:
    return {
        "name": kernel.label,
        "operator": kernel.operator,
        "description": kernel.described,
        "shape": list(kernel.shape),
        "macs": kernel.macs,
        "sides": [
            {
                "side": one.side,
                "full": one.full,
                "ranks": _by_energy(one.ranks),
                "effective_rank": round(one.effective_rank, 3),
            }
            for one in kernel.unfoldings
        ],
        "tucker_ranks": _by_energy([list(pair) for pair in kernel.tucker]) or None,
        "narrowed": _narrowed(kernel, kernel.narrowed),
        "why": kernel.why or None,
    }


def _by_energy(values: Any) -> dict[str, Any]:
    return {f"{100 * share:g}": value for share, value in zip(ENERGIES, values, strict=False)}


def _narrowed(kernel: KernelReport, one: NarrowedReport | None) -> dict[str, Any] | None:
    if one is None:
        return None
    return {
        "title": one.title,
        "form": one.form,
        "width": list(one.ranks),
        "macs": one.macs,
        "ratio": round(one.macs / kernel.macs, 6),
        "effort": round(one.effort, 6),
        "pays": one.pays,
    }
