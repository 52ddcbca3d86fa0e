"""What models take as JSON, by the schema that stands beside this file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from archlint.analyzer.report import Failure
from archlint.analyzer.report.time_rows import Timed, TimeRow
from archlint.analyzer.text import to_json
from archlint.analyzer.timing.attribution.regions import Kind
from archlint.analyzer.timing.nodes.latency import Latency, NodeTime, Profile

SCHEMA_VERSION = 1


def schema() -> str:
    """The JSON Schema of the times."""
    return (Path(__file__).parent / "time.schema.json").read_text(encoding="utf-8")


def render(
    version: str,
    timed: Sequence[Timed],
    tables: Sequence[Sequence[Sequence[TimeRow]]],
    failures: Sequence[Failure],
) -> str:
    """The times of the models of a run; ``tables`` are the rows for each of their latencies."""
    document = {
        "schema_version": SCHEMA_VERSION,
        "tool": {"name": "archlint", "version": version},
        "models": [_model(*pair) for pair in zip(timed, tables, strict=True)],
        "failures": [{"path": failure.path, "why": failure.why} for failure in failures],
    }
    return to_json(document)


def _model(timed: Timed, tables: Sequence[Sequence[TimeRow]]) -> dict[str, Any]:
    costs = timed.model.costs
    pairs = zip(timed.latencies, tables, strict=True)
    return {
        "path": timed.model.path,
        "macs": costs.total().macs,
        "bytes": costs.total().bytes,
        "unknown": len(costs.unknown),
        "notes": list(costs.graph.notes),
        "latencies": [_latency(latency, found) for latency, found in pairs],
    }


def _latency(latency: Latency, found: Sequence[TimeRow]) -> dict[str, Any]:
    spread, provider = latency.spread, latency.provider
    return {
        "provider": provider.full_name,
        "options": dict(sorted(provider.options.items())),
        "onnxruntime": latency.runtime,
        "threads": latency.threads,
        "clock": str(latency.clock),
        "made_up_weights": latency.synthetic,
        "median_ns": round(spread.median),
        "interval_ns": [round(spread.interval.low), round(spread.interval.high)],
        "p10_ns": round(spread.low),
        "p90_ns": round(spread.high),
        "wall_ns": round(latency.wall),
        "cores": round(latency.cores, 4),
        "runs": latency.runs,
        "disturbed_runs": latency.disturbed,
        "kernels": dict(sorted(latency.kernels.items())),
        "copies": latency.copies,
        "profile": None if latency.profile is None else _profile(latency.profile, found),
        "why": latency.why or None,
    }


def _profile(profile: Profile, found: Sequence[TimeRow]) -> dict[str, Any]:
    return {
        "runs": profile.runs,
        "wall_ns": round(profile.took),
        "cores": round(profile.cores, 4),
        "disturbed": profile.disturbed,
        "overhead_ns": round(profile.overhead),
        "kernels_ns": round(profile.time),
        "shares": {str(kind): round(profile.share(kind), 6) for kind in Kind},
        "idle": list(profile.idle),
        "removed": list(profile.removed),
        "lacking": profile.lacking or None,
        "rows": [_row(row) for row in found],
    }


def _row(row: TimeRow) -> dict[str, Any]:
    shares = row.shares
    return {
        "name": row.name,
        "operator": row.operator or None,
        "time_ns": round(row.time),
        "time_share": round(row.time_share, 6),
        "macs": row.cost.macs,
        "macs_share": None if shares is None else round(shares.macs, 6),
        "macs_per_second": _rounded(row.macs_per_second),
        "bytes": row.cost.bytes,
        "bytes_share": None if shares is None else round(shares.bytes, 6),
        "bytes_per_second": _rounded(row.bytes_per_second),
        "unknown": row.unknown,
        "out_of_proportion": shares is not None and shares.out_of_proportion,
        "parts": [_part(part) for part in row.parts],
    }


def _rounded(rate: float | None) -> int | None:
    return None if rate is None else round(rate)


def _part(part: NodeTime) -> dict[str, Any]:
    return {
        "kind": str(part.kind),
        "name": part.label,
        "scope": list(part.scope),
        "nodes": [{"name": label, "operator": operator} for label, operator in part.nodes],
        "kernels": [
            {
                "name": kernel.name,
                "operator": kernel.operator,
                "provider": kernel.provider,
                "time_ns": round(kernel.time),
            }
            for kernel in part.kernels
        ],
    }
