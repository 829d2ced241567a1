"""Take models that were trained elsewhere as original and retrain, and see that they belong together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from mmulbench.core.backbone import Backbone
from mmulbench.core.registry import BACKBONES
from mmulbench.core.task import Task
from mmulbench.core.training import Recipe
from mmulbench.errors import UsageError
from mmulbench.exports.read import GivenModel, open_model
from mmulbench.exports.same_inputs import same_inputs
from mmulbench.runs.backbones import find_backbone, refuse_unfit

WITHOUT_RETRAIN = (
    "--original names the model to unlearn, and leaves open what it is compared with: give --retrain-from, "
    "the weights that it was fine-tuned from, with the recipe (--set recipe.epochs=… and so on); or "
    "--retrain, a model that was trained without what is forgotten; or --no-reference"
)


class Asked(Protocol):
    """Says which models are given: the options of a run do.

    Attributes:
        original: place of the model that is to unlearn; None where it is trained here.
        retrain_from: weights that retrain starts from, a place or ``family:variant``; None for none.
        retrain: place of a model that was trained without the forget set; None where it is trained here.
        reference: whether there is a retrain to compare with.
        shadows: number of shadow models.
    """

    @property
    def original(self) -> str | None: ...  # noqa: D102 (attributes are described above)
    @property
    def retrain_from(self) -> str | None: ...  # noqa: D102
    @property
    def retrain(self) -> str | None: ...  # noqa: D102
    @property
    def reference(self) -> bool: ...  # noqa: D102
    @property
    def shadows(self) -> int: ...  # noqa: D102


@dataclass(frozen=True)
class GivenModels:
    """Holds what a run takes from elsewhere instead of training it.

    Attributes:
        original: the model that is to unlearn; None where it is trained here.
        retrain: the model that was trained without the forget set; None where it is trained here, or there is
            none.
        start: weights that retrain starts from; None where the backbone has them, or they are not known.
        has_start: whether the backbone has the weights that a retrain starts from.
    """

    original: GivenModel | None = None
    retrain: GivenModel | None = None
    start: GivenModel | None = None
    has_start: bool = True

    def name_of(self, backbone: Backbone) -> str:
        """Return what records call the backbone: after the weights that retrain starts from, if known.

        Args:
            backbone: backbone of the run.
        """
        if self.original is None or (self.has_start and self.start is None):
            return backbone.full_name
        return _label(self.start or self.original)

    @property
    def labels(self) -> dict[str, str]:
        """Family, name and digest of what is given, as records carry them, by ``original``, ``retrain``."""
        return {name: _label(one) for name, one in self._named().items()}

    @property
    def revisions(self) -> dict[str, str]:
        """Repository and commit of what is given from a hub, by option without its dashes."""
        start = {} if self.start is None else {"retrain-from": self.start}
        return {name: one.revision for name, one in {**self._named(), **start}.items() if one.revision}

    @property
    def arguments(self) -> dict[str, str]:
        """Place and digest of what is given, as the command line takes them, by option."""
        start = {} if self.start is None else {"--retrain-from": self.start.argument}
        return {**{f"--{name}": one.argument for name, one in self._named().items()}, **start}

    def _named(self) -> dict[str, GivenModel]:
        both = {"original": self.original, "retrain": self.retrain}
        return {name: one for name, one in both.items() if one is not None}


def _label(model: GivenModel) -> str:
    return f"{model.backbone.name}:{model.label}"


def find_models(asked: Asked, backbone: str | None, task: Task) -> tuple[GivenModels, Backbone]:
    """Find the models that are given, and the backbone that all of a run's models are built by.

    Args:
        asked: says which are given.
        backbone: value of ``--backbone``; None for the task's own.
        task: task that they shall serve.

    Raises:
        UsageError: A model is not there, does not serve the task or does not fit the others, or options
            contradict each other.
    """
    if asked.original is None:
        if option := next((name for name in ("retrain_from", "retrain") if getattr(asked, name)), None):
            raise UsageError(
                f"--{option.replace('_', '-')} goes with --original: without it, --backbone names the "
                "weights that original and retrain are trained from"
            )
        return GivenModels(), find_backbone(task.default_backbone if backbone is None else backbone, task)
    _refuse_contradictions(asked, backbone)
    original = open_model(asked.original)
    refuse_unfit(original.backbone.name, task)
    retrain = open_model(asked.retrain) if asked.retrain is not None else None
    start, fresh = None, None
    if asked.retrain_from is not None:
        start, fresh = _start(asked.retrain_from, task)
    if retrain is not None:
        _refuse_others("--retrain", original, retrain.backbone, retrain.digest)
    if fresh is not None:
        _refuse_others("--retrain-from", original, fresh, "" if start is None else start.digest)
    return GivenModels(original, retrain, start, has_start=fresh is not None), fresh or original.backbone


def check_recipe(recipe: Recipe, given: GivenModels, backbone: Backbone, *, reference: bool) -> None:
    """Refuse a recipe of no epochs where something is to be trained by it.

    Args:
        recipe: the recipe.
        given: models that need no training.
        backbone: what the others are built by.
        reference: whether there is a retrain to compare with.

    Raises:
        UsageError: Something is.
    """
    if recipe.epochs:
        return
    if given.original is None and backbone.checkpoint is None:
        raise UsageError("recipe.epochs=0 trains nothing, and random weights have nothing to forget")
    if reference and given.retrain is None:
        raise UsageError(
            "recipe.epochs=0 trains nothing, so that retrain would be what it starts from: give --retrain or "
            "--no-reference"
        )


def _refuse_contradictions(asked: Asked, backbone: str | None) -> None:
    """Refuse options that leave open, or say twice, what a run is made of.

    Raises:
        UsageError: There are such.
    """
    if backbone is not None:
        raise UsageError("--original says itself which backbone it is: leave out --backbone")
    if asked.shadows:
        raise UsageError("--shadows compares with originals that are trained here: leave out --original")
    if asked.retrain is not None and not asked.reference:
        raise UsageError("--retrain and --no-reference contradict each other: give one of them")
    if asked.reference and asked.retrain is None and asked.retrain_from is None:
        raise UsageError(WITHOUT_RETRAIN)


def _start(source: str, task: Task) -> tuple[GivenModel | None, Backbone]:
    """Return the weights that retrain starts from, None for random ones, and the backbone that has them.

    Raises:
        UsageError: It is none, or cannot be trained from.
    """
    family, _, rest = source.partition(":")
    if family in BACKBONES.names():
        if not rest or rest in BACKBONES.get(family).variants:
            return None, find_backbone(source, task)
        found = open_model(rest, family)
    else:
        found = open_model(source)
    return found, found.start()


def _refuse_others(option: str, original: GivenModel, backbone: Backbone, digest: str) -> None:
    """Refuse a model that is the original itself, or is shown other inputs.

    Raises:
        UsageError: It is such.
    """
    if digest == original.digest:
        raise UsageError(
            f"{option} is the original itself, weight for weight: it knows what is to be forgotten"
        )
    if reason := same_inputs(original.backbone, backbone):
        raise UsageError(f"{option} does not go with --original: {reason}")
