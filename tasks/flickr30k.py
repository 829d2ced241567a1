"""Retrieve photographs by captions that people wrote, on Flickr30K."""

from __future__ import annotations

from pathlib import Path

from mmulbench import TASKS, DataInfo
from mmulbench.tasks._official.caption_task import CaptionTask
from mmulbench.tasks._official.image_text_task import TURNED


@TASKS.register("flickr30k")
class Flickr30k(CaptionTask):
    """Asks which captions belong to which photograph of Flickr30K (Young et al. 2014).

    Splits are Karpathy's: 29,000 training, 1,014 validation and 1,000 test images. The forget unit is an
    image with all its captions. By default 1,000 are forgotten; the paper's sizes are 1,000 to 5,000. On a
    training split of fewer than 2,000 images the fraction 0.05 is forgotten.

    Epochs and weight decay are those published for ALBEF. The learning rate is for the default backbone,
    whose projections and fusion start from nothing; a pre-trained ALBEF is fine-tuned with 1e-5. Nothing was
    measured on this task, since the images have to be asked for.
    """

    name = "flickr30k"
    images = "flickr30k-images"
    lists = ("flickr30k",)
    info = DataInfo(
        about="31,014 photographs from Flickr, each with five human captions, in Karpathy's splits.",
        terms="For non-commercial research and education; the photographs stay under their owners' and "
        "Flickr's terms.",
        source="images: the request form at https://shannon.cs.illinois.edu/DenotationGraph/; captions and "
        "splits: https://cs.stanford.edu/people/karpathy/deepimagesent/caption_datasets.zip",
        layout=(
            "flickr30k/dataset_flickr30k.json: Karpathy's file",
            "  or flickr30k/flickr30k_{train,val,test}.json: lists of {image, caption}",
            "flickr30k/flickr30k-images/: the images, such as 1000092795.jpg",
            TURNED,
        ),
        hub=(
            "nlphuji/flickr30k@refs/convert/parquet: images, captions and Karpathy's splits",
            "  (known from public code, not tried here; lmms-lab/flickr30k has no such splits)",
            "a folder of parquet files: columns image, filename, caption (one or a list), split",
        ),
        sizes={"train": (29_000, 145_000), "validation": (1_014, 5_070), "test": (1_000, 5_000)},
        pair="caption",
    )

    def training_images(self, data_dir: Path) -> list[str]:
        """List the paths of the training images in the order of the forget units, without opening any."""
        annotations = self.table(data_dir).build(labelled=False)
        return [annotations.units[unit][0] for unit in annotations.splits["train"].units]
