"""Profiles of devices: the channels, data types and kernels that each is good at."""

from archlint.analyzer.targets.profile import DEFAULT, Target, default_target, load_target, names

__all__ = ["DEFAULT", "Target", "default_target", "load_target", "names"]
