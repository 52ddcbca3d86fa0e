"""What the reader skims of bytes."""

from __future__ import annotations

import tempfile

from archlint.analyzer.reader.structure import Skimmed, skim


def skimmed(content: bytes) -> Skimmed:
    """What is skimmed of a file that holds these bytes; the same, whether small messages are copied
    unseen or walked."""
    with tempfile.TemporaryFile() as file:
        file.write(content)
        file.flush()
        fast, thorough = skim(file.fileno()), skim(file.fileno(), whole=True)
    assert fast == thorough
    return fast
