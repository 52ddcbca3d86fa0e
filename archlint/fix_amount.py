"""How far low-rank layers are to go, as options say it."""

from __future__ import annotations

import re
from math import inf, isfinite
from typing import Final

from archlint.analyzer.errors import ConfigError
from archlint.analyzer.fix.approximate import Amount

_UNITS: Final = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}
_SHARE: Final = re.compile(r"[-−](\d+(?:\.\d+)?)\s*%")
_NUMBER: Final = re.compile(r"(\d+(?:\.\d+)?)\s*([KMGT]?)", re.IGNORECASE)


def amount_of(
    energy: float | None, rank: float | None, target_macs: str | None, *, unsafe: bool
) -> Amount | None:
    """The one amount of the options; None where no layer may become low-rank.

    Raises ConfigError for more than one, and for one without ``--unsafe`` or the reverse.
    """
    given = [
        f"--{name}"
        for name, option in (("energy", energy), ("rank", rank), ("target-macs", target_macs))
        if option is not None
    ]
    if given and not unsafe:
        raise ConfigError(" and ".join(given), "changes the function a little; say --unsafe too")
    if not unsafe:
        return None
    if len(given) != 1:
        why = "say how far, by one of --energy 0.9, --rank 0.5 and --target-macs -30%"
        raise ConfigError(" and ".join(given) or "--unsafe", why)
    if energy is not None and not isfinite(energy):
        raise ConfigError(f"--energy {energy:g}", "write it as a share, as 0.9")
    if rank is not None and not (isfinite(rank) and (rank < 1 or rank == int(rank))):
        raise ConfigError(f"--rank {rank:g}", "is neither a whole number nor a share below 1")
    return Amount(energy, rank, *_target(target_macs))


def _target(text: str | None) -> tuple[float | None, int | None]:
    """The share of the MACs to save, or the MACs to reach."""
    if text is None:
        return None, None
    if share := _SHARE.fullmatch(text.strip()):
        percent = float(share[1])
        if 0 < percent < 100:
            return percent / 100, None
    elif number := _NUMBER.fullmatch(text.strip()):
        macs = float(number[1]) * _UNITS[number[2].upper()]
        if 1 <= macs < inf:
            return None, int(macs)
    why = "write it as -30% of what there is, or as a number to reach, as 700M"
    raise ConfigError(f"--target-macs {text}", why)
