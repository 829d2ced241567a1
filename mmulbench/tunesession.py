"""What ``mmulbench tune`` does: check the request whole, then tune method by method."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from mmulbench.artifacts import ArtifactCache
from mmulbench.errors import NotApplicable, UsageError
from mmulbench.files import prepare_folder
from mmulbench.holdout import PUBLISHED_SEEDS
from mmulbench.method import Method
from mmulbench.overrides import Overrides
from mmulbench.pipeline import use_device
from mmulbench.plugins import load_plugins
from mmulbench.preparation import Prepared, Workspace, find_backbone, load_data, prepare_inputs
from mmulbench.progress import Progress
from mmulbench.registry import METHODS, TASKS
from mmulbench.search import search_space
from mmulbench.session import parse_forget_size
from mmulbench.store import ResultsStore
from mmulbench.task import Task
from mmulbench.training import Recipe
from mmulbench.tuned import Study, read_study, study_path, write_study
from mmulbench.tuning import Bench, make_bench, study_spec, tune

DEFAULT_SEEDS = (1, 2)
DEFAULT_BUDGET = 0.5


@dataclass(frozen=True)
class TuneRequest:
    """The options of ``mmulbench tune``; no methods means all that have settings to search."""

    task: str
    trials: int
    methods: Sequence[str] = ()
    backbone: str | None = None
    seeds: Sequence[int] = DEFAULT_SEEDS
    budget: float = DEFAULT_BUDGET
    forget_size: str | None = None
    settings: Sequence[str] = ()
    device: str = "auto"
    data_dir: Path = Path("data")
    tuned_dir: Path = Path("tuned")
    cache_dir: Path = Path("cache")
    plugins: Sequence[Path] = ()


Done = Callable[[str, Study | None, str], None]
"""Receives a method's name, its study, and the study's file or why there is none."""


def tune_session(request: TuneRequest, progress: Progress, done: Done) -> list[Study]:
    """Tune every method of a request.

    Raises:
        UsageError: for wrong use, before anything is computed.
        MmulbenchError: when a folder cannot be written or data is damaged.
    """
    task, methods, recipe = _configure(request)
    forget_size = parse_forget_size(request.forget_size)
    backbone = find_backbone(task.default_backbone if request.backbone is None else request.backbone, task)
    device = use_device(request.device)
    prepare_folder(request.cache_dir, "cache", "--cache-dir")
    prepare_folder(request.tuned_dir, "settings", "--tuned-dir")
    workspace = Workspace(
        cache=ArtifactCache(request.cache_dir, progress.note),
        store=ResultsStore(request.tuned_dir, progress.note),
        data_dir=request.data_dir,
        device=device,
        progress=progress,
    )
    with progress:
        data = load_data(task, workspace)
        size = task.forget_size(data, forget_size)
        prepared = prepare_inputs(request.task, task, data, backbone, recipe, workspace)
        session = _Session(request, prepared, size, workspace)
        studies = []
        for name, method in methods.items():
            reason = method.applies_to(task)
            try:
                study, path = session.study(name, method) if reason is None else (None, Path())
            except NotApplicable as error:
                study, reason = None, str(error)
            done(name, study, reason or str(path))
            studies += [study] if study is not None else []
    return studies


@dataclass
class _Session:
    """What the studies of one request share."""

    request: TuneRequest
    prepared: Prepared
    size: int
    workspace: Workspace

    @cached_property
    def benches(self) -> list[Bench]:
        """One a seed; made when the first trial needs them."""
        request = self.request
        return [
            make_bench(self.prepared, self.size, seed, request.budget, self.workspace)
            for seed in request.seeds
        ]

    def study(self, name: str, method: Method) -> tuple[Study, Path]:
        """One method's study, as far as asked for, and its file.

        Raises:
            NotApplicable: when the model lacks what the method needs.
            MmulbenchError: when the study cannot be read or written.
        """
        request, workspace = self.request, self.workspace
        spec = study_spec(self.prepared, name, method, self.size, request.seeds, request.budget)
        path = study_path(request.tuned_dir, spec.task, spec.backbone, name)
        with workspace.cache.lock(f"tune-{spec.study_id}", "tuning the same method"):
            known = read_study(path)
            if known is not None and known.spec != spec:
                workspace.progress.note(f"{path} is of another study ({known.spec.study_id}): it is replaced")
                known = None
            if known is not None and len(known.trials) >= request.trials:
                return known, path
            trials = known.trials if known is not None else []
            found = tune(
                spec, method, trials, request.trials, self.benches, workspace, lambda s: write_study(path, s)
            )
        return found, path


def _configure(request: TuneRequest) -> tuple[Task, dict[str, Method], Recipe]:
    """Task, methods and recipe, every name and value checked."""
    load_plugins(request.plugins)
    task_class = TASKS.get(request.task)
    names = request.methods or [name for name in METHODS.names() if search_space(METHODS.get(name).Config)]
    classes = {name: METHODS.get(name) for name in dict.fromkeys(names)}
    for name, cls in classes.items():
        if not search_space(cls.Config):
            raise UsageError(f"method {name} has no settings to search; give its fields a Search(low, high)")
    if published := [seed for seed in request.seeds if seed in PUBLISHED_SEEDS]:
        raise UsageError(f"--seed {published[0]} is for records; tune with another, such as --seed 1")
    overrides = Overrides(request.settings, list(classes))
    task = task_class(overrides.task(task_class.Config()))
    methods = {name: cls(overrides.method(name, cls.Config())) for name, cls in classes.items()}
    return task, methods, overrides.recipe(task.recipe)
