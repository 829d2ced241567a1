"""Build the package from a checkout without symbolic links, too; all else is in pyproject.toml."""

from pathlib import Path

from setuptools import find_packages, setup

ROOMS = ("methods", "tasks")
"""Folders at the top that are rooms of the package, which has symbolic links to them."""

packages = find_packages(include=["mmulbench*"])
folders = {}
for room in ROOMS:
    if not (Path(__file__).parent / "mmulbench" / room).is_dir():
        folders[f"mmulbench.{room}"] = room
        packages += [f"mmulbench.{name}" for name in find_packages(include=[room, f"{room}.*"])]
setup(packages=packages, package_dir=folders)
