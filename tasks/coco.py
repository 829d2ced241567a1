"""Retrieve photographs by captions that people wrote, on COCO."""

from __future__ import annotations

from mmulbench import TASKS, DataInfo
from mmulbench.tasks._official.caption_task import CaptionTask
from mmulbench.tasks._official.image_text_task import TURNED


@TASKS.register("coco")
class Coco(CaptionTask):
    """Asks which captions belong to which photograph of COCO (Chen et al. 2015).

    Splits are Karpathy's, with ``restval`` counted as training. Everything else is as in the task flickr30k.
    COCO is not among the paper's data sets, and nothing was measured on this task.
    """

    gallery = 5000
    name = "coco"
    images = "val2014"
    lists = ("coco_karpathy", "coco")
    info = DataInfo(
        about="123,287 photographs, each with five or more captions written by people, in Karpathy's splits.",
        terms="Captions: CC-BY 4.0. The photographs stay under Flickr's terms of use.",
        source="train2014.zip and val2014.zip from https://cocodataset.org/#download; captions and splits: "
        "https://cs.stanford.edu/people/karpathy/deepimagesent/caption_datasets.zip",
        layout=(
            "coco/dataset_coco.json: Karpathy's file",
            "  or coco/coco_karpathy_{train,val,test}.json: lists of {image, caption}",
            "coco/train2014/ and coco/val2014/: the images, such as COCO_val2014_000000391895.jpg",
            TURNED,
        ),
        hub=(
            "yerevann/coco-karpathy: captions and splits; the images are those of the data folder",
            "  (known from public code, not tried here)",
            "a folder of parquet files: columns image, filepath, filename, caption (one or a list), split",
        ),
        sizes={"train": (113_287, 566_747), "validation": (5_000, 25_010), "test": (5_000, 25_010)},
        pair="caption",
    )
