"""The findings on a model as a whole: beside its budget, its base, its baseline, its snapshot."""

from __future__ import annotations

from archlint.analyzer.finding import Severity
from archlint.analyzer.rule import RuleGroup
from archlint.remark import Remark


class OverBudget(Remark):
    """A model that costs more than its budget in the configuration.

    Why it matters
        Somebody has promised the number: to a device with so much memory, to a link that carries so
        many bytes, to a frame that lasts so many milliseconds. A model grows by small steps, each
        of which looks harmless beside the one before it.

    What to do
        Make the model cheaper: ``archlint cost`` lists where it spends most, and the other findings
        price what could be saved. Or raise the budget, in a change that says who agreed.

    When not to apply
        Where the number was a guess that nobody holds: then remove the limit.

    Not flagged
        A model at its budget exactly. Latency in a run without ``--verify``, and where the 95 %
        interval of what was measured holds the limit.

    Known limits
        Where a cost is unknown, what is known may break a limit, but cannot keep it: then it is
        told as a warning that the limit cannot be judged, and what to bind. A latency that was
        measured while other programs took part of the machine is not judged, and a note.

    References
        Google, Lighthouse CI, Configuration, options of assert, 2026.
    """

    code = "ARC905"
    name = "over-budget"
    group = RuleGroup.COST
    severity = Severity.ERROR
    advice = "make the model cheaper, or raise the budget where somebody agrees"


class CostRegression(Remark):
    """A model that has grown by more, since the base of the run, than its budget lets it.

    Why it matters
        The change is small now and easy to judge by those who made it. Found later, it is one of
        many, and the cost of the model is what it is.

    What to do
        Look at ``archlint diff`` for the nodes that were added or changed. Keep the growth out, or
        raise the limit of ``regression`` in the same change.

    When not to apply
        Where the model is another one on purpose: then the limit says nothing.

    Not flagged
        A run without ``--base``; a model that the base does not have; a model whose file is the
        same there.

    Known limits
        Many changes that each stay below the limit add up: a limit of the whole holds against that.
        Where the cost of the base or of the model is unknown, a warning says that nothing could be
        judged.

    References
        Preact, compressed-size-action, README, 2026.
    """

    code = "ARC906"
    name = "cost-regression"
    group = RuleGroup.COST
    severity = Severity.ERROR
    advice = "keep the growth out, or raise the limit where somebody agrees"


class StaleBaseline(Remark):
    """An entry of the baseline that accepts a finding which is not there any more.

    Why it matters
        The fault is gone, which is what the baseline is for. Left in place, the entry accepts the
        next one that resembles it, which nobody has judged.

    What to do
        ``archlint check --prune-baseline`` over the same models removes it, and lowers the costs of
        those that have become cheaper.

    When not to apply
        Where one baseline serves runs with different targets or options, an entry may be of use in
        another run: leave ``--strict-baseline`` out.

    Not flagged
        A run without ``--strict-baseline``; entries of models that were not analysed in this run,
        and of rules that did not run over them.

    Known limits
        A finding that another entry accepts as well makes this one stale. The entries of a model
        that is gone are removed by ``--prune-baseline`` and told by nothing.

    References
        OpenJS Foundation, ESLint, Bulk Suppressions, 2026.
    """

    code = "ARC907"
    name = "stale-baseline"
    group = RuleGroup.CORRECTNESS
    severity = Severity.ERROR
    advice = "remove it by --prune-baseline"


class StaleSnapshot(Remark):
    """A snapshot beside a model that shows another architecture than the model has.

    Why it matters
        Reviewers read the snapshot in place of the model, and annotations stand at its lines. What
        they read is not what is merged.

    What to do
        ``archlint snapshot write`` for the model, in the same change.

    When not to apply
        Never: a snapshot that nobody wants is removed.

    Not flagged
        A model without a snapshot; names and weights, which a snapshot does not show.

    Known limits
        It says that they differ, and ``archlint snapshot check`` where.

    References
        OpenJS Foundation, Jest, Snapshot Testing, 2026.
    """

    code = "ARC908"
    name = "stale-snapshot"
    group = RuleGroup.CORRECTNESS
    advice = "write it again by archlint snapshot write"
