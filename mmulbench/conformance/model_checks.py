"""The rules that models of every backbone must hold to, tried on made-up items of one kind of task."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor, nn

from mmulbench.conformance.backbone_trial import COUNT, BackboneTrial, PairOutputs, changed_items
from mmulbench.conformance.checks import SkipCheck, demand
from mmulbench.conformance.global_randomness import global_states, moved_since
from mmulbench.core.data import Batch, Inputs
from mmulbench.core.model import (
    CLASSIFICATION,
    CONTRASTIVE,
    MATCHING,
    EncoderOutput,
    MultimodalModel,
    RetrievalModel,
    own_class_log_odds,
)

TOLERANCE = 1e-4
"""Largest difference, relative to the largest value, between outputs that must be equal but for rounding."""

NOTICEABLE = 1e-5
"""Smallest difference, relative to the largest value, that counts as a change."""


def serves_the_kinds_it_names(trial: BackboneTrial) -> None:
    """A model can be built for every kind of task it serves, and its outputs have the contract's shapes."""
    model, modalities = trial.model, trial.backbone.modalities
    demand(
        bool(trial.shape.classes) or isinstance(model, RetrievalModel),
        f"build returned a {type(model).__name__} for retrieval: extend RetrievalModel",
    )
    demand(model.modalities == modalities, f"the model's modalities are {model.modalities}, not {modalities}")
    paths = {CLASSIFICATION} if trial.shape.classes else {CONTRASTIVE, MATCHING}
    demand(
        bool(model.paths) and set(model.paths) <= paths,
        f"the model's paths are {model.paths}: for this task, name {' or '.join(sorted(paths))}",
    )
    sides = model.encode_batch(trial.batch())
    for modality, encoded in zip(modalities, sides, strict=True):
        _demand_encoded(modality, encoded)
    fused = model.fuse(*sides)
    demand(fused.ndim == 2 and len(fused) == COUNT, f"fuse gives {_shape(fused)}, not ({COUNT}, d)")
    _demand_shapes(trial, model, sides, fused)


def _demand_encoded(modality: str, encoded: EncoderOutput) -> None:
    tokens, mask, pooled = encoded.tokens, encoded.mask, encoded.pooled
    demand(
        tokens.ndim == 3 and len(tokens) == COUNT and mask.shape == tokens.shape[:2],
        f"tokens and mask of {modality} are {_shape(tokens)} and {_shape(mask)}, not ({COUNT}, l, d) and "
        f"({COUNT}, l)",
    )
    demand(mask.dtype == torch.bool, f"the mask of {modality} is {mask.dtype}: make it bool, True where real")
    demand(bool(mask.any(1).all()), f"items of {modality} have no real token: the mask is True where one is")
    demand(
        pooled.ndim == 2 and len(pooled) == COUNT,
        f"pooled of {modality} is {_shape(pooled)}, not ({COUNT}, d)",
    )


def _demand_shapes(
    trial: BackboneTrial, model: MultimodalModel, sides: tuple[EncoderOutput, EncoderOutput], fused: Tensor
) -> None:
    """Demand the shapes of what is said of pairs."""
    batch, classes = trial.batch(), trial.shape.classes
    columns = {CONTRASTIVE: COUNT, MATCHING: 2, CLASSIFICATION: classes}
    wanted: dict[str, object] = {path: (COUNT, columns[path]) for path in model.paths}
    wanted |= {"head": (COUNT, classes or 2), "loss": (), "fused": tuple(fused.shape)}
    wanted |= {f"association {path}": (COUNT,) for path in model.paths}
    wanted |= {
        f"unimodal {name}": tuple(side.pooled.shape)
        for name, side in zip(model.modalities, sides, strict=True)
    }
    output = trial.trained_output(batch)
    found: dict[str, Tensor] = {**output.logits, "head": model.head(fused), "loss": output.loss}
    found |= {"fused": output.fused}
    found |= {f"unimodal {name}": value for name, value in output.unimodal.items()}
    association = model.association(*sides, batch.targets.labels)
    found |= {f"association {path}": value for path, value in association.items()}
    shapes = {name: tuple(value.shape) for name, value in found.items()}
    wrong = sorted(name for name in {*wanted, *shapes} if wanted.get(name) != shapes.get(name))
    demand(
        not wrong,
        f"the outputs' shapes differ from the contract's: "
        f"{'; '.join(f'{name} is {shapes.get(name)}, not {wanted.get(name)}' for name in wrong)}",
    )
    logits = model.logits(*sides, fused)
    demand(
        {name: value.shape for name, value in logits.items()}
        == {name: value.shape for name, value in output.logits.items()},
        "logits() and the training pass give logits of different paths or shapes",
    )


