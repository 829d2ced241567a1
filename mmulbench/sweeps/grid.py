"""What a sweep is asked to do: a grid of runs, written in a file or as options."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import BeforeValidator, Field, ValidationError

from mmulbench.errors import MmulbenchError, UsageError, did_you_mean
from mmulbench.files import reason_of
from mmulbench.frozen import Frozen
from mmulbench.hashing import fingerprint
from mmulbench.records.schema import Scalar


class Job(Frozen):
    """One run, by names alone, so that any machine can make it.

    Attributes:
        settings: as for ``--set``, those of the recipe and the task included.
        forget_size: as for ``--forget-size``.
    """

    task: str
    method: str
    seed: int = Field(ge=0)
    backbone: str | None = None
    forget_size: str | None = None
    settings: tuple[str, ...] = ()

    @property
    def job_id(self) -> str:
        """First 12 hexadecimal digits of the SHA-256 of the job."""
        return fingerprint(self.model_dump(mode="json"))[:12]

    @property
    def title(self) -> str:
        """The job in one line."""
        return titled(self, f"seed {self.seed}")


def titled(job: Job, seed: str) -> str:
    """A job in one line, its seed in words."""
    parts = [f"{job.method} on {job.task}", job.backbone or "", seed]
    parts += [f"forget size {job.forget_size}"] if job.forget_size else []
    return ", ".join(part for part in [*parts, *job.settings] if part)


def _as_list(value: Any) -> Any:
    return value if isinstance(value, list | tuple) else [value]


def _as_texts(value: Any) -> Any:
    return [str(item) if isinstance(item, int | float) else item for item in _as_list(value)]


def _as_settings(value: Any) -> Any:
    """Settings as ``key=value`` texts, or as a mapping."""
    if isinstance(value, dict):
        return [f"{key}={_text(item)}" for key, item in value.items()]
    return _as_list(value)


def _text(value: Scalar) -> str:
    return "true" if value is True else "false" if value is False else str(value)


Names = Annotated[tuple[str, ...], BeforeValidator(_as_list)]
Sizes = Annotated[tuple[str, ...], BeforeValidator(_as_texts)]
Seeds = Annotated[tuple[Annotated[int, Field(ge=0)], ...], BeforeValidator(_as_list)]
Settings = Annotated[tuple[str, ...], BeforeValidator(_as_settings)]
Variants = Annotated[tuple[dict[str, Scalar], ...], BeforeValidator(_as_list)]


class Rule(Frozen):
    """Which runs an ``exclude`` takes away: those that agree with all that it names."""

    task: Names = ()
    method: Names = ()
    backbone: Names = ()
    seed: Seeds = ()
    forget_size: Sizes = ()

    def matches(self, job: Job) -> bool:
        """Whether a job agrees with all that is named."""
        return all(getattr(job, name) in values for name, values in self.named())

    def named(self) -> list[tuple[str, tuple[Any, ...]]]:
        """The fields that are named, with their values."""
        given = ((name, getattr(self, name)) for name in type(self).model_fields)
        return [(name, values) for name, values in given if values]


class Axes(Frozen):
    """Every task with every method, backbone, seed and forget size.

    Attributes:
        settings: ``key=value`` for all runs, as for ``--set``.
        methods: by method, its own settings, which come before the general ones; several mappings are several
            variants of the method.
    """

    task: Names = ()
    method: Names = ()
    seed: Seeds = (42,)
    backbone: Names = ()
    forget_size: Sizes = ()
    settings: Settings = Field(default=(), alias="set")
    methods: dict[str, Variants] = Field(default_factory=dict)

    def all_jobs(self) -> Iterator[Job]:
        """The runs, in the order of tasks, backbones, forget sizes, seeds and methods."""
        sizes, backbones = self.forget_size or (None,), self.backbone or (None,)
        for task, backbone, size, seed, method in itertools.product(
            self.task, backbones, sizes, self.seed, self.method
        ):
            for variant in self.methods.get(method, ({},)):
                yield Job(
                    task=task,
                    method=method,
                    seed=seed,
                    backbone=backbone,
                    forget_size=size,
                    settings=self._settings(method, variant),
                )

    def _settings(self, method: str, variant: Mapping[str, Scalar]) -> tuple[str, ...]:
        """The settings of one method: other methods' are left out, and its own come before general ones."""
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
    """A sweep file.

    Attributes:
        exclude: runs that are left out.
        include: grids that are added; what they do not name is the sweep's.
    """

    exclude: tuple[Rule, ...] = ()
    include: tuple[Axes, ...] = ()

    def jobs(self) -> list[Job]:
        """All runs, each once.

        Raises:
            UsageError: when there are none, or a rule or settings name what is not there.
        """
        self._check()
        found = [job for job in self.all_jobs() if not any(rule.matches(job) for rule in self.exclude)]
        own = {name: getattr(self, name) for name in Axes.model_fields}
        for added in self.include:
            given = {name: getattr(added, name) for name in added.model_fields_set}
            found += Axes.model_construct(**{**own, **given}).all_jobs()
        if not found:
            raise UsageError("the sweep has no runs: name at least one task and one method")
        return list({job.job_id: job for job in found}.values())

    def _check(self) -> None:
        """Refuse what names nothing that is there: it is a slip of the pen."""
        methods = {*self.method, *(name for added in self.include for name in added.method)}
        for name in {*self.methods, *(name for added in self.include for name in added.methods)}:
            if name not in methods:
                hint = did_you_mean(name, methods)
                raise UsageError(f"methods: {name} has settings but is no method of the sweep{hint}")
        for rule in self.exclude:
            for name, values in rule.named():
                known = getattr(self, name)
                for value in values:
                    if value not in known:
                        hint = did_you_mean(str(value), map(str, known))
                        raise UsageError(f"exclude: {name} {value} is not in the sweep{hint}")


def read_fields(path: Path) -> dict[str, Any]:
    """Read a sweep file; `checked_grid` says whether it is one.

    Raises:
        UsageError: when there is no such file or it is no sweep; the message names the place.
        MmulbenchError: when it cannot be read.
    """
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise UsageError(f"there is no sweep file {path}") from error
    except OSError as error:
        raise MmulbenchError(f"cannot read {path}: {reason_of(error)}") from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:  # ValueError: a date that is none
        raise UsageError(f"{path} is no YAML: {' '.join(str(error).split())}") from error
    if not isinstance(content, dict):
        raise UsageError(f"{path} is no sweep: it must name at least task and method")
    return content


def given_grid(file: Path | None, given: Mapping[str, Any]) -> Grid:
    """The grid of a sweep file, or of options, which take the place of the file's fields.

    Args:
        file: the sweep file, or None.
        given: fields that were given as options.

    Raises:
        UsageError: when it is no sweep.
    """
    content = read_fields(file) if file is not None else {}
    content.pop("executor", None)  # says where the runs are made, not which
    return checked_grid({**content, **given}, str(file) if file is not None else "sweep")


def checked_grid(content: Mapping[str, Any], source: str) -> Grid:
    """A grid from its fields.

    Args:
        content: the fields.
        source: where they come from, for messages.

    Raises:
        UsageError: for an unknown field or a wrong value.
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
        what = "there is no such field" if first["type"] == "extra_forbidden" else first["msg"]
        raise UsageError(f"{source}: {where}: {what[:1].lower()}{what[1:]}") from error


def sweep_id(jobs: Sequence[Job], options: Mapping[str, Any]) -> str:
    """A name for jobs with their options: the same request is the same sweep."""
    return fingerprint([[job.model_dump(mode="json") for job in jobs], dict(options)])[:8]
