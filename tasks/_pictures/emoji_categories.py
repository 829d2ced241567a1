"""Which emoji certainly are animals, food, vehicles …: Unicode's subgroups, less every doubtful picture."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

from mmulbench.tasks._pictures.picture_task import picture_file, picture_folder, spread, unicode_entries


@dataclass(frozen=True)
class CategoryGroup:
    """Pictures that are of the same kinds.

    Attributes:
        categories: what each picture of the group is; it is nothing else among the names in `CATEGORIES`.
        subgroups: Unicode's subgroups that the pictures come from.
        doubtful: names (CLDR) left out: of these subgroups, but not certainly of these kinds and of no other.
        unsure: kinds that one may argue about; no statement on them is made of these pictures.
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
"""Every kind, with the words for one of it."""

_FACES = "smiling affection tongue hand neutral-skeptical sleepy unwell hat glasses concerned negative"

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
        ("smiley",), tuple(f"face-{part}" for part in _FACES.split()), ("skull", "skull and crossbones")
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
    """A picture of which is known what it is.

    Attributes:
        file: the picture.
        name: Unicode's name.
        group: what it is and what it is not.
    """

    file: Path
    name: str
    group: CategoryGroup

    def __contains__(self, kind: str) -> bool:
        return kind in self.group.categories


def categorised_pictures(purpose: str, most: int) -> list[CategorisedPicture]:
    """Pictures of all groups, at most ``most`` of each, evenly spread over Unicode's order; by file name.

    Args:
        purpose: what needs them, for messages.
        most: pictures of a group, so that flags and people do not outnumber the rest.

    Raises:
        UsageError: if a package is not installed.
    """
    folder = picture_folder(purpose)
    owner = {subgroup: group for group in GROUPS for subgroup in group.subgroups}
    found: dict[CategoryGroup, list[CategorisedPicture]] = defaultdict(list)
    for entry in unicode_entries(purpose):
        group, name = owner.get(entry["subcategory_slug"]), entry["cldr_name"]
        if group is None or name in group.doubtful or "skin tone" in name:
            continue
        if (file := picture_file(folder, entry["character"])) is not None:
            found[group].append(CategorisedPicture(file, name, group))
    chosen = [known for group in GROUPS for known in spread(found[group], most)]
    return sorted(chosen, key=lambda known: known.file.name)
