"""Describe the runs of a sweep: a grid, written in a file or as options."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, SerializerFunctionWrapHandler, ValidationError, model_serializer

from mmulbench.errors import UsageError, did_you_mean
from mmulbench.frozen import Frozen
from mmulbench.hashing import fingerprint
from mmulbench.records.schema import Scalar
from mmulbench.runs.forget_list import fixed_list
from mmulbench.sweeps.sweep_file import read_fields


class Job(Frozen):
    """Describes one run by names alone, so that any machine can make it.

    Attributes:
        task: registered name of the task.
        method: registered name of the method.
        seed: seed of the run.
        backbone: backbone as for ``--backbone``; None for the task's own.
        forget_size: number of forget units or fraction as for ``--forget-size``; None for the task's own.
        forget: file that lists what is forgotten, with its digest, as for ``--forget``; None for none.
        forget_where: conditions on what is forgotten, as for ``--forget-where``.
        settings: ``key=value`` texts as for ``--set``, those of the recipe and the task included.
    """

    task: str
    method: str
    seed: int = Field(ge=0)
    backbone: str | None = None
    forget_size: str | None = None
    forget: str | None = None
    forget_where: tuple[str, ...] = ()
    settings: tuple[str, ...] = ()

    @model_serializer(mode="wrap")
    def _leave_out_what_old_sweeps_lack(self, dump: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Leave out lists and conditions where there are none, as sweeps of before do: their ids stay."""
        dumped: dict[str, Any] = dump(self)
        for name in ("forget", "forget_where"):
            if not dumped.get(name):
                dumped.pop(name, None)
        return dumped

    @property
    def methods(self) -> tuple[str, ...]:
        """The one method, as a request has several."""
        return (self.method,)

    @property
    def job_id(self) -> str:
        """First 12 hexadecimal digits of the SHA-256 of the job."""
        return fingerprint(self.model_dump(mode="json"))[:12]

    @property
    def title(self) -> str:
        """Title of the run, in one line."""
        return titled(self, f"seed {self.seed}")


def titled(job: Job, seed: str) -> str:
    """Return the title of a run, in one line.

    Args:
        job: the run.
        seed: its seed in words; empty to leave it out.
    """
    parts = [f"{job.method} on {job.task}", job.backbone or "", seed]
    parts += [f"forget size {job.forget_size}"] if job.forget_size else []
    parts += [f"forget {job.forget}"] if job.forget else []
    parts += [f"forget where {condition}" for condition in job.forget_where]
    return ", ".join(part for part in [*parts, *job.settings] if part)


def _as_list(value: Any) -> Any:
    return value if isinstance(value, list | tuple) else [value]


def _as_texts(value: Any) -> Any:
    return [str(item) if isinstance(item, int | float) else item for item in _as_list(value)]


def _as_settings(value: Any) -> Any:
    """Take settings as ``key=value`` texts, or as a mapping."""
    if isinstance(value, dict):
        return [f"{key}={_text(item)}" for key, item in _single(value).items()]
    return _as_list(value)


def _single(value: Any) -> Any:
    """Refuse settings without a value, or with several.

    Raises:
        ValueError: There are such settings.
    """
    for key, item in value.items() if isinstance(value, dict) else ():
        if item is None or isinstance(item, list | dict):
            raise ValueError(f"{key} must have a single value")
    return value


def _text(value: Scalar) -> str:
    return "true" if value is True else "false" if value is False else str(value)


Names = Annotated[tuple[str, ...], BeforeValidator(_as_list)]
Sizes = Annotated[tuple[str, ...], BeforeValidator(_as_texts)]
Seeds = Annotated[tuple[Annotated[int, Field(ge=0)], ...], BeforeValidator(_as_list)]
Settings = Annotated[tuple[str, ...], BeforeValidator(_as_settings)]
Variant = Annotated[dict[str, Scalar], BeforeValidator(_single)]
Variants = Annotated[tuple[Variant, ...], BeforeValidator(_as_list)]


class Part(Frozen):
    """Describes a part of a sweep's runs: those that agree with every field that is given."""

    task: Names = ()
    method: Names = ()
    backbone: Names = ()
    seed: Seeds = ()
    forget_size: Sizes = ()

    def matches(self, job: Job) -> bool:
        """Tell whether a run agrees with every field that is given."""
        return all(getattr(job, name) in values for name, values in self.named())

    def named(self) -> list[tuple[str, tuple[Any, ...]]]:
        """Return the fields that are given, with their values."""
        given = ((name, getattr(self, name)) for name in type(self).model_fields)
        return [(name, values) for name, values in given if values]