def gives_finite_numbers(trial: BackboneTrial) -> None:
    """Losses and outputs are finite, in a batch of one pair or of one unit too."""
    one = np.zeros(1, dtype=np.int64)
    batches = {
        "a batch": trial.batch(),
        "a batch of one pair": trial.batch(one),
        "a batch of one unit": trial.batch(
            one.repeat(2), np.arange(2), related=torch.ones(2, 2, dtype=torch.bool)
        ),
    }
    for name, batch in batches.items():
        output = trial.trained_output(batch)
        outputs = {"loss": output.loss, "fused": output.fused, **output.logits, **output.unimodal}
        outputs |= trial.judge(batch).named()
        wrong = [what for what, value in outputs.items() if not is_finite(value)]
        demand(not wrong, f"{listed(wrong)} of {name} is infinite or NaN")


def trains_every_parameter(trial: BackboneTrial) -> None:
    """The loss of a batch has a gradient in every parameter.

    It may be 0 in a single number, such as the bias of ViLT's published ranking head: what shifts all scores
    of a query alike cancels in a softmax over its candidates, but for rounding.
    """
    named = dict(trial.model.named_parameters())
    frozen = [name for name, parameter in named.items() if not parameter.requires_grad]
    demand(not frozen, f"{listed(frozen)} wants no gradient: what never trains belongs in prepare")
    related = torch.eye(COUNT, dtype=torch.bool)
    related[0, 2] = True
    gradients = torch.autograd.grad(
        trial.trained_output(trial.batch(related=related)).loss, list(named.values()), allow_unused=True
    )
    still = [
        name
        for name, one in zip(named, gradients, strict=True)
        if one is None or (one.numel() > 1 and not one.any())
    ]
    demand(not still, f"{listed(still)} never learns: use it in the training pass, or leave it out")


def names_its_fusion_parameters(trial: BackboneTrial) -> None:
    """The fusion group is what fusing and its head use and encoding does not."""
    model, names = trial.model, {id(p): name for name, p in trial.model.named_parameters()}
    fusion = model.fusion_parameters()
    demand(len({id(p) for p in fusion}) == len(fusion), "fusion_parameters names a parameter twice")
    demand(
        all(id(p) in names for p in fusion),
        "fusion_parameters gives tensors that are no parameters of the model: give the parameters themselves",
    )
    sides = model.encode_batch(trial.batch())
    encoding = _used(model, [part for side in sides for part in (side.tokens, side.pooled)])
    given = [replace(side, tokens=side.tokens.detach(), pooled=side.pooled.detach()) for side in sides]
    fusing = _used(model, [model.head(model.fuse(*given))])
    said, behind = {names[id(p)] for p in fusion}, fusing - encoding
    demand(bool(said), "fusion_parameters is empty: methods that train the fusion alone would train nothing")
    demand(
        said <= behind,
        f"{listed(sorted(said - behind))} is in fusion_parameters, but encoding uses it, or fusing does not",
    )
    demand(
        behind <= said,
        f"{listed(sorted(behind - said))} is used behind the encoders: name it in fusion_parameters",
    )


def reads_every_part(trial: BackboneTrial) -> None:
    """Every word and every quarter of an image reaches the unimodal and the fused representation."""
    for side, modality in enumerate(trial.backbone.modalities):
        changed = changed_items(trial.items[modality])
        varied = np.arange(1 + len(changed.places))
        alike = np.zeros_like(varied)
        features = trial.features({**trial.items, modality: changed.items})
        first, second = (varied, alike) if side == 0 else (alike, varied)
        judged = trial.judge(trial.batch(first, second, features=features))
        for name, values in (("unimodal", judged.sides[side].pooled), ("fused", judged.fused)):
            unread = [
                place
                for place, value in zip(changed.places, values[1:], strict=True)
                if not _differs(values[0], value)
            ]
            demand(
                not unread,
                f"{listed(unread)} of {modality} never reaches the {name} representation: read it all",
            )


