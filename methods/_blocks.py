"""See a model as a row of blocks, for methods that change only the last of them."""

from __future__ import annotations

from torch import nn

from mmulbench import MultimodalModel

LISTS = (nn.ModuleList, nn.Sequential)


def blocks(model: MultimodalModel) -> list[list[str]]:
    """Group the names of a model's parameters into blocks.

    An entry of a list of modules (a transformer or graph layer, a layer of a perceptron) is a block; so is
    every module that holds no such list; and so are the parameters that a module with a list inside has of
    its own. Blocks follow the order of definition, but those of the fusion group come last: a block that is
    partly in the fusion group, such as a text layer with cross-attention, counts as two. What has no matrix
    (a norm) belongs to the block before it.

    Returns:
        The names in each block, last block last.
    """
    fusion = {id(parameter) for parameter in model.fusion_parameters()}
    found: dict[tuple[bool, str], list[str]] = {}
    vectors: dict[tuple[bool, str], bool] = {}
    for name, parameter in model.named_parameters():
        key = (id(parameter) in fusion, _block(model, name))
        found.setdefault(key, []).append(name)
        vectors[key] = vectors.get(key, True) and parameter.ndim < 2
    groups: dict[bool, list[list[str]]] = {False: [], True: []}
    for key, names in found.items():
        group = groups[key[0]]
        if vectors[key] and group:
            group[-1].extend(names)
        else:
            group.append(names)
    return groups[False] + groups[True]


def last_blocks(model: MultimodalModel, count: int) -> list[str]:
    """Return the names of the parameters of the last blocks.

    Args:
        model: the model.
        count: number of blocks; all where there are fewer.
    """
    return [name for block in blocks(model)[-count:] for name in block]


def _block(model: nn.Module, parameter: str) -> str:
    """Return the path of the module that is the block of a parameter."""
    module, path = model, ""
    for part in parameter.split(".")[:-1]:
        listed = isinstance(module, LISTS)
        module, path = getattr(module, part), f"{path}.{part}"
        if listed or not any(isinstance(inner, LISTS) for inner in module.modules()):
            break
    return path