class Axes(Frozen):
    """Describes the runs of every task with every method, backbone, seed and forget size.

    Attributes:
        task: registered names of tasks.
        method: registered names of methods.
        seed: seeds.
        backbone: backbones; empty for the tasks' own.
        forget_size: numbers of forget units or fractions; empty for the tasks' own.
        forget: files that list what is forgotten, each for runs of its own.
        forget_where: conditions on what is forgotten, which all have to hold.
        settings: ``key=value`` texts for all runs, as for ``--set``.
        methods: settings of single methods, which come before the general ones; several mappings for one
            method are several variants of it.
    """

    task: Names = ()
    method: Names = ()
    seed: Seeds = (42,)
    backbone: Names = ()
    forget_size: Sizes = ()
    forget: Names = ()
    forget_where: Names = ()
    settings: Settings = Field(default=(), alias="set")
    methods: dict[str, Variants] = Field(default_factory=dict)

    def all_jobs(self) -> Iterator[Job]:
        """Yield the runs in the order of tasks, backbones, forget sizes, seeds and methods."""
        sizes, backbones = self.forget_size or (None,), self.backbone or (None,)
        lists = tuple(fixed_list(one) for one in self.forget) or (None,)
        for task, backbone, forget, size, seed, method in itertools.product(
            self.task, backbones, lists, sizes, self.seed, self.method
        ):
            for variant in self.methods.get(method, ({},)):
                yield Job(
                    task=task,
                    method=method,
                    seed=seed,
                    backbone=backbone,
                    forget_size=size,
                    forget=forget,
                    forget_where=self.forget_where,
                    settings=self._settings(method, variant),
                )

    def _settings(self, method: str, variant: Mapping[str, Scalar]) -> tuple[str, ...]:
        """Return the settings of one method: its own replace general ones, other methods' are left out."""
        others = tuple(f"{name}." for name in self.method if name != method)
        own = {f"{method}.{key}": value for key, value in variant.items()}
        general = (
            item
            for item in self.settings
            if not item.startswith(others) and not {(key := _key(item)), f"{method}.{key}"} & own.keys()
        )
        return (*general, *(f"{key}={_text(value)}" for key, value in own.items()))


def _key(item: str) -> str:
    return item.partition("=")[0].strip()


class Grid(Axes):
    """Describes the runs of a sweep: the content of a sweep file.

    Attributes:
        exclude: runs that are left out, of those that are no included grid's.
        include: grids that are added; fields that they do not give are the sweep's.
        only: runs that are left, of all; None for all.
    """

    exclude: tuple[Part, ...] = ()
    include: tuple[Axes, ...] = ()
    only: Part | None = None

    def jobs(self) -> list[Job]:
        """Return all runs, each once.

        Raises:
            UsageError: There are no runs, or a part of them or settings name something that is not there.
        """
        self._check()
        found = [
            job for job in self.all_jobs() if not any(exclusion.matches(job) for exclusion in self.exclude)
        ]
        own = {name: getattr(self, name) for name in Axes.model_fields}
        for added in self.include:
            given = {name: getattr(added, name) for name in added.model_fields_set}
            found += Axes.model_construct(**{**own, **given}).all_jobs()
        if not found:
            raise UsageError("the sweep has no runs: name at least one task and one method")
        every = list({job.job_id: job for job in found}.values())
        return every if self.only is None else _chosen(every, self.only)

    def _check(self) -> None:
        """Refuse names that are not in the sweep: they are slips of the pen.

        Raises:
            UsageError: There is such a name.
        """
        methods = {*self.method, *(name for added in self.include for name in added.method)}
        for name in {*self.methods, *(name for added in self.include for name in added.methods)}:
            if name not in methods:
                hint = did_you_mean(name, methods)
                raise UsageError(f"methods: {name} has settings but is no method of the sweep{hint}")
        for exclusion in self.exclude:
            for name, values in exclusion.named():
                known = getattr(self, name)
                for value in values:
                    if value not in known:
                        hint = did_you_mean(str(value), map(str, known))
                        raise UsageError(f"exclude: {name} {value} is not in the sweep{hint}")


def _chosen(jobs: Sequence[Job], part: Part) -> list[Job]:
    """Return the runs that agree with a part.

    Raises:
        UsageError: There are none.
    """
    for name, values in part.named():
        known = {str(value) for job in jobs if (value := getattr(job, name)) is not None}
        for value in values:
            if str(value) not in known:
                hint = did_you_mean(str(value), known)
                raise UsageError(f"only: {name} {value} is not in the sweep{hint}")
    found = [job for job in jobs if part.matches(job)]
    if not found:
        raise UsageError("only: no run of the sweep agrees with all that is named")
    return found


def given_grid(file: Path | None, given: Mapping[str, Any]) -> Grid:
    """Return the grid of a sweep file, or of options, which take the place of the file's fields.

    Args:
        file: the sweep file, if there is one.
        given: fields that were given as options.

    Raises:
        UsageError: The file is no sweep, or a field is wrong.
    """
    content = read_fields(file) if file is not None else {}
    content.pop("executor", None)  # says where the runs are made, not which
    return checked_grid({**content, **given}, str(file) if file is not None else "sweep")


def checked_grid(content: Mapping[str, Any], source: str) -> Grid:
    """Return the grid that fields describe.

    Args:
        content: the fields.
        source: source of the fields, which messages name.

    Raises:
        UsageError: A field is unknown or has a wrong value.
    """
    known = [field.alias or name for name, field in Grid.model_fields.items()]
    for name in content:
        if name not in known:
            raise UsageError(f"{source}: unknown field {name!r}{did_you_mean(str(name), known)}")
    try:
        return Grid.model_validate(content)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        what = first["msg"].removeprefix("Value error, ")
        if first["type"] == "extra_forbidden":
            fields = known if first["loc"][0] == "include" else Part.model_fields
            what = f"there is no such field{did_you_mean(str(first['loc'][-1]), fields)}"
        elif first["type"] == "int_parsing":
            what = f"{what}, not {first['input']}"
        raise UsageError(f"{source}: {where}: {what[:1].lower()}{what[1:]}") from error


def id_of_sweep(jobs: Sequence[Job], options: Mapping[str, object]) -> str:
    """Return the id of a sweep; the same runs with the same options have the same id.

    Args:
        jobs: the runs.
        options: options that all runs share, as JSON holds them.
    """
    return fingerprint([[job.model_dump(mode="json") for job in jobs], dict(options)])[:8]
