"""Say which emoji certainly are animals, food, vehicles …: Unicode's subgroups without doubtful pictures."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

from mmulbench.tasks._pictures.picture_task import spread
from mmulbench.tasks._pictures.twemoji import picture_file, picture_folder, unicode_emoji


@dataclass(frozen=True)
class CategoryGroup:
    """Describes pictures that are of the same categories.

    Attributes:
        categories: names in `CATEGORIES` of all that each picture of the group is.
        subgroups: Unicode's subgroups that the pictures come from.
        doubtful: CLDR names of pictures of these subgroups that are left out, since they are not certainly of
            these categories and of no other.
        unsure: categories that one may argue about; no statement about them is made of these pictures.
    """

    categories: tuple[str, ...]
    subgroups: tuple[str, ...]
    doubtful: tuple[str, ...] = ()
    unsure: tuple[str, ...] = ()


CATEGORIES = {
    "animal": "an animal",
    "arrow": "an arrow",
    "bird": "a bird",
    "building": "a building",
    "clock": "a clock",
    "drink": "a drink",
    "flag": "a flag",
    "food": "food",
    "fruit": "a fruit",
    "heart": "a heart",
    "instrument": "a musical instrument",
    "mammal": "a mammal",
    "person": "a person",
    "smiley": "a smiley",
    "vegetable": "a vegetable",
    "vehicle": "a vehicle",
    "zodiac": "a zodiac sign",
}
"""By category, the words for one of it."""

_FACE_SUBGROUPS = (
    "smiling affection tongue hand neutral-skeptical sleepy unwell hat glasses concerned negative"
)

GROUPS = (
    CategoryGroup(("animal", "mammal"), ("animal-mammal",), ("unicorn", "pig nose", "paw prints")),
    CategoryGroup(("animal", "bird"), ("animal-bird",), ("feather", "wing", "phoenix")),
    # Whales, dolphins and seals are mammals of another subgroup; dragons are not animals; shellfish may be
    # pictured as food.
    CategoryGroup(
        ("animal",),
        ("animal-amphibian", "animal-reptile", "animal-marine", "animal-bug"),
        (
            *("dragon face", "dragon", "spider web", "microbe", "spiral shell", "coral", "spouting whale"),
            *("whale", "dolphin", "seal", "crab", "lobster", "shrimp", "squid", "oyster"),
        ),
    ),
    # Left out here and below: fruits that cooks call vegetables and vegetables that botanists call fruits.
    CategoryGroup(("food", "fruit"), ("food-fruit",), ("tomato", "olive", "coconut")),
    CategoryGroup(
        ("food", "vegetable"),
        ("food-vegetable",),
        (
            *("avocado", "eggplant", "ear of corn", "hot pepper", "bell pepper", "cucumber", "peanuts"),
            *("beans", "chestnut", "pea pod", "brown mushroom", "mushroom"),
        ),
    ),
    CategoryGroup(
        ("food",),
        ("food-prepared", "food-asian", "food-sweet"),
        (
            *("meat on bone", "poultry leg", "cut of meat", "egg", "cooking", "green salad", "salt"),
            *("fried shrimp", "fish cake with swirl", "roasted sweet potato", "honey pot", "takeout box"),
            *("french fries", "falafel", "canned food"),
        ),
        unsure=("fruit", "vegetable"),
    ),
    CategoryGroup(
        ("drink",),
        ("drink",),
        ("baby bottle", "teapot", "bottle with popping cork", "pouring liquid", "ice"),
        unsure=("food", "fruit"),
    ),
    CategoryGroup(("flag",), ("flag", "country-flag", "subdivision-flag")),
    CategoryGroup(("person",), ("person", "person-gesture", "person-role")),
    CategoryGroup(
        ("smiley",),
        tuple(f"face-{part}" for part in _FACE_SUBGROUPS.split()),
        ("skull", "skull and crossbones"),
    ),
    CategoryGroup(
        ("vehicle",),
        ("transport-ground", "transport-water", "transport-air"),
        (
            *("railway car", "station", "mountain railway", "manual wheelchair", "motorized wheelchair"),
            *("kick scooter", "skateboard", "roller skate", "bus stop", "motorway", "railway track"),
            *("oil drum", "fuel pump", "wheel", "police car light", "horizontal traffic light"),
            *("vertical traffic light", "stop sign", "construction", "anchor", "ring buoy", "parachute"),
            *("seat", "suspension railway", "mountain cableway", "aerial tramway", "satellite", "rocket"),
            *("flying saucer",),
        ),
    ),
    CategoryGroup(
        ("building",),
        ("place-building", "place-religious"),
        (
            *("stadium", "building construction", "brick", "rock", "wood", "wedding", "Tokyo tower"),
            *("Statue of Liberty", "shinto shrine", "houses", "love hotel"),
        ),
    ),
    CategoryGroup(("clock",), ("time",), ("hourglass done", "hourglass not done", "watch", "stopwatch")),
    CategoryGroup(("instrument",), ("musical-instrument",)),
    CategoryGroup(("zodiac",), ("zodiac",)),
    CategoryGroup(("arrow",), ("arrow",)),
    CategoryGroup(
        ("heart",),
        ("heart",),
        ("love letter", "heart decoration", "heart exclamation", "two hearts", "revolving hearts"),
    ),
)


@dataclass(frozen=True)
class CategorisedPicture:
    """Holds a picture of which is known what it shows.

    Attributes:
        file: file of the picture.
        name: CLDR name of the emoji.
        group: what the picture is and what it is not.
    """

    file: Path
    name: str
    group: CategoryGroup

    def __contains__(self, category: str) -> bool:
        return category in self.group.categories


def categorised_pictures(purpose: str, most: int) -> list[CategorisedPicture]:
    """Find pictures of all groups, evenly spread over Unicode's order.

    Args:
        purpose: what needs the pictures, for messages.
        most: largest number of pictures of a group, so that flags and people do not outnumber the rest.

    Returns:
        Pictures by file name.

    Raises:
        UsageError: if a package is not installed.
    """
    folder = picture_folder(purpose)
    group_of = {subgroup: group for group in GROUPS for subgroup in group.subgroups}
    found: dict[CategoryGroup, list[CategorisedPicture]] = defaultdict(list)
    for emoji in unicode_emoji(purpose):
        group = group_of.get(emoji.subgroup)
        if group is None or emoji.name in group.doubtful or "skin tone" in emoji.name:
            continue
        if (file := picture_file(folder, emoji.character)) is not None:
            found[group].append(CategorisedPicture(file, emoji.name, group))
    chosen = [picture for group in GROUPS for picture in spread(found[group], most)]
    return sorted(chosen, key=lambda picture: picture.file.name)
