"""What a run is (`RunSpec`) and what it found (`RunResult`): the schema of the files under results/."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, Field, SerializerFunctionWrapHandler, model_serializer, model_validator

from mmulbench.failure import Frame
from mmulbench.frozen import Frozen
from mmulbench.hashing import fingerprint

SCHEMA_VERSION = 1
"""Version of a record: raised when a field changes meaning. Older records are then refused."""

METRIC_VERSION = "2"
"""Version of the metrics: raised when a definition changes; a table never mixes two versions."""

RECIPE_VERSION = "2"
"""Version of the training loops: raised when the same recipe comes to other weights, as by other batches."""

FIRST_VERSION = "1"
"""Version of what records say nothing of: they are from before there was a second."""

Direction = Literal["higher", "lower", "closest_to_retrain", "not_below_retrain"]
"""What is better. ``not_below_retrain``: to fall below retrain is a loss, to exceed it no merit."""

OUTSIDE = "external:"
"""What the names of methods begin with whose models were made elsewhere."""

Status = Literal["done", "diverged", "failed", "not_applicable"]
Scalar = bool | int | float | str | None

LARGEST = 1e100
"""Largest number, so that squares and sums of what is recorded are numbers too."""

Number = Annotated[float, Field(ge=-LARGEST, le=LARGEST)]
Count = Annotated[int, Field(ge=0, le=10**15)]
Revision = Annotated[str, Field(pattern=r"^[^@/\s]+/[^@/\s]+@[0-9a-f]{40}$")]


class ForgetList(Frozen):
    """Describes a list of what was to be forgotten, without the ids in it, which may be personal data."""

    digest: str = Field(
        pattern="^[0-9a-f]{64}$",
        description="SHA-256 of the ids of the units, or of the associations, in canonical JSON and sorted",
    )
    level: Literal["units", "pairs"] = Field(
        description="whether whole units are forgotten, or single associations of units that stay"
    )
    pairs: Count = Field(gt=0, description="pairs of the forget set")


class RunSpec(Frozen):
    """Holds everything that decides a run's numbers; hashes to its id."""

    task: str
    task_config: dict[str, Scalar] = Field(default_factory=dict)
    backbone: str = Field(description="family:variant, such as albef:packaged")
    method: str
    config: dict[str, Scalar] = Field(default_factory=dict, description="the method's full configuration")
    recipe: dict[str, Scalar] = Field(
        default_factory=dict, description="how the original and retrain are trained"
    )
    forget_size: Count = Field(gt=0, description="forget units in the forget set")
    forget: ForgetList | None = Field(
        default=None, description="list that names the forget set; absent where the task draws it by the seed"
    )
    seed: int = Field(ge=0)
    given: dict[str, str] = Field(
        default_factory=dict,
        description="family, name and digest of models that were not trained here, by `original` and "
        "`retrain`; absent where both were",
    )
    data_fingerprint: str
    metric_version: str = METRIC_VERSION
    recipe_version: str = RECIPE_VERSION
    plugins: dict[str, str] = Field(
        default_factory=dict,
        description="start of the SHA-256 of the plug-in file, by the method's, task's or backbone's name",
    )

    @model_validator(mode="before")
    @classmethod
    def _read_old(cls, given: Any) -> Any:
        """Take what was written before recipes had versions as of the first; a new object names its own."""
        if isinstance(given, dict) and given.get("metric_version") == FIRST_VERSION:
            return {"recipe_version": FIRST_VERSION, **given}
        return given

    @model_serializer(mode="wrap")
    def _leave_out_what_old_records_lack(self, dump: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Leave out what old records lack, such as plug-ins and lists: their ids stay."""
        dumped: dict[str, Any] = dump(self)
        if not self.plugins:
            dumped.pop("plugins", None)
        if self.forget is None:
            dumped.pop("forget", None)
        if not self.given:
            dumped.pop("given", None)
        if self.recipe_version == FIRST_VERSION:
            dumped.pop("recipe_version", None)
        return dumped

    @property
    def forget_text(self) -> str:
        """How much is forgotten, in words: of a list, the start of its digest too."""
        if self.forget is None:
            return f"forget size {self.forget_size}"
        single = f" ({self.forget.pairs} associations)" if self.forget.level == "pairs" else ""
        return f"forget list {self.forget.digest[:8]} of {self.forget_size} units{single}"

    @property
    def run_id(self) -> str:
        """First 12 hexadecimal digits of the SHA-256 of the specification as canonical JSON."""
        return fingerprint(self.model_dump(mode="json"))[:12]


class Value(Frozen):
    """Holds one measured number with what is needed to read it."""

    value: Number | None = Field(description="null where it cannot be computed; `missing` then says why")
    n: Count = Field(description="how many queries, pairs or samples it rests on")
    direction: Direction
    retrain: Number | None = Field(default=None, description="the same measure of retrain")
    original: Number | None = Field(default=None, description="the same measure of the untouched original")
    low: Number | None = Field(default=None, description="lower end of the 95 % bootstrap interval")
    high: Number | None = Field(default=None, description="upper end of the 95 % bootstrap interval")
    chance: Number | None = Field(default=None, description="expected value of random scores")


class Cost(Frozen):
    """Holds what unlearning alone cost: no data preparation, no training of the original, no evaluation."""

    seconds: Number = Field(ge=0, description="wall seconds")
    flops: Number | None = Field(
        default=None,
        description="floating-point operations, counted on the first steps of a kind; what several processes "
        "divide, in all of them together, what each does whole, once",
    )
    peak_memory_mb: Number | None = Field(
        default=None, description="peak memory of the (first) process or its GPU, MiB"
    )
    samples: Count = Field(default=0, description="pairs seen, repeats included")
    steps: Count = Field(default=0, description="optimiser steps")
    seconds_ratio: Number | None = Field(default=None, description="seconds / retrain's seconds (RTE)")
    flops_ratio: Number | None = Field(default=None, description="flops / retrain's flops")

    def beside(self, retrain: Cost) -> Cost:
        """Return this cost with its ratios to what retrain cost."""
        flops = self.flops / retrain.flops if self.flops is not None and retrain.flops else None
        ratios = {"seconds_ratio": self.seconds / max(retrain.seconds, 1e-9), "flops_ratio": flops}
        return self.model_copy(update=ratios)


class Tuning(Frozen):
    """Describes where a run's settings come from: a study that tried many and took the best."""

    study_id: str
    task: str = Field(description="the task it tuned on")
    backbone: str
    forget_size: int
    trials: int = Field(ge=0, description="configurations tried, the method's own defaults included")
    done: int = Field(
        default=0,
        ge=0,
        description="trials that were judged on every seed, rather than stopped",
    )
    budget: float = Field(description="what a trial might cost, as a part of retrain's FLOPs")
    found: bool = Field(
        default=True, description="false where no trial was done, so that the settings are the method's own"
    )
    reason: str | None = Field(
        default=None, description="why nothing was tried: no settings are within the budget; one line"
    )
    do_nothing: float | None = Field(
        default=None, description="distance of the untouched original to retrain, mean over the study's seeds"
    )
    objective: float | None = Field(
        default=None, description="distance of the chosen settings to retrain, mean over the study's seeds"
    )
    kept_default: bool = Field(
        default=False,
        description="true where the best trial was worse than the defaults on a forget set that the search "
        "did not see, so that the defaults stay",
    )
    overridden: tuple[str, ...] = Field(
        default=(),
        description="settings that the command line changed, so that the study never judged them together",
    )


class ScoreHistogram(Frozen):
    """Holds the distribution of association scores of one path before (original) and after unlearning."""

    edges: list[Number] = Field(description="bin edges, one more than there are counts")
    before: dict[str, list[Count]] = Field(description="counts for forget, retain and unrelated pairs")
    after: dict[str, list[Count]]

    @model_validator(mode="after")
    def _check_bins(self) -> ScoreHistogram:
        """Refuse bins that do not follow each other, and counts that are not those of the bins.

        Raises:
            ValueError: There are such.
        """
        if len(self.edges) < 2 or self.edges != sorted(set(self.edges)):
            raise ValueError("edges of bins must rise")
        if any(len(one) != len(self.edges) - 1 for one in (*self.before.values(), *self.after.values())):
            raise ValueError("there must be a count for each bin")
        return self


class StartAttack(Frozen):
    """Holds how well a loss attack tells pairs from test pairs, before any training."""

    value: Number = Field(description="AUC; .5 for pairs that were not seen")
    low: Number = Field(description="lower end of the 99 % interval")
    high: Number = Field(description="upper end of the 99 % interval")


class StartCheck(Frozen):
    """Holds what was measured of the weights that retrain starts from, which did not show the forget set."""

    forget: dict[str, StartAttack] = Field(description="by path: forget-set pairs against test pairs")
    retain: dict[str, StartAttack] = Field(description="by path: a sample of retain-set pairs")
    utility: dict[str, Number] = Field(description="of `forget` and `test`")
    limit: Number = Field(description="what no lower end of `forget` may exceed")


class Environment(Frozen):
    """Describes where a run ran."""

    mmulbench: str
    git_commit: str | None = Field(description="commit of mmulbench's checkout, -dirty if it is changed")
    python: str
    platform: str
    device: str
    threads: int = Field(description="threads of each process")
    cpu: str | None = Field(default=None, description="model of the processor, and instructions torch uses")
    processes: int = Field(default=1, ge=1, description="processes that made the run together")
    packages: dict[str, str] = Field(description="versions of the packages that touch the numbers")


class Making(Frozen):
    """Describes where a model was trained, as far as its numbers hang on that."""

    device: str
    threads: int = Field(description="threads of each process")
    processes: int = Field(default=1, ge=1, description="processes that trained it together")
    cpu: str | None = Field(default=None, description="model of the processor, and instructions torch uses")


class Addition(Frozen):
    """Describes values that were added to a record after its run."""

    metrics: tuple[str, ...] = Field(min_length=1, description="metrics whose values were added")
    plugins: dict[str, str] = Field(
        default_factory=dict,
        description="start of the SHA-256 of the plug-in file, by the name of a metric that is from one",
    )
    shadows: int = Field(default=0, ge=0, description="shadow models that were asked for with them")
    weights: str | None = Field(
        default=None,
        pattern="^[0-9a-f]{64}$",
        description="SHA-256 of the model that was measured; null where they follow from other values",
    )
    differing: tuple[str, ...] = Field(
        default=(),
        description="values of the record that came out otherwise then; those that the run found are kept",
    )
    environment: Environment
    finished: AwareDatetime


class RunResult(Frozen):
    """Holds one run's record: its specification, values, cost, and where it ran."""

    schema_version: int = SCHEMA_VERSION
    run_id: str
    spec: RunSpec
    status: Status
    reason: str | None = Field(default=None, description="why a run is not done; one line")
    trace: list[Frame] = Field(
        default_factory=list,
        description="where a run failed: the last places in the code of method, task, backbone or metric, "
        "the innermost last",
    )
    values: dict[str, Value] = Field(default_factory=dict, description="headline keys, then details as a/b")
    cost: Cost | None = None
    histograms: dict[str, ScoreHistogram] = Field(
        default_factory=dict, description="by association path, such as matching"
    )
    by_unit: dict[str, list[Number]] = Field(
        default_factory=dict,
        description="one number for each forget unit, in the order of the units: `pairs`, `forget`, and by "
        "path `mia/<path>` and `forget_vs_retain_auc/<path>`; intervals of differences rest on them",
    )
    units: str | None = Field(
        default=None,
        pattern="^[0-9a-f]{64}$",
        description="SHA-256 of the file beside the record, `<its name>.units.parquet`, with scores and "
        "losses by unit; null where none was kept",
    )
    weights: str | None = Field(
        default=None,
        pattern="^[0-9a-f]{64}$",
        description="SHA-256 of names and values of the unlearned model's weights; absent in records from "
        "before it was kept",
    )
    tuning: Tuning | None = Field(
        default=None, description="null where no setting comes from a study; see its `overridden`, too"
    )
    forget_ids: tuple[str, ...] = Field(
        default=(),
        description="ids that the list names, sorted, of associations with the partner after a tab; absent "
        "unless they were asked to be kept",
    )
    origins: dict[str, str] = Field(
        default_factory=dict,
        description="where each setting comes from: `default`, `study ID` or `command line`; those of recipe "
        "and task begin with `recipe.` and `task.`; empty in records from before this was kept",
    )
    shadows: int = Field(
        default=0, ge=0, description="shadow models that u_lira, lira, rmia and klom rest on"
    )
    start: StartCheck | None = Field(
        default=None,
        description="what the checkpoint knew of the forget set that retrain starts from; absent where there "
        "is no reference, or where its initial weights are random",
    )
    missing: list[str] = Field(default_factory=list, description="what was left out, and why")
    code: dict[str, str] = Field(
        default_factory=dict,
        description="digest of the code of `method`, `task`, `backbone` and of metrics that are not "
        "mmulbench's own, each with the modules of its own that it imports; empty where it is not known",
    )
    command: str = Field(description="the command line that reproduces this record")
    folders: dict[str, str] = Field(
        default_factory=dict,
        description="folders that the run read where they were not the default ones, by option, such as "
        "`--data-dir`; empty in records from before this was kept",
    )
    revisions: dict[str, Revision] = Field(
        default_factory=dict,
        description="repository and commit, `owner/name@commit`, of what was given from a hub, by "
        "`original`, `retrain`, `retrain-from` and `unlearned`; absent where nothing was",
    )
    environment: Environment
    models: dict[str, Making] = Field(
        default_factory=dict,
        description="where `original` and `retrain` were trained, since they come from the cache; without "
        "those of which it is not known",
    )
    started: AwareDatetime
    finished: AwareDatetime
    added: tuple[Addition, ...] = Field(
        default=(), description="values that `mmulbench evaluate` added later; absent where it added none"
    )

    @model_validator(mode="after")
    def _check_units(self) -> RunResult:
        """Refuse numbers by unit that are not of the same units, or of units without pairs.

        Raises:
            ValueError: There are such.
        """
        pairs = self.by_unit.get("pairs", [])
        if any(len(one) != len(pairs) for one in self.by_unit.values()) or min(pairs, default=1) <= 0:
            raise ValueError("by_unit must hold for each unit its pairs, above 0, and one number of all else")
        return self

    @model_serializer(mode="wrap")
    def _leave_out_no_start(self, dump: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Leave out what records from before it was kept lack, such as the start, where there is none."""
        dumped: dict[str, Any] = dump(self)
        if self.start is None:
            dumped.pop("start", None)
        for name in ("forget_ids", "weights", "revisions", "added"):
            if not dumped.get(name):
                dumped.pop(name, None)
        return dumped

    @property
    def has_unchecked_reference(self) -> bool:
        """Whether retrain starts from a checkpoint that nobody looked at: it may have seen the forget set.

        Names of checkpoints carry a digest after an ``@``. Records from before starts were checked are such.
        """
        compared = any(value.retrain is not None for value in self.values.values())
        if "retrain" in self.spec.given:
            return False  # it was looked at itself
        return compared and "@" in self.spec.backbone and self.start is None

    @property
    def is_tuned(self) -> bool:
        """Whether all settings are those that a study found, which had a trial within its budget."""
        return self.tuning is not None and self.tuning.found and not self.tuning.overridden
