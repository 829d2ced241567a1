"""Say where the models that a record compares were made otherwise than its run."""

from __future__ import annotations

from mmulbench.records.schema import Making, RunResult


def made_otherwise(result: RunResult) -> list[str]:
    """Return a line for each model that was trained otherwise than the run was made.

    Args:
        result: the record.
    """
    if not result.models:
        return []
    run = Making(**{name: getattr(result.environment, name) for name in Making.model_fields})
    lines = []
    for name, made in sorted(result.models.items()):
        of_both = [(field, getattr(made, field), getattr(run, field)) for field in Making.model_fields]
        other = [f"{field} ({own}, here {here})" for field, own, here in of_both if own != here]
        if other:
            lines.append(f"{name} was trained with other {', '.join(other)}")
    return lines
