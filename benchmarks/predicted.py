"""The times that archlint predicts for this machine."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from archlint.analyzer.cost import CostTable
from archlint.analyzer.timing.prediction.cache import FOLDER_VARIABLE, stored
from archlint.analyzer.timing.prediction.machine import MachineProfile
from archlint.analyzer.timing.prediction.times import predict


@dataclass(frozen=True, slots=True)
class Predictor:
    """Predicts by the profile of this machine."""

    profile: MachineProfile

    @classmethod
    def calibrated(cls, folder: Path) -> Predictor:
        """With the profile in a folder, made by ``archlint calibrate`` where there is none.

        Raises CalledProcessError where that fails, RuntimeError where it leaves no profile.
        """
        os.environ[FOLDER_VARIABLE] = str(folder.resolve())
        if stored().profile is None:
            subprocess.run([sys.executable, "-m", "archlint", "calibrate"], check=True)
        found = stored()
        if found.profile is None:
            raise RuntimeError(found.problem or "archlint calibrate has left no profile")
        return cls(found.profile)

    def nanoseconds(self, table: CostTable) -> float | None:
        """Of a run of a counted graph; None unless all of its nodes are predicted."""
        prediction = predict(table, self.profile)
        return None if prediction.unpredicted else prediction.total_ns
