"""What a finding is recognised by in another file of the same model."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Identity:
    """The witnesses of one finding, each of which may survive a change that others do not.

    ``fingerprint`` is a hash of the rule and of what the flagged nodes are (operators, attributes,
    dims of weights), and behind a colon an ordinal among equal ones in the order of the graph; no
    name, no size of an activation, no cost is in it. ``name`` is what the first node is called, or
    what is told where there is none, ``module`` its module path, ``operator`` what it is. ``near``
    is a hash of its neighbours alone, ``far`` one of the node and all within three nodes around it.
    """

    fingerprint: str
    name: str = ""
    module: str = ""
    operator: str = ""
    near: str = ""
    far: str = ""

    @property
    def structure(self) -> str:
        """The hash in the fingerprint: what the nodes are, without their place among equal ones."""
        return self.fingerprint.partition(":")[0]
