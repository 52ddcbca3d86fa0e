"""samples/ and docs/ hold scripts, not packages: put their folders on the path."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "samples"))
sys.path.insert(0, str(Path(__file__).parent.parent / "docs"))
