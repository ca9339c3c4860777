"""A small package of ratings, in the files of MovieLens 100k as RecBole lays them out."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from engine.step import Artifact

FOLDER = "recbole/dataset_example/ml-100k"


def package(folder: Path, ratings: int) -> Artifact:
    """Write ratings of 40 films by 30 people, who like even or odd ones."""
    random = np.random.default_rng(3)
    people = [
        f"{one}\t{18 + one}\t{'MF'[one % 2]}\t{('writer', 'other')[one % 2]}\t{one % 10}5711" for one in range(1, 31)
    ]
    films = [f"{one}\tFilm {one}\t{1950 + one}\t{('Drama', 'Comedy War')[one % 2]}" for one in range(1, 40)]
    films.append("40\tunkonwn\tunkonwn\tunknown")
    who, what = random.integers(1, 31, ratings), random.integers(1, 41, ratings)
    stars = np.where((who + what) % 2 == 0, random.integers(4, 6, ratings), random.integers(1, 4, ratings))
    given = [f"{a}\t{b}\t{c}\t881250949" for a, b, c in zip(who, what, stars, strict=True)]
    files = {}
    for name, lines in (("user", people), ("item", films), ("inter", given)):
        files[f"{FOLDER}/ml-100k.{name}"] = "\n".join(["names", *lines]) + "\n"
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return Artifact(str(folder), {"package": "recbole", "version": "1.2.1", "files": list(files)})
