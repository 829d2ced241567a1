"""What a sweep is asked to do: a grid of runs, written in a file or as options."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from mmulbench.errors import MmulbenchError, UsageError, did_you_mean
from mmulbench.files import reason_of
from mmulbench.results import Scalar, fingerprint


class Frozen(BaseModel):
    """Immutable, refuses unknown fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")


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
        parts = [f"{self.method} on {self.task}", self.backbone or "", f"seed {self.seed}"]
        parts += [f"forget size {self.forget_size}"] if self.forget_size else []
        return ", ".join(part for part in [*parts, *self.settings] if part)


def _as_list(value: Any) -> Any:
    return value if isinstance(value, list | tuple) else [value]


def _as_texts(value: Any) -> Any:
    return [str(item) if isinstance(item, int | float) else item for item in _as_list(value)]


Names = Annotated[tuple[str, ...], BeforeValidator(_as_list)]
Sizes = Annotated[tuple[str, ...], BeforeValidator(_as_texts)]
Seeds = Annotated[tuple[Annotated[int, Field(ge=0)], ...], BeforeValidator(_as_list)]
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
        given = ((name, getattr(self, name)) for name in type(self).model_fields)
        return all(getattr(job, name) in values for name, values in given if values)


class Grid(Frozen):
    """A sweep file: every task with every method, backbone, seed and forget size.

    Attributes:
        settings: ``key=value`` for all runs, as for ``--set``.
        methods: by method, its own settings; several mappings are several variants of the method.
        exclude: runs that are left out.
        include: runs that are added; what they do not name is taken from the grid's only value.
    """

    task: Names = ()
    method: Names = ()
    seed: Seeds = (42,)
    backbone: Names = ()
    forget_size: Sizes = ()
    settings: Names = Field(default=(), alias="set")
    methods: dict[str, Variants] = Field(default_factory=dict)
    exclude: tuple[Rule, ...] = ()
    include: tuple[Job, ...] = ()

    def jobs(self) -> list[Job]:
        """All runs, each once, in the order of tasks, forget sizes, seeds and methods.

        Raises:
            UsageError: when there are none, or settings are given for a method that is not in the grid.
        """
        for name in self.methods:
            if name not in self.method:
                hint = did_you_mean(name, self.method)
                raise UsageError(f"methods: {name} has settings but is no method of the sweep{hint}")
        grid = [job for job in self._grid() if not any(rule.matches(job) for rule in self.exclude)]
        found = list({job.job_id: job for job in [*grid, *self.include]}.values())
        if not found:
            raise UsageError("the sweep has no runs: name at least one task and one method")
        return found

    def _grid(self) -> Iterator[Job]:
        sizes, backbones = self.forget_size or (None,), self.backbone or (None,)
        for task, backbone, size, seed, method in itertools.product(
            self.task, backbones, sizes, self.seed, self.method
        ):
            for variant in self.methods.get(method, ({},)):
                own = tuple(f"{method}.{key}={_text(value)}" for key, value in variant.items())
                yield Job(
                    task=task,
                    method=method,
                    seed=seed,
                    backbone=backbone,
                    forget_size=size,
                    settings=(*self.settings, *own),
                )


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
    except (yaml.YAMLError, UnicodeDecodeError) as error:
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
        raise UsageError(f"{source}: {where}: {first['msg'].removeprefix('Value error, ')}") from error


def _text(value: Scalar) -> str:
    return "true" if value is True else "false" if value is False else str(value)


def sweep_id(jobs: Sequence[Job], options: Mapping[str, Any]) -> str:
    """A name for jobs with their options: the same request is the same sweep."""
    return fingerprint([[job.model_dump(mode="json") for job in jobs], dict(options)])[:8]
