"""Run methods on a task from Python, as ``mmulbench run`` does from the command line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import overload

from pydantic import ValidationError

from mmulbench import defaults
from mmulbench.api.progress import NotebookBars
from mmulbench.core.plugins import load_plugins, plugin_of
from mmulbench.core.registry import METHODS, TASKS
from mmulbench.errors import UsageError
from mmulbench.handover.save import ModelFolder
from mmulbench.progress import Progress
from mmulbench.records.reading import first_fault
from mmulbench.records.schema import RunResult, Scalar
from mmulbench.runs.request import DEFAULT_SEED, Overwrite, Request
from mmulbench.runs.session import run_session


@overload
def run(
    method: str,
    task: str,
    *,
    seed: int = ...,
    backbone: str | None = ...,
    forget_size: int | float | None = ...,
    forget: str | Path | None = ...,
    forget_where: str | Sequence[str] = ...,
    settings: Mapping[str, Scalar] | None = ...,
    device: str = ...,
    data_dir: str | Path | None = ...,
    results_dir: str | Path | None = ...,
    cache_dir: str | Path | None = ...,
    tuned_dir: str | Path | None = ...,
    plugins: Sequence[str | Path] = ...,
    overwrite: Overwrite = ...,
    original: str | Path | None = ...,
    retrain_from: str | Path | None = ...,
    retrain: str | Path | None = ...,
    reference: bool = ...,
    untuned: bool = ...,
    shadows: int = ...,
    units: bool = ...,
    record_ids: bool = ...,
    save_model: str | Path | None = ...,
    logger: str | Sequence[str] = ...,
    logger_dir: str | Path | None = ...,
    progress: bool = ...,
) -> RunResult: ...


@overload
def run(
    method: str | Sequence[str],
    task: str,
    *,
    seed: int | Sequence[int] = ...,
    backbone: str | None = ...,
    forget_size: int | float | None = ...,
    forget: str | Path | None = ...,
    forget_where: str | Sequence[str] = ...,
    settings: Mapping[str, Scalar] | None = ...,
    device: str = ...,
    data_dir: str | Path | None = ...,
    results_dir: str | Path | None = ...,
    cache_dir: str | Path | None = ...,
    tuned_dir: str | Path | None = ...,
    plugins: Sequence[str | Path] = ...,
    overwrite: Overwrite = ...,
    original: str | Path | None = ...,
    retrain_from: str | Path | None = ...,
    retrain: str | Path | None = ...,
    reference: bool = ...,
    untuned: bool = ...,
    shadows: int = ...,
    units: bool = ...,
    record_ids: bool = ...,
    save_model: str | Path | None = ...,
    logger: str | Sequence[str] = ...,
    logger_dir: str | Path | None = ...,
    progress: bool = ...,
) -> RunResult | list[RunResult]: ...


def run(
    method: str | Sequence[str],
    task: str,
    *,
    seed: int | Sequence[int] = DEFAULT_SEED,
    backbone: str | None = None,
    forget_size: int | float | None = None,
    forget: str | Path | None = None,
    forget_where: str | Sequence[str] = (),
    settings: Mapping[str, Scalar] | None = None,
    device: str = "auto",
    data_dir: str | Path | None = None,
    results_dir: str | Path | None = None,
    cache_dir: str | Path | None = None,
    tuned_dir: str | Path | None = None,
    plugins: Sequence[str | Path] = (),
    overwrite: Overwrite = "failed",
    original: str | Path | None = None,
    retrain_from: str | Path | None = None,
    retrain: str | Path | None = None,
    reference: bool = True,
    untuned: bool = False,
    shadows: int = 0,
    units: bool = True,
    record_ids: bool = False,
    save_model: str | Path | None = None,
    logger: str | Sequence[str] = (),
    logger_dir: str | Path | None = None,
    progress: bool = True,
) -> RunResult | list[RunResult]:
    """Unlearn with one or more methods on a task, and judge each result beside the original and retrain.

    Every run is recorded the moment it ends, in the same files as by ``mmulbench run``; a run that is
    recorded already is read, not made again. A run that fails or diverges is returned too, with its
    ``status`` and its ``reason``. Where an earlier try of it is done, the file keeps that one's record.

    Args:
        method: registered name of a method, or several.
        task: registered name of the task.
        seed: training seed and seed of the forget set, or several; 0 and above.
        backbone: ``family:variant``, such as ``albef:tiny``; None for the task's own.
        forget_size: number of units to forget, or a fraction between 0 and 1; None for the task's own.
        forget: file that lists what to forget instead: unit ids, one a line, or a table of unit ids, or of
            units with the text to forget of each.
        forget_where: condition such as ``label == contradiction`` on the pairs whose units are forgotten
            instead, or several that all have to hold.
        settings: what ``--set`` sets: a plain key for every chosen method, ``mmul.lr`` for one method,
            ``recipe.epochs`` for the training, ``task.limit`` for the task.
        device: ``auto``, ``cpu`` or ``cuda:N``.
        data_dir: folder of official data; None for MMULBENCH_DATA, else ``data``.
        results_dir: folder of the records; None for MMULBENCH_RESULTS, else ``results``.
        cache_dir: folder of what runs share; None for MMULBENCH_CACHE, else the user's cache folder.
        tuned_dir: folder of your own studies; None for MMULBENCH_TUNED, else ``tuned``.
        plugins: Python files with methods, tasks, backbones or metrics of your own.
        overwrite: which existing records to make again: ``never``, ``failed`` or ``always``.
        original: model to unlearn, instead of one that is trained here: a folder in the transformers layout
            (BLIP, CLIP, SigLIP, ViLT), ALBEF's file, or an export.
        retrain_from: weights that ``original`` was fine-tuned from; retrain starts from them.
        retrain: model that was trained without what is forgotten, to compare with.
        reference: whether to train retrain and compare with it.
        untuned: whether methods start from their own settings, not from tuned ones.
        shadows: how many shadow models to attack with besides.
        units: whether to keep scores by unit beside each record, for `load_units`.
        record_ids: whether records hold the ids of a list, too, which may be personal data.
        save_model: folder that the unlearned model is written to, in its family's own format; several runs
            have a folder each in it.
        logger: what logs losses by epoch and final values besides: ``csv``, ``tensorboard``, ``wandb`` or
            ``mlflow``, or several.
        logger_dir: folder of loggers' files; None for MMULBENCH_LOGGED, else ``logged``.
        progress: whether to show bars.

    Returns:
        The record; or one for each seed and method, seed by seed, where several of either were given.

    Raises:
        UsageError: for an unknown name, a bad value, missing data or a missing package.
        MmulbenchError: when a folder cannot be written or data is damaged.
    """
    single = isinstance(method, str) and isinstance(seed, int)
    request = _request(
        methods=(method,) if isinstance(method, str) else tuple(method),
        task=task,
        backbone=backbone,
        seeds=(seed,) if isinstance(seed, int) else tuple(seed),
        forget_size=None if forget_size is None else str(forget_size),
        forget=_text(forget),
        forget_where=(forget_where,) if isinstance(forget_where, str) else tuple(forget_where),
        settings=tuple(f"{key}={value}" for key, value in (settings or {}).items()),
        device=device,
        data_dir=defaults.data_dir(_path(data_dir)),
        results_dir=defaults.results_dir(_path(results_dir)),
        cache_dir=defaults.cache_dir(_path(cache_dir)),
        tuned_dir=defaults.tuned_dir(_path(tuned_dir)),
        plugins=defaults.plugin_files([Path(path) for path in plugins]),
        overwrite=overwrite,
        original=_text(original),
        retrain_from=_text(retrain_from),
        retrain=_text(retrain),
        reference=reference,
        untuned=untuned,
        shadows=shadows,
        units=units,
        record_ids=record_ids,
        loggers=(logger,) if isinstance(logger, str) else tuple(logger),
        logger_dir=defaults.logger_dir(_path(logger_dir)) if logger else None,
    )
    load_plugins(request.plugins)
    _refuse_what_has_no_file(request)
    folder = None if save_model is None else ModelFolder(Path(save_model), several=not single)
    if folder is not None:
        folder.check()
    deliver = None if folder is None else folder.deliver
    records = run_session(request, NotebookBars() if progress else Progress(), deliver)
    results = [record.result for record in records]
    return results[0] if single else results


def _request(**options: object) -> Request:
    """Check the options of a run.

    Raises:
        UsageError: for the first that is wrong, in one line.
    """
    try:
        return Request.model_validate(options)
    except ValidationError as error:
        raise UsageError(first_fault(error)) from error


def _path(folder: str | Path | None) -> Path | None:
    return None if folder is None else Path(folder)


def _text(place: str | Path | None) -> str | None:
    return None if place is None else str(place)


def _refuse_what_has_no_file(request: Request) -> None:
    """Refuse methods and tasks that were typed into a session: no record could name their code.

    Raises:
        UsageError: with what to do instead.
    """
    named = [("method", name, METHODS) for name in request.methods] + [("task", request.task, TASKS)]
    for kind, name, registry in named:
        if name in registry.by_hand() and plugin_of(kind, name) is None:
            raise UsageError(
                f"the {kind} {name!r} was registered in this session and has no file, so that its record "
                "could not say what code it ran: write it to a file and pass plugins=[...]"
            )
