"""Benchmark and evaluation harness for multimodal machine unlearning.

What is named here is what authors of methods, tasks, backbones and metrics need, and what a notebook calls.
Each name is imported from its room when it is first used, so that the command line answers at once.
"""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import TYPE_CHECKING

from mmulbench.supported import refusal

if TYPE_CHECKING:
    from mmulbench.api.compare import Comparison as Comparison
    from mmulbench.api.compare import compare as compare
    from mmulbench.api.evaluate import evaluate as evaluate
    from mmulbench.api.records import leaderboard as leaderboard
    from mmulbench.api.records import load_records as load_records
    from mmulbench.api.records import plot as plot
    from mmulbench.api.run import run as run
    from mmulbench.api.units import load_rankings as load_rankings
    from mmulbench.api.units import load_units as load_units
    from mmulbench.cache.block_layout import Blockwise as Blockwise
    from mmulbench.core.backbone import Backbone as Backbone
    from mmulbench.core.backbone import RawItems as RawItems
    from mmulbench.core.backbone import TaskShape as TaskShape
    from mmulbench.core.data import Batch as Batch
    from mmulbench.core.data import Inputs as Inputs
    from mmulbench.core.data import Integers as Integers
    from mmulbench.core.data import PairData as PairData
    from mmulbench.core.data import Relations as Relations
    from mmulbench.core.data import Split as Split
    from mmulbench.core.data import Targets as Targets
    from mmulbench.core.data import unrelated_pairs as unrelated_pairs
    from mmulbench.core.data_info import DataInfo as DataInfo
    from mmulbench.core.data_info import DataReport as DataReport
    from mmulbench.core.descent import BatchSize as BatchSize
    from mmulbench.core.descent import Descent as Descent
    from mmulbench.core.descent import DescentConfig as DescentConfig
    from mmulbench.core.descent import Epochs as Epochs
    from mmulbench.core.descent import GradientConfig as GradientConfig
    from mmulbench.core.descent import GradientMethod as GradientMethod
    from mmulbench.core.descent import LearningRate as LearningRate
    from mmulbench.core.descent import OneSetMethod as OneSetMethod
    from mmulbench.core.descent import Patience as Patience
    from mmulbench.core.method import Method as Method
    from mmulbench.core.method import UnlearningProblem as UnlearningProblem
    from mmulbench.core.metric import HEADLINE as HEADLINE
    from mmulbench.core.metric import CombinedMetric as CombinedMetric
    from mmulbench.core.metric import Metric as Metric
    from mmulbench.core.metric import Needs as Needs
    from mmulbench.core.metric import PathMetric as PathMetric
    from mmulbench.core.metric import PopulationMetric as PopulationMetric
    from mmulbench.core.metric import RecoveryMetric as RecoveryMetric
    from mmulbench.core.metric import UnimodalMetric as UnimodalMetric
    from mmulbench.core.metric import UtilityMetric as UtilityMetric
    from mmulbench.core.model import CLASSIFICATION as CLASSIFICATION
    from mmulbench.core.model import CONTRASTIVE as CONTRASTIVE
    from mmulbench.core.model import MATCHING as MATCHING
    from mmulbench.core.model import ClassificationModel as ClassificationModel
    from mmulbench.core.model import EncoderOutput as EncoderOutput
    from mmulbench.core.model import Group as Group
    from mmulbench.core.model import ModelOutput as ModelOutput
    from mmulbench.core.model import MultimodalModel as MultimodalModel
    from mmulbench.core.model import RetrievalModel as RetrievalModel
    from mmulbench.core.observations import Estimate as Estimate
    from mmulbench.core.observations import Estimates as Estimates
    from mmulbench.core.observations import PairNumbers as PairNumbers
    from mmulbench.core.observations import PathObservation as PathObservation
    from mmulbench.core.observations import PathPopulation as PathPopulation
    from mmulbench.core.observations import PathRecovery as PathRecovery
    from mmulbench.core.observations import UnimodalObservation as UnimodalObservation
    from mmulbench.core.registry import BACKBONES as BACKBONES
    from mmulbench.core.registry import METHODS as METHODS
    from mmulbench.core.registry import METRICS as METRICS
    from mmulbench.core.registry import TASKS as TASKS
    from mmulbench.core.search_space import Search as Search
    from mmulbench.core.task import Task as Task
    from mmulbench.core.task import TaskData as TaskData
    from mmulbench.core.task import data_fingerprint as data_fingerprint
    from mmulbench.core.training import Checkpoints as Checkpoints
    from mmulbench.core.training import Learner as Learner
    from mmulbench.core.training import Phase as Phase
    from mmulbench.core.training import Recipe as Recipe
    from mmulbench.core.training import check_finite as check_finite
    from mmulbench.core.training import descend as descend
    from mmulbench.errors import Diverged as Diverged
    from mmulbench.errors import MmulbenchError as MmulbenchError
    from mmulbench.errors import NotApplicable as NotApplicable
    from mmulbench.errors import UsageError as UsageError
    from mmulbench.hashing import fingerprint as fingerprint
    from mmulbench.metrics.separation import finite_vector as finite_vector
    from mmulbench.packages import OFFLINE_INSTALL as OFFLINE_INSTALL
    from mmulbench.packages import package_folder as package_folder
    from mmulbench.pictures import read_image as read_image
    from mmulbench.progress import Progress as Progress
    from mmulbench.progress import Track as Track
    from mmulbench.records.schema import RunResult as RunResult
    from mmulbench.seeds import generator as generator
    from mmulbench.seeds import torch_seeded as torch_seeded
    from mmulbench.tsv import csv_quoting as csv_quoting

