"""Near twins: one of each set is kept, the plainest, whatever the order of the entries."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mmulbench.progress import Progress
from mmulbench.tasks._pictures.near_twins import TWINS, correlations, distinct_pictures


@dataclass(frozen=True)
class Entry:
    """Holds a picture.

    Attributes:
        file: file of the picture.
    """

    file: Path


def noise(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(40, 200, (72, 72, 3), dtype=np.uint8)


def written(folder: Path, pictures: dict[str, np.ndarray]) -> list[Entry]:
    for name, pixels in pictures.items():
        Image.fromarray(pixels.astype(np.uint8)).save(folder / f"{name}.png")
    return [Entry(folder / f"{name}.png") for name in pictures]


def kept_of(folder: Path, pictures: dict[str, np.ndarray]) -> list[str]:
    return [entry.file.stem for entry in distinct_pictures(written(folder, pictures), Progress())[0]]


def mixed(share: float) -> np.ndarray:
    """A picture that correlates with noise(0) the less, the larger the share of other noise in it."""
    return (1 - share) * noise(0) + share * noise(1)


def test_correlations_are_pearsons():
    images = np.stack([noise(seed) for seed in range(4)])
    expected = np.corrcoef(images.reshape(4, -1).astype(float))
    np.testing.assert_allclose(correlations(images), expected, atol=1e-5)


def test_a_brighter_picture_is_a_twin_and_another_colour_is_none(tmp_path):
    red, blue = noise(0), noise(0)
    red[..., 2] = blue[..., 0] = 0
    pictures = {"aa": noise(0), "bb": noise(0) + 50, "cc": red, "dd": blue}
    assert kept_of(tmp_path, pictures) == ["aa", "cc", "dd"]


def test_the_picture_with_the_fewest_code_points_stays_and_the_order_is_kept(tmp_path):
    pictures = {"b-200d-2640": noise(0), "e": noise(1), "b": noise(0), "a-200d-1": noise(0), "c": noise(2)}
    assert kept_of(tmp_path, pictures) == ["e", "b", "c"]


@pytest.mark.parametrize("share", [0.0, 0.1, 0.2, 0.3, 0.4, 0.5])
def test_the_border_is_at_a_correlation_of_95_percent(share, tmp_path):
    alike = np.corrcoef(noise(0).ravel(), mixed(share).astype(np.uint8).ravel())[0, 1]
    assert kept_of(tmp_path, {"a": noise(0), "b": mixed(share)}) == (["a"] if alike > TWINS else ["a", "b"])


def test_what_is_kept_has_no_twin_and_what_is_left_out_has_one(tmp_path):
    """A chain: neighbours are twins, the ends are not, so two of it can stay."""
    shares = [0.0, 0.15, 0.3, 0.45, 0.6, 0.75, 0.9]
    pictures = {f"{place}": mixed(share) for place, share in enumerate(shares)}
    kept = kept_of(tmp_path, pictures)
    names = list(pictures)
    alike = correlations(np.stack([pixels.astype(np.uint8) for pixels in pictures.values()])) > TWINS
    rows = [names.index(name) for name in kept]
    assert 1 < len(kept) < len(names)
    assert alike[np.ix_(rows, rows)].sum() == len(rows)
    assert alike[:, rows].any(1).all()
