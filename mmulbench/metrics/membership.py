"""Attack a model: tell from the loss whether a pair was trained on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import expit
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from mmulbench.metrics.separation import Floats, exact_auc, finite_vector

P_FLOOR = 1e-6
"""Least mean p(member) that `mi_ratio` divides by; it keeps the ratio finite when losses explode."""


@dataclass(frozen=True)
class LossAttack:
    """Holds what a loss-threshold attacker achieves.

    Attributes:
        accuracy: balanced accuracy of the attacker, in [0, 1]; .5 when nothing gives members away. The
            orientation is learned: conspicuously high losses (over-forgetting) raise it as low ones do.
        auc: P(member loss < non-member loss) + ties / 2, one-sided: above .5 members have the lower loss
            (remembered), below .5 the higher loss (over-forgotten).
        n: pairs judged, members and non-members together.
        folds: cross-validation folds used; 1 means fitted and judged on the same pairs, which is optimistic.
    """

    accuracy: float
    auc: float
    n: int
    folds: int

    @property
    def advantage(self) -> float:
        """Two-sided attack advantage abs(2 auc - 1), in [0, 1]: over-forgetting is as revealing as memory."""
        return abs(2 * self.auc - 1)


def loss_attack(
    member_losses: Floats,
    member_units: npt.NDArray[Any],
    nonmember_losses: Floats,
    nonmember_units: npt.NDArray[Any],
    folds: int = 5,
) -> LossAttack:
    """Tell members from non-members by their loss, cross-validated over units.

    A logistic regression on the standardised loss with balanced classes, as in Liu et al. 2024 (arXiv
    2304.04934) after Yeom et al. 2018 (arXiv 1709.01604). Each class's units are dealt to the folds on their
    own, so pairs of a unit never span folds and every fold holds both classes; accuracy is the mean of the
    folds' balanced accuracies. Deterministic. Fewer folds are used when a class has fewer units; with a
    single unit nothing can be held out, so the attacker is judged on the pairs it was fitted on, an
    optimistic figure that ``folds == 1`` marks.

    Args:
        member_losses: (n,) loss of each member pair, such as those of Df.
        member_units: (n,) the unit of each; the two classes' units are different things even if named alike.
        nonmember_losses: (m,) loss of each pair the model never saw, such as those of the test set.
        nonmember_units: (m,) the unit of each.
        folds: most folds to use, at least 2.

    Returns:
        The attack's accuracy, AUC, advantage, and what they rest on.

    Raises:
        ValueError: a class is empty, or losses and units differ in number.
        Diverged: a loss is NaN or infinite.

    Example:
        >>> import numpy as np
        >>> forget, test = np.array([0.1, 0.2, 0.1, 0.2]), np.array([0.8, 0.9, 0.8, 0.9])
        >>> attack = loss_attack(forget, np.arange(4), test, np.arange(4))
        >>> attack.accuracy, attack.auc, attack.n, attack.folds
        (1.0, 1.0, 8, 4)
    """
    members = finite_vector(member_losses, "member losses")
    nonmembers = finite_vector(nonmember_losses, "non-member losses")
    if member_units.shape != members.shape or nonmember_units.shape != nonmembers.shape:
        raise ValueError(
            f"{members.size} member and {nonmembers.size} non-member losses, but units of shapes "
            f"{member_units.shape} and {nonmember_units.shape}; give one unit per loss"
        )
    losses = np.concatenate([members, nonmembers])[:, None]
    labels = np.repeat([1, 0], [members.size, nonmembers.size])
    folds = min(folds, np.unique(member_units).size, np.unique(nonmember_units).size)
    attacker = make_pipeline(StandardScaler(), LogisticRegression(class_weight="balanced"))
    splits = _splits(member_units, nonmember_units, folds)
    scores = cross_val_score(
        attacker, losses, labels, scoring="balanced_accuracy", cv=splits, error_score="raise"
    )
    return LossAttack(float(scores.mean()), exact_auc(members, nonmembers), labels.size, folds)


def _splits(
    member_units: npt.NDArray[Any], nonmember_units: npt.NDArray[Any], folds: int
) -> list[tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]]:
    """Return the rows to fit and the rows to judge of each fold, non-members after members."""
    if folds == 1:
        everything = np.arange(member_units.size + nonmember_units.size)
        return [(everything, everything)]
    dealer = GroupKFold(folds)
    by_class = [list(dealer.split(units, groups=units)) for units in (member_units, nonmember_units)]
    return [
        (
            np.concatenate([ours[0], theirs[0] + member_units.size]),
            np.concatenate([ours[1], theirs[1] + member_units.size]),
        )
        for ours, theirs in zip(*by_class, strict=True)
    ]


@dataclass(frozen=True)
class MembershipAttacker:
    """Predicts p(member) from the loss by a logistic regression that is fitted once, on the original.

    Attributes:
        slope: change of the log-odds per unit of loss; negative where members have the lower loss.
        intercept: log-odds at a loss of 0.
    """

    slope: float
    intercept: float

    @classmethod
    def fit(cls, member_losses: Floats, nonmember_losses: Floats) -> MembershipAttacker:
        """Fit on the original's losses of the retain set (members) and the test set (non-members).

        The classes are balanced, so that p(member) does not depend on how much larger the retain set is.

        Args:
            member_losses: (n,) losses of pairs the original was trained on.
            nonmember_losses: (m,) losses of pairs it never saw.

        Returns:
            The attacker.

        Raises:
            ValueError: a class is empty.
            Diverged: a loss is NaN or infinite.

        Example:
            >>> import numpy as np
            >>> attacker = MembershipAttacker.fit(np.array([0.0, 1.0]), np.array([2.0, 3.0]))
            >>> attacker.slope < 0
            True
        """
        members = finite_vector(member_losses, "member losses")
        nonmembers = finite_vector(nonmember_losses, "non-member losses")
        scaler = StandardScaler()
        losses = scaler.fit_transform(np.concatenate([members, nonmembers])[:, None])
        labels = np.repeat([1, 0], [members.size, nonmembers.size])
        model = LogisticRegression(class_weight="balanced").fit(losses, labels)
        slope = float(model.coef_[0, 0] / scaler.scale_[0])
        return cls(slope, float(model.intercept_[0] - slope * scaler.mean_[0]))

    def p_member(self, losses: Floats) -> npt.NDArray[np.float64]:
        """Return the probability that each pair was trained on, with as many members as non-members.

        Args:
            losses: (n,) losses.

        Returns:
            (n,) probabilities.

        Raises:
            ValueError: there are no losses.
            Diverged: a loss is NaN or infinite.

        Example:
            >>> import numpy as np
            >>> attacker = MembershipAttacker(slope=-1.0, intercept=0.0)
            >>> attacker.p_member(np.array([0.0, 2.0])).round(3)
            array([0.5  , 0.119])
        """
        return np.asarray(
            expit(self.slope * finite_vector(losses, "losses") + self.intercept), dtype=np.float64
        )


def mi_ratio(
    attacker: MembershipAttacker, original_forget_losses: Floats, unlearned_forget_losses: Floats
) -> float:
    """Compute mean p(member) over Df by the original / the mean p(member) over Df by the unlearned model.

    Source: arXiv 2311.12047 (MI, before / after, higher is better); 1 for an unchanged model. GNNDelete's
    code (arXiv 2302.13406) stores the inverse, after / before, as a mean of per-pair ratios. Turned round, a
    mean of per-pair ratios would be decided by the one pair whose p(member) is nearest 0; the ratio of means
    weighs all pairs alike, and its inverse is the share of p(member) that is left. The denominator is at
    least `P_FLOOR`.

    Args:
        attacker: fitted on the original.
        original_forget_losses: (n,) the original's loss of each pair of Df.
        unlearned_forget_losses: (n,) the unlearned model's, in the same order.

    Returns:
        A positive ratio; above 1 the unlearned model looks less like one trained on Df.

    Raises:
        ValueError: df is empty, or the two models were measured on different numbers of pairs.
        Diverged: a loss is NaN or infinite.

    Example:
        >>> import numpy as np
        >>> attacker = MembershipAttacker(slope=-1.0, intercept=0.0)
        >>> round(mi_ratio(attacker, np.array([0.0]), np.array([2.0])), 3)
        4.195
    """
    if original_forget_losses.shape != unlearned_forget_losses.shape:
        raise ValueError(
            f"MI ratio needs the same forget pairs: the original has {original_forget_losses.size} losses "
            f"but the unlearned model {unlearned_forget_losses.size}; measure both on Df"
        )
    before = attacker.p_member(original_forget_losses).mean()
    after = attacker.p_member(unlearned_forget_losses).mean()
    return float(before / max(after, P_FLOOR))
