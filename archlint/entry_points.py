"""What installed packages offer archlint: their entry points in a group."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint


def entry_points(group: str) -> list[EntryPoint]:
    """The entry points of a group, by name."""
    from importlib import metadata  # late: --version and --help do without

    return sorted(metadata.entry_points(group=group), key=lambda point: (point.name, point.value))


def package_of(point: EntryPoint) -> str:
    """The package that offers it."""
    return point.value if point.dist is None else point.dist.name
