"""Predicted times in words and in JSON; never without the word."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from archlint.analyzer.text import milliseconds, percent_change, plural, safe

if TYPE_CHECKING:  # a report without predictions does without
    from archlint.analyzer.finding import Forecast
    from archlint.analyzer.report import ModelReport
    from archlint.analyzer.timing.prediction.times import Prediction


def forecast_text(forecast: Forecast) -> str:
    """What following a finding is predicted to save."""
    before, after = milliseconds(forecast.before), milliseconds(forecast.after)
    change = percent_change(round(forecast.before), round(forecast.after))
    ratio = forecast.after / forecast.before
    return f"{before} → {after} ({change}), ratio {ratio:.2f}, on {safe(forecast.machine)}"


def model_text(model: ModelReport) -> str | None:
    """What a model is predicted to take, and to take with all proposals."""
    if (prediction := model.prediction) is None:
        return None
    text = f"predicted {_time(prediction)}"
    if model.effect is not None and (after := model.effect.prediction) is not None:
        text += f", {_time(after)} with what is proposed,"
    text += f" a run on {safe(prediction.profile.label)}"
    if prediction.unpredicted:
        text += f"; {plural(len(prediction.unpredicted), 'node')} not predicted"
    return text


def _time(prediction: Prediction) -> str:
    least = "at least " if prediction.unpredicted else ""
    return f"{least}{milliseconds(prediction.total_ns)}"


def forecast_as_object(forecast: Forecast | None) -> dict[str, Any] | None:
    """A finding's times as JSON."""
    if forecast is None:
        return None
    return {"before_ns": round(forecast.before), "after_ns": round(forecast.after)}


def model_as_object(model: ModelReport) -> dict[str, Any] | None:
    """A model's times as JSON."""
    if (prediction := model.prediction) is None:
        return None
    effect = None if model.effect is None else model.effect.prediction
    return {
        "provider": prediction.profile.provider,
        "threads": prediction.profile.threads,
        "clock": prediction.profile.clock,
        "onnxruntime": prediction.profile.runtime,
        "ns": round(prediction.total_ns),
        "ns_with_proposals": None if effect is None else round(effect.total_ns),
        "unpredicted_nodes": len(prediction.unpredicted),
    }
