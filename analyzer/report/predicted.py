"""Predicted times in words and in JSON; never without the word."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from archlint.analyzer.text import milliseconds, percent_change, plural, safe

if TYPE_CHECKING:  # a report without predictions does without
    from archlint.analyzer.finding import Forecast
    from archlint.analyzer.report import ModelReport, Predicted


def forecast_text(forecast: Forecast) -> str:
    """What following a finding is predicted to save."""
    before, after = milliseconds(forecast.before), milliseconds(forecast.after)
    change = percent_change(round(forecast.before), round(forecast.after))
    ratio = forecast.after / forecast.before
    return f"{before} → {after} ({change}), ratio {ratio:.2f}, on {safe(forecast.machine)}"


def model_text(model: ModelReport) -> str | None:
    """What a model is predicted to take, and to take with all proposals."""
    if (predicted := model.predicted) is None:
        return None
    text = f"predicted {_time(predicted)}"
    if model.effect is not None and (after := model.effect.predicted) is not None:
        text += f", {_time(after)} with what is proposed,"
    text += f" a run on {safe(predicted.label)}"
    if predicted.unpredicted:
        text += f"; {plural(predicted.unpredicted, 'node')} not predicted"
    return text


def _time(predicted: Predicted) -> str:
    least = "at least " if predicted.unpredicted else ""
    return f"{least}{milliseconds(predicted.ns)}"


def forecast_as_object(forecast: Forecast | None) -> dict[str, Any] | None:
    """A finding's times as JSON."""
    if forecast is None:
        return None
    return {"before_ns": round(forecast.before), "after_ns": round(forecast.after)}


def model_as_object(model: ModelReport) -> dict[str, Any] | None:
    """A model's times as JSON."""
    if (predicted := model.predicted) is None:
        return None
    effect = None if model.effect is None else model.effect.predicted
    return {
        "provider": predicted.provider,
        "threads": predicted.threads,
        "clock": predicted.clock,
        "onnxruntime": predicted.runtime,
        "ns": round(predicted.ns),
        "ns_with_proposals": None if effect is None else round(effect.ns),
        "unpredicted_nodes": predicted.unpredicted,
    }