__version__ = "0.1.0"

# Methods and tasks lie beside the package, which has symbolic links to them. A checkout without links has
# text files in their place: then the two are found where they lie.
if any((Path(place) / room).is_file() for place in __path__ for room in ("methods", "tasks")):
    __path__.append(str(Path(__file__).parents[1]))

_ROOM_OF = {
    "api.compare": ("Comparison", "compare"),
    "api.evaluate": ("evaluate",),
    "api.records": ("leaderboard", "load_records", "plot"),
    "api.run": ("run",),
    "api.units": ("load_rankings", "load_units"),
    "cache.block_layout": ("Blockwise",),
    "core.backbone": ("Backbone", "RawItems", "TaskShape"),
    "core.data": (
        "Batch",
        "Inputs",
        "Integers",
        "PairData",
        "Relations",
        "Split",
        "Targets",
        "unrelated_pairs",
    ),
    "core.data_info": ("DataInfo", "DataReport"),
    "core.descent": (
        "BatchSize",
        "Descent",
        "DescentConfig",
        "Epochs",
        "GradientConfig",
        "GradientMethod",
        "LearningRate",
        "OneSetMethod",
        "Patience",
    ),
    "core.method": ("Method", "UnlearningProblem"),
    "core.metric": (
        "HEADLINE",
        "CombinedMetric",
        "Metric",
        "Needs",
        "PathMetric",
        "PopulationMetric",
        "RecoveryMetric",
        "UnimodalMetric",
        "UtilityMetric",
    ),
    "core.model": (
        "CLASSIFICATION",
        "CONTRASTIVE",
        "MATCHING",
        "ClassificationModel",
        "EncoderOutput",
        "Group",
        "ModelOutput",
        "MultimodalModel",
        "RetrievalModel",
    ),
    "core.observations": (
        "Estimate",
        "Estimates",
        "PairNumbers",
        "PathObservation",
        "PathPopulation",
        "PathRecovery",
        "UnimodalObservation",
    ),
    "core.registry": ("BACKBONES", "METHODS", "METRICS", "TASKS"),
    "core.search_space": ("Search",),
    "core.task": ("Task", "TaskData", "data_fingerprint"),
    "core.training": ("Checkpoints", "Learner", "Phase", "Recipe", "check_finite", "descend"),
    "errors": ("Diverged", "MmulbenchError", "NotApplicable", "UsageError"),
    "hashing": ("fingerprint",),
    "packages": ("OFFLINE_INSTALL", "package_folder"),
    "metrics.separation": ("finite_vector",),
    "pictures": ("read_image",),
    "progress": ("Progress", "Track"),
    "records.schema": ("RunResult",),
    "seeds": ("generator", "torch_seeded"),
    "tsv": ("csv_quoting",),
}

_MODULE_OF = {name: f"mmulbench.{module}" for module, names in _ROOM_OF.items() for name in names}


def __getattr__(name: str) -> object:
    """Import a public name from its room, when it is first asked for (PEP 562).

    Raises:
        AttributeError: There is no public name like this.
        ImportError: This Python cannot run mmulbench.
    """
    if name not in _MODULE_OF:
        raise AttributeError(f"module 'mmulbench' has no attribute {name!r}")
    reason = refusal()
    if reason:
        raise ImportError(reason)
    value: object = getattr(importlib.import_module(_MODULE_OF[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """List the public names, imported or not."""
    return sorted({*globals(), *_MODULE_OF})
