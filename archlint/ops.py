"""Choose operators by their names and domains."""

from __future__ import annotations

from collections.abc import Sequence

from archlint.analyzer.errors import ConfigError
from archlint.analyzer.operators import Operator, all_operators
from archlint.analyzer.text import nearest
from archlint.plugins import load_plugins


def choose_operators(names: Sequence[str] = (), domain: str | None = None) -> list[Operator]:
    """The operators of a domain whose names hold one of ``names``, all by default.

    Those of plugins are among them. Raises ConfigError for a domain and for a name that no operator
    has, and for a plugin that fails.
    """
    load_plugins()
    found = all_operators()
    if domain is not None:
        domains = sorted({operator.domain for operator in found})
        if domain not in domains:
            near = nearest(domain, domains) or f"; there are {', '.join(domains)}"
            raise ConfigError(f"--domain {domain}", f"no operator is of this domain{near}")
        found = [operator for operator in found if operator.domain == domain]
    for name in names:
        if not any(name.lower() in operator.name.lower() for operator in found):
            near = nearest(name, (operator.name for operator in found))
            raise ConfigError(f"ops {name}", f"no operator has this in its name{near}")
    wanted = [name.lower() for name in names] or [""]
    return [o for o in found if any(name in o.name.lower() for name in wanted)]
