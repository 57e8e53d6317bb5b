"""What to remark on a run that ended normally but has not worked."""

from __future__ import annotations

import warnings

from .costs import Costs
from .run import Run

EXPLODED = 1000.0  # a cost above this many times the first one counts as diverged


def remark(run: Run, costs: Costs) -> str:
    """Return a remark for the stop reason if nothing was learned, or if the cost has exploded."""
    history, lr = run.history, run.optimizer.lr
    norms = [norm for norms in history.gradient_norms.values() for norm in norms]
    if norms and not any(norms):
        useless = "; every gradient was zero, so nothing was learned"
        return useless if any(history.losses) else ""  # a cost of 0 has nothing to learn
    if not run.has_moved() and len({shot.weights for shot in history.snapshots}) == 1:
        return f"; no weight moved: with lr={lr:g} no step is large enough"
    if max(history.losses) > EXPLODED * abs(history.step_losses[0]):
        return _remark_on_growth(run, costs)
    return ""


def _remark_on_growth(run: Run, costs: Costs) -> str:
    """Warn, and return a remark, if the mean cost is far above that before the first step."""
    try:
        after = costs.judge(run.examples).cost
        with run.at_first():
            before = costs.judge(run.examples).cost
    except (ArithmeticError, ValueError):
        return ""  # there is no cost to compare
    if after <= EXPLODED * abs(before) + 1e-6:
        return ""
    grew = f"the mean cost grew from {before:g} to {after:g}"
    rate = f"Try a learning rate below {run.optimizer.lr:g}, or clip the gradient"
    warnings.warn(f"training diverged: {grew}. {rate}", RuntimeWarning, stacklevel=5)
    return f"; {grew}"
