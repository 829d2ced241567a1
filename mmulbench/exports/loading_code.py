"""Python code of model cards, which loads what lies in their folder."""

from __future__ import annotations

from typing import Any

from mmulbench.core.backbone import TaskShape

_SCORES = {
    "CLIPModel": "scores = model(**inputs).logits_per_image",
    "SiglipModel": "scores = model(**inputs).logits_per_image",
    "BlipForImageTextRetrieval": (
        "matching = model(**inputs).itm_score\ncosine = model(**inputs, use_itm_head=False).itm_score"
    ),
    "ViltForImageAndTextRetrieval": "scores = model(**inputs).logits",
    "ViltForQuestionAnswering": "scores = model(**inputs).logits",
}


def transformers_code(name: str, shape: TaskShape, size: Any, has_json: bool) -> str:
    """Return code that loads a model, and what makes its inputs, with transformers alone.

    Args:
        name: name of the transformers class.
        shape: what the model is for.
        size: configuration of its backbone.
        has_json: whether the tokeniser lies there as ``tokenizer.json``.
    """
    # SigLIP's own class of tokenisers passes over tokenizer.json.
    plain = name == "SiglipModel" and has_json
    tokenizer = "PreTrainedTokenizerFast" if plain else "AutoTokenizer"
    square = f"({size.image_size}, {size.image_size})"
    lines = [
        "from PIL import Image",
        f"from transformers import AutoImageProcessor, {tokenizer}, {name}",
        "",
        'folder = "."',
        f"model = {name}.from_pretrained(folder).eval()",
        f"tokenizer = {tokenizer}.from_pretrained(folder)",
        "processor = AutoImageProcessor.from_pretrained(folder)",
        f'image = Image.open("picture.png").convert("RGB").resize({square}, Image.Resampling.BICUBIC)',
        f'text = tokenizer(["a red heart"], padding="max_length", truncation=True, '
        f'max_length={size.text_length}, return_tensors="pt")',
    ]
    if name == "ViltForImagesAndTextClassification":
        lines += [
            f'images = processor([image] * {shape.group}, return_tensors="pt").pixel_values',
            'inputs = {"input_ids": text.input_ids, "attention_mask": text.attention_mask}',
            "scores = model(**inputs, pixel_values=images.unsqueeze(0)).logits",
        ]
    else:
        lines.append('inputs = {**text, **processor(image, return_tensors="pt")}')
        if not shape.classes or name == "ViltForQuestionAnswering":
            lines.append(_SCORES.get(name, "outputs = model(**inputs)"))
    return "\n".join(lines)


def own_code(shape: TaskShape) -> str:
    """Return code that loads a model with mmulbench.

    Args:
        shape: what the model is for.
    """
    return (
        "from mmulbench.core.backbone import TaskShape\n"
        "from mmulbench.exports.read import open_model\n\n"
        f'model = open_model(".").load(TaskShape(classes={shape.classes}, group={shape.group}))'
    )


def albef_code(file: str) -> str:
    """Return code that loads weights in the layout of ALBEF's authors.

    Args:
        file: name of the file.
    """
    return f'import torch\n\nweights = torch.load("{file}", map_location="cpu", weights_only=True)["model"]'
