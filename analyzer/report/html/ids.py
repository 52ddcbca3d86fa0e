"""Anchors of a page: numbers alone, no text of a model."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Ids:
    """The anchors of one model; ``prefix`` tells several on a page apart."""

    prefix: str = ""

    def node(self, place: int) -> str:
        """The row of the layer at a place."""
        return f"{self.prefix}node-{place}"

    def finding(self, number: int) -> str:
        """The card of a finding, from 1."""
        return f"{self.prefix}finding-{number}"

    def section(self, name: str) -> str:
        """A section."""
        return f"{self.prefix}{name}"
