"""The execution providers of this machine, as a table or as JSON."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from archlint.analyzer.text import Paint, pad, paragraph, plural, safe, table, to_json
from archlint.analyzer.timing.effort import Effort
from archlint.analyzer.timing.inventory import Inventory, Standing, State
from archlint.analyzer.timing.prediction.cache import Stored
from archlint.analyzer.timing.remedies import Remedy

_HEAD = ("provider", "name in onnxruntime", "what it does", "small models", "timed by", "device")
_EXPENDABLE = (1, 5, 4)
_COLOURS = {State.WORKS: "green", State.PARTLY: "yellow", State.FAILS: "red"}
_MOST = 600  # characters of why a provider does no more


def render(inventory: Inventory, paint: Paint, width: int | None) -> str:
    """onnxruntime, a row a provider with what keeps it from more, and what packages would bring."""
    cells = [_cells(one) for one in inventory.standings]
    head, *rows = table(_HEAD, cells, left=len(_HEAD), width=width, expendable=_EXPENDABLE)
    lines = [*_runtime(inventory, width), "", paint(head, "bold")]
    for one, row in zip(inventory.standings, rows, strict=True):
        lines.append(paint(row, colour) if (colour := _COLOURS.get(one.state)) else row)
        for reason in filter(None, (one.why, str(one.remedy))):
            lines += paragraph(f"    {safe(reason, _MOST)}", width, "      ")
    if inventory.others:
        lines += ["", paint("Not here, but in packages for this system:", "bold")]
        lines += _listed(inventory.others.items(), width)
    lines += ["", *paragraph(_profile(inventory.profile), width)]
    return "\n".join(lines) + "\n"


def _profile(stored: Stored) -> str:
    if stored.profile is not None:
        return f"Calibrated for predicted times on {safe(stored.profile.label)}."
    return safe(stored.problem) or "Not calibrated: 'archlint calibrate' makes times predictable."


def _runtime(inventory: Inventory, width: int | None) -> list[str]:
    runtime = inventory.runtime
    packages = " and ".join(map(safe, runtime.packages)) or "no package"
    lines = paragraph(f"onnxruntime {safe(runtime.version)} from {packages}", width)
    if len(runtime.packages) > 1:
        why = "Their files overwrite each other's: uninstall all of them, then install one."
        lines += paragraph(why, width)
    return lines


def _cells(one: Standing) -> tuple[str, ...]:
    provider = one.provider
    own, every = one.kernels.get(provider.full_name, 0), sum(one.kernels.values())
    return (
        safe(provider.label),
        safe(provider.full_name),
        str(one.state),
        f"{own} of {plural(every, 'kernel')}" if every else "-",
        str(Effort().clock(provider)) if one.works else "-",
        ", ".join(map(safe, one.devices)) or "-",
    )


def _listed(others: Iterable[tuple[str, Remedy]], width: int | None) -> list[str]:
    listed = list(others)
    room = max(len(name) for name, _ in listed) + 2
    lines = []
    for name, remedy in listed:
        lines += paragraph(f"  {pad(name, room)}{remedy}", width, " " * (room + 2))
    return lines


def as_json(inventory: Inventory) -> str:
    """An object: onnxruntime, the providers that were tried, and what packages would bring."""
    runtime, profile = inventory.runtime, inventory.profile.profile
    return to_json(
        {
            "onnxruntime": {
                "version": runtime.version,
                "build": runtime.build,
                "packages": list(runtime.packages),
                "providers": list(runtime.providers),
            },
            "nvidia_driver": runtime.driver,
            "providers": [_as_object(one) for one in inventory.standings],
            "others": [
                {"name": name, "remedy": _remedy(remedy)}
                for name, remedy in inventory.others.items()
            ],
            "machine_profile": {
                "provider": None if profile is None else profile.provider,
                "threads": None if profile is None else profile.threads,
                "problem": inventory.profile.problem or None,
            },
        }
    )


def _as_object(one: Standing) -> dict[str, Any]:
    provider = one.provider
    return {
        "name": provider.name,
        "full_name": provider.full_name,
        "options": dict(sorted(provider.options.items())),
        "state": str(one.state),
        "kernels": dict(one.kernels),
        "devices": list(one.devices),
        "clock": str(Effort().clock(provider)),
        "node_times": not provider.compiles,
        "why": one.why or None,
        "missing": list(one.missing),
        "remedy": _remedy(one.remedy),
    }


def _remedy(remedy: Remedy) -> dict[str, Any]:
    return {"commands": list(remedy.commands), "remark": remedy.remark or None}
