"""Attack a model: tell from the loss whether a pair was trained on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import expit
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold
from sklearn.preprocessing import StandardScaler

from mmulbench.metrics.populations import confidence
from mmulbench.metrics.separation import Floats, Interval, auc_by_units, finite_vector

P_FLOOR = 1e-6
"""Least mean p(member) that `mi_ratio` divides by; it keeps the ratio finite when losses explode."""


@dataclass(frozen=True)
class LossAttack:
    """Holds what an attacker achieves who sees only the loss.

    Attributes:
        auc: P(member loss < non-member loss) + ties / 2, one-sided: above .5 members have the lower loss
            (remembered), below .5 the higher loss (over-forgotten); with its interval.
        accuracy: balanced accuracy of the two-sided threshold attack, in [0, 1]; .5 when nothing gives
            members away. Conspicuously high losses (over-forgetting) raise it as low ones do.
        n: pairs judged, members and non-members together.
        folds: cross-validation folds used; 1 means fitted and judged on the same pairs, which is optimistic.
    """

    auc: Interval
    accuracy: float
    n: int
    folds: int

    @property
    def advantage(self) -> float:
        """Two-sided attack advantage abs(2 auc - 1), in [0, 1]: over-forgetting is as revealing as memory."""
        return abs(2 * self.auc.value - 1)


def loss_attack(
    member_losses: Floats,
    member_units: npt.NDArray[Any],
    nonmember_losses: Floats,
    nonmember_units: npt.NDArray[Any],
    seed: int,
    folds: int = 5,
) -> LossAttack:
    """Tell members from non-members by their loss: AUC, and a cross-validated threshold attack.

    The loss attack of Yeom et al. 2018 (arXiv 1709.01604), on Df against test pairs as in Kurmanji et al.
    2023 (arXiv 2302.09880), who fit a logistic regression on the loss. Its AUC has the bootstrap interval of
    `mmulbench.metrics.separation.auc_by_units`. The accuracy is that of an `IntervalRule` on the
    confidence log(p / (1 - p)). The order of the pairs decides the rule, so that a few wildly wrong ones
    do not, as they do in a regression on the loss. Each class's units are dealt to the folds on their
    own, so pairs of a unit never span folds and every fold holds both classes; the rule is learnt on the
    other folds, and accuracy is the mean of the folds' balanced accuracies. Fewer folds are used when a
    class has fewer units; with a single unit nothing can be held out, so the attacker is judged on the
    pairs it was fitted on, an optimistic figure that ``folds == 1`` marks.

    Args:
        member_losses: (n,) loss of each member pair, such as those of Df.
        member_units: (n,) the unit of each; the two classes' units are different things even if named alike.
        nonmember_losses: (m,) loss of each pair the model never saw, such as those of the test set.
        nonmember_units: (m,) the unit of each.
        seed: decides the draws of the interval.
        folds: most folds to use, at least 2.

    Returns:
        The attack's AUC, accuracy, advantage, and what they rest on.

    Raises:
        ValueError: a class is empty, losses and units differ in number, or a loss is below 0.
        Diverged: a loss is NaN or infinite.

    Example:
        >>> import numpy as np
        >>> forget, test = np.array([0.1, 0.2, 0.1, 0.2]), np.array([0.8, 0.9, 0.8, 0.9])
        >>> attack = loss_attack(forget, np.arange(4), test, np.arange(4), seed=0)
        >>> attack.auc.value, attack.accuracy, attack.n, attack.folds
        (1.0, 1.0, 8, 4)
    """
    members = finite_vector(member_losses, "member losses")
    nonmembers = finite_vector(nonmember_losses, "non-member losses")
    if member_units.shape != members.shape or nonmember_units.shape != nonmembers.shape:
        raise ValueError(
            f"{members.size} member and {nonmembers.size} non-member losses, but units of shapes "
            f"{member_units.shape} and {nonmember_units.shape}; give one unit per loss"
        )
    below = np.count_nonzero(members < 0) + np.count_nonzero(nonmembers < 0)
    if below:
        raise ValueError(f"{below} losses are below 0; give -log(p) of each pair")
    folds = min(folds, np.unique(member_units).size, np.unique(nonmember_units).size)
    ours, theirs = confidence(members), confidence(nonmembers)
    accuracies = [
        IntervalRule.fit(ours[our_fit], theirs[their_fit]).accuracy(ours[our_rest], theirs[their_rest])
        for (our_fit, our_rest), (their_fit, their_rest) in zip(
            _splits(member_units, folds), _splits(nonmember_units, folds), strict=True
        )
    ]
    auc = auc_by_units(members, member_units, nonmembers, nonmember_units, seed)
    return LossAttack(auc, float(np.mean(accuracies)), members.size + nonmembers.size, folds)


def _splits(
    units: npt.NDArray[Any], folds: int
) -> Iterator[tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]]:
    """Yield the rows to fit and the rows to judge of each fold."""
    if folds == 1:
        yield np.arange(units.size), np.arange(units.size)
    else:
        yield from GroupKFold(folds).split(units, groups=units)


@dataclass(frozen=True)
class IntervalRule:
    """Judges who is a member by an interval of confidence; a threshold is an interval without an end.

    Members that are surer than others lie above a threshold, over-forgotten ones below one, and members that
    are neither as sure nor as wrong as others lie between two: one family of rules finds all of them.

    Attributes:
        low: lower end of the interval.
        high: upper end of the interval.
        inside: whether members lie inside; otherwise outside.
    """

    low: float
    high: float
    inside: bool

    @classmethod
    def fit(cls, members: Floats, nonmembers: Floats) -> IntervalRule:
        """Find the rule of the greatest balanced accuracy.

        An end lies half-way between the two neighbouring confidences. Of equally good rules the same one is
        found whatever the order of the pairs.

        Args:
            members: (n,) confidences of members.
            nonmembers: (m,) confidences of non-members.

        Example:
            >>> import numpy as np
            >>> IntervalRule.fit(np.array([2.0, 3.0]), np.array([0.0, 1.0, 9.0]))
            IntervalRule(low=1.5, high=6.0, inside=True)
        """
        values, place = np.unique(np.concatenate([members, nonmembers]), return_inverse=True)
        # Whole numbers, so that equal gains are equal to the last digit.
        gain = np.repeat([nonmembers.size, -members.size], [members.size, nonmembers.size])
        total = np.concatenate([[0.0], np.cumsum(np.bincount(place, gain))])  # over the values below an end
        ends = np.concatenate([[-np.inf], (values[1:] + values[:-1]) / 2, [np.inf]])
        rules = []
        for sign in (1, -1):  # the interval that gains most by holding members, and by holding none
            rise = sign * total - np.minimum.accumulate(sign * total)
            high = int(rise.argmax())
            low = int((sign * total[: high + 1]).argmin())
            rules.append((rise[high], cls(float(ends[low]), float(ends[high]), inside=sign == 1)))
        return max(rules, key=lambda rule: rule[0])[1]

    def accuracy(self, members: Floats, nonmembers: Floats) -> float:
        """Return the balanced accuracy of the rule.

        Args:
            members: (n,) confidences of members.
            nonmembers: (m,) confidences of non-members.
        """
        found, taken = (
            float(np.mean(((self.low < one) & (one < self.high)) == self.inside))
            for one in (members, nonmembers)
        )
        return (found + 1 - taken) / 2


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

    Source: arXiv 2311.12047 (MI, before / after, there higher is better); 1 for an unchanged model. It has no
    upper end that means anything: over-forgetting raises it without limit, so that more is not better, and
    its logarithm is what can be compared with retrain's. GNNDelete's code (arXiv 2302.13406) stores the
    inverse, after / before, as a mean of per-pair ratios. Turned round, a
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
