"""archlint: a static architecture linter for neural networks stored as ONNX.

From Python: ``archlint.lint`` for models, ``archlint.lint_torch`` for modules of PyTorch.
"""

from __future__ import annotations

__version__ = "0.1.0"

TYPE_CHECKING = False  # type checkers know it by its name; typing takes longer than all this
if TYPE_CHECKING:
    from archlint.analyzer.cost import Cost
    from archlint.analyzer.errors import ConfigError, ModelError
    from archlint.analyzer.finding import Confidence, Severity
    from archlint.analyzer.proposal import FixKind
    from archlint.analyzer.report import (
        FindingReport,
        ModelReport,
        NodeReport,
        ProposalReport,
        Report,
        State,
    )
    from archlint.analyzer.report.layers import LayerReport
    from archlint.analyzer.report.weights import WeightReport
    from archlint.api import lint, render
    from archlint.torch_export import lint_torch

__all__ = [
    "Confidence",
    "ConfigError",
    "Cost",
    "FindingReport",
    "FixKind",
    "LayerReport",
    "ModelError",
    "ModelReport",
    "NodeReport",
    "ProposalReport",
    "Report",
    "Severity",
    "State",
    "WeightReport",
    "__version__",
    "lint",
    "lint_torch",
    "render",
]

_MODULES = {
    "ConfigError": "analyzer.errors",
    "Confidence": "analyzer.finding",
    "Cost": "analyzer.cost",
    "FindingReport": "analyzer.report",
    "FixKind": "analyzer.proposal",
    "LayerReport": "analyzer.report.layers",
    "ModelError": "analyzer.errors",
    "ModelReport": "analyzer.report",
    "NodeReport": "analyzer.report",
    "ProposalReport": "analyzer.report",
    "Report": "analyzer.report",
    "Severity": "analyzer.finding",
    "State": "analyzer.report",
    "WeightReport": "analyzer.report.weights",
    "lint": "api",
    "lint_torch": "torch_export",
    "render": "api",
}

if not TYPE_CHECKING:  # to a type checker it would mean that there are all names

    def __getattr__(name: str) -> object:
        """A public name, whose module is loaded when it is asked for (PEP 562)."""
        if name not in _MODULES:
            raise AttributeError(f"module 'archlint' has no attribute '{name}'")
        from importlib import import_module

        return getattr(import_module(f"archlint.{_MODULES[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*__all__, *(name for name in globals() if name.startswith("__"))})