def keeps_places_apart(trial: BackboneTrial) -> None:
    """The fused representation of a classified group says which image or node is in which place."""
    if trial.shape.group == 1:
        raise SkipCheck("its items are no groups")
    if not trial.shape.classes:
        raise SkipCheck("a group is ranked whatever the order of its images or nodes")
    modality = trial.backbone.modalities[0]
    items = trial.items[modality]
    assert items.groups is not None
    swapped = {**trial.items, modality: replace(items, groups=items.groups[:, ::-1].copy())}
    after = trial.judge(trial.batch(features=trial.features(swapped)))
    demand(
        _differs(trial.judge(trial.batch()).fused, after.fused),
        "a group fused with its images or nodes swapped is the same: give every place something of its own",
    )


def ignores_padding(trial: BackboneTrial) -> None:
    """Whatever stands where a mask is False changes nothing."""
    model, batch = trial.model, trial.batch()
    before = trial.judge(batch)
    padded = any(not side.mask.all() for side in before.sides)
    for side, modality in enumerate(trial.backbone.modalities):
        inputs = batch.inputs(modality)
        other = _scrambled(inputs)
        if all(torch.equal(inputs[name], other[name]) for name in inputs):
            continue
        padded = True
        with torch.no_grad():
            old, new = before.sides[side], model.encode(modality, other)
        demand(
            _same(old.pooled, new.pooled) and _same(old.tokens[old.mask], new.tokens[old.mask]),
            f"the inputs of {modality} at places that their mask leaves out reach the encoder's output: hand "
            "the mask to every layer",
        )
    if not padded:
        raise SkipCheck("nothing of its inputs and tokens is padding")
    with torch.no_grad():
        loud = [
            replace(side, tokens=side.tokens.masked_fill(~side.mask[..., None], 99.0))
            for side in before.sides
        ]
        fused = model.fuse(*loud)
    demand(
        _same(before.fused, fused),
        "tokens that the mask leaves out reach the fused representation: hand the mask to every layer",
    )


def _scrambled(inputs: Inputs) -> Inputs:
    """Return inputs with other values wherever a mask of theirs, a bool tensor of (n, l), is False."""
    found = dict(inputs)
    for mask in (value for value in inputs.values() if value.dtype == torch.bool and value.ndim == 2):
        for name, value in inputs.items():
            if value.dtype != torch.bool and value.shape[:2] == mask.shape:
                keep = mask.reshape(*mask.shape, *[1] * (value.ndim - 2))
                found[name] = torch.where(keep, found[name], value.max())
    return found


def judges_each_pair_by_itself(trial: BackboneTrial) -> None:
    """What it says of a pair does not depend on the batch, and encoded items can be paired anew."""
    whole = trial.judge(trial.batch())
    for row in range(COUNT):
        _demand_same_rows(
            whole, trial.judge(trial.batch(np.array([row]))), [row], "depends on the other pairs of its batch"
        )
    first, second = np.array([2, 0, 3, 0]), np.array([1, 1, 0, 3])
    anew = trial.judge(trial.batch(first, second))
    with torch.no_grad():
        left, right = whole.sides[0][torch.from_numpy(first)], whole.sides[1][torch.from_numpy(second)]
        fused = trial.model.fuse(left, right)
    demand(
        _same(anew.fused, fused),
        "items that were encoded in other pairs fuse otherwise: let encode read nothing but its own items",
    )
    demand(_differs(whole.fused, fused), "the fused representation is the same for other pairs")


def _demand_same_rows(whole: PairOutputs, part: PairOutputs, rows: Sequence[int], otherwise: str) -> None:
    found = part.named()
    for name, value in whole.named().items():
        demand(
            _same(value[list(rows)], found[name]), f"{name} of a pair {otherwise}: read each pair by itself"
        )


