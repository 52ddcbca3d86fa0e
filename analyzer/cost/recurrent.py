"""Recurrent operators: the gates' matrix products over all time steps."""

from __future__ import annotations

from archlint.analyzer.cost.base import View, Work, handles

_GATES = {"RNN": 1, "GRU": 3, "LSTM": 4}


@handles("LSTM", "GRU", "RNN", roles="xwwwsssw")
def recurrent(view: View) -> Work:
    """D·T·N·gates·H·(I + H) MACs over D directions, T steps, inputs of I and states of H; a bias on
    each of W and R and an activation are operations of every gate; the state's update is 5 more,
    peepholes 6."""
    steps_batch = view.shape(0)[0] * view.shape(0)[1]  # in either layout
    directions, _, inputs = view.shape(1)
    hidden = view.shape(2)[2]
    gates = _GATES[view.node.op_type]
    cells = directions * steps_batch * hidden
    ops = {"activation": cells * gates}
    if view.has(3):
        ops["bias"] = 2 * cells * gates
    if gates > 1:
        ops["elementwise"] = (5 + 6 * view.has(7)) * cells
    return Work(cells * gates * (inputs + hidden), ops)
