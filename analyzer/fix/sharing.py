"""Which fixes raise the parameters of a model, as layers that they leave read the same weights."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from math import prod

from onnx import TensorProto

from archlint.analyzer.cost import CostTable
from archlint.analyzer.proposal import Priced, Proposal
from archlint.analyzer.reader.duplicates import SMALL


@dataclass(frozen=True, slots=True)
class Offer:
    """A fix with its weights, and what it was as a proposal, priced where it adds nodes."""

    proposal: Proposal
    realised: Proposal
    priced: Priced | None


@dataclass(slots=True)
class _Group:
    """Fixes that take layers of the same kernels: they stand or fall together."""

    offers: list[Offer] = field(default_factory=list)
    shared: set[str] = field(default_factory=set)


def without_copies(offers: Sequence[Offer], table: CostTable) -> list[Offer]:
    """Those that write out no kernel anew while another layer still reads the old one.

    Vectors may be shared: normalisations that were never trained have the same ones. Equal kernels
    that fixes derive count once, where one tensor can stand for them.
    """
    of_node = table.parameters.of_node
    readers = Counter(name for names in of_node.values() for name in names)
    kernels = {name for name, times in readers.items() if times > 1 and _is_kernel(table, name)}
    read = {id(offer): _reads(offer, table) for offer in offers}
    groups: list[_Group] = []
    for offer in offers:
        own = read[id(offer)]
        shared = {name for name in own if name in kernels and own[name] < readers[name]}
        if offer.priced is None or not shared:
            continue
        one = _Group([offer], shared)
        for group in [group for group in groups if not shared.isdisjoint(group.shared)]:
            one.offers += group.offers
            one.shared |= group.shared
            groups.remove(group)
        groups.append(one)
    dear: set[int] = set()
    for group in groups:
        saved = sum(one.priced.saved_parameters for one in group.offers if one.priced)
        for name in group.shared:
            times = [read[id(one)][name] for one in group.offers if name in read[id(one)]]
            goes = sum(times) == readers[name]
            saved -= (len(times) - goes) * table.parameters.elements(frozenset({name}))
        if saved + _repeated(group.offers) < 0:
            dear.update(map(id, group.offers))
    return [offer for offer in offers if id(offer) not in dear]


def _reads(offer: Offer, table: CostTable) -> Counter[str]:
    """How many of the nodes that a fix replaces read each parameter."""
    of_node = table.parameters.of_node
    return Counter(
        name for node in offer.proposal.replaces for name in of_node.get(node.id, frozenset())
    )


def _is_kernel(table: CostTable, name: str) -> bool:
    shape = table.parameters.stored(name).static_shape or ()
    return sum(dim > 1 for dim in shape) > 1


def _repeated(offers: Iterable[Offer]) -> int:
    """The elements of new weights that equal others, large enough that one tensor stands for them
    in the end."""
    times = Counter(_new(offers))
    return sum((count - 1) * prod(dims) for (_, dims, _), count in times.items())


def _new(offers: Iterable[Offer]) -> Iterator[tuple[int, tuple[int, ...], bytes]]:
    for offer in offers:
        for tensor in offer.realised.graph.initializer:
            if len(tensor.raw_data) > SMALL:
                yield _key(tensor)


def _key(tensor: TensorProto) -> tuple[int, tuple[int, ...], bytes]:
    return tensor.data_type, tuple(tensor.dims), tensor.raw_data