def evaluates_the_same_again(trial: BackboneTrial) -> None:
    """In evaluation mode it gives the same outputs again, bit for bit, and draws no random number."""
    batch, states = trial.batch(), global_states()
    first, again = trial.judge(batch).named(), trial.judge(batch).named()
    disturbed = moved_since(states)
    for name, value in first.items():
        demand(
            torch.equal(value, again[name]), f"{name} differs when asked for again: switch off what is random"
        )
    demand(not disturbed, f"judging pairs moved the global generator of {' and '.join(disturbed)}")


def agrees_with_itself(trial: BackboneTrial) -> None:
    """The association of pairs is that of their logits, in the training pass too."""
    batch, model = trial.batch(), trial.model
    judged = trial.judge(batch)
    with torch.no_grad():
        output = trial.trained_output(batch)
        logits = model.logits(*judged.sides, judged.fused)
    pooled = dict(zip(model.modalities, (side.pooled for side in judged.sides), strict=True))
    for name, value in pooled.items():
        demand(
            _same(value, output.unimodal[name]),
            f"the training pass gives another unimodal representation of {name} than encode: give its pooled",
        )
    demand(
        _same(judged.fused, output.fused), "the training pass gives another fused representation than fuse"
    )
    for path, value in judged.association.items():
        for said in (logits[path], output.logits[path]):
            demand(
                _same(value, _log_odds(path, said, batch)),
                f"the {path} association of a pair is not that of its logits: give the pair's similarity, or "
                "the log-odds of belonging together or of its own class",
            )


def _log_odds(path: str, logits: Tensor, batch: Batch) -> Tensor:
    """Return (n,) how strongly pairs belong together by their logits on a path."""
    if path == CONTRASTIVE:
        return logits.diagonal()
    if path == MATCHING:
        return logits[:, 1] - logits[:, 0]
    assert batch.targets.labels is not None
    return own_class_log_odds(logits, batch.targets.labels)


def is_its_weights(trial: BackboneTrial) -> None:
    """A model that takes over another's state dict gives its outputs."""
    batch = trial.batch()
    twin = trial.build(3).eval()
    twin.load_state_dict(trial.model.state_dict())
    expected = trial.judge(batch).named()
    for name, value in trial.judge(batch, twin).named().items():
        demand(
            torch.equal(value, expected[name]),
            f"{name} differs in a model with the same state dict: keep what is drawn or learnt in parameters "
            "or persistent buffers, since caches hold nothing else",
        )


MODEL_CHECKS = (
    serves_the_kinds_it_names,
    gives_finite_numbers,
    trains_every_parameter,
    names_its_fusion_parameters,
    reads_every_part,
    keeps_places_apart,
    ignores_padding,
    judges_each_pair_by_itself,
    evaluates_the_same_again,
    agrees_with_itself,
    is_its_weights,
)
"""Checks of models that are tried on every kind of task."""


def _shape(value: Tensor) -> tuple[int, ...]:
    return tuple(value.shape)


def _same(one: Tensor, other: Tensor) -> bool:
    """Return whether two tensors are equal but for rounding."""
    scale = max(float(one.abs().max()), 1.0) if one.numel() else 1.0
    return one.shape == other.shape and torch.allclose(one, other, rtol=0.0, atol=TOLERANCE * scale)


def _differs(one: Tensor, other: Tensor) -> bool:
    """Return whether two tensors differ by more than rounding."""
    return bool((one - other).abs().max() > NOTICEABLE * one.abs().max())


def _used(model: nn.Module, outputs: Iterable[Tensor]) -> set[str]:
    """Return the names of the parameters that outputs are computed from."""
    named = {name: parameter for name, parameter in model.named_parameters() if parameter.requires_grad}
    learnt = [value for value in outputs if value.requires_grad]
    if not learnt:
        return set()
    total = torch.stack([value.sum() for value in learnt]).sum()
    gradients = torch.autograd.grad(total, list(named.values()), allow_unused=True)
    return {name for name, gradient in zip(named, gradients, strict=True) if gradient is not None}


def is_finite(value: Tensor) -> bool:
    """Return whether a tensor holds neither infinities nor NaN."""
    return bool(value.isfinite().all())


def listed(names: Sequence[str]) -> str:
    """Return the first name, and how many there are besides."""
    more = f" and {len(names) - 1} more" if len(names) > 1 else ""
    return f"{names[0]}{more}" if names else ""
