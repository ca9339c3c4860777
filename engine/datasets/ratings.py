"""MovieLens 100k in the form of Criteo's test file: who rated which film, and whether with four stars or more.

100,000 real ratings of 1,682 films by 943 people, collected by the GroupLens project at the University of Minnesota
(Harper and Konstan 2015). Its terms do not allow passing it on: it is fetched as data of a package.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from engine.errors import DataError
from engine.facts import PackageFacts
from engine.step import Artifact, Options, Step
from engine.store.files import disk_errors, read_plain
from engine.tasks import criteo_trace
from engine.tasks.criteo_files import BINARY_COLUMNS, COUNTS, DENSE, TEST, TRACE
from engine.text import clean

Array = np.ndarray[Any, np.dtype[Any]]

LIKED = 4
"""Stars of a rating that counts as a click, at least."""
TEST_ROWS = 10_000
GENRES = (
    *("Action", "Adventure", "Animation", "Children's", "Comedy", "Crime", "Documentary", "Drama", "Fantasy"),
    *("Film-Noir", "Horror", "Musical", "Mystery", "Romance", "Sci-Fi", "Thriller", "War", "Western", "unknown"),
)
FIRST_YEAR = 1900
_SEED = 1
_REMEDY = "name the package, version and members that hold MovieLens 100k as RecBole lays it out"


class Ratings(NamedTuple):
    """All ratings in random order, as rows of TEST: int32 [n, 40]."""

    training: Array
    test: Array
    tables: tuple[int, ...]
    """How many values each categorical column may have."""


class RatingOptions(Options, frozen=True, kw_only=True):
    """How many samples of 100 to 700 ratings, the last one of what is left."""

    count: int


def test_rows(step: Step) -> dict[str, Any]:
    """Write TEST, TRACE and COUNTS with ratings that no model here is trained with: 10,000 in all.

    Needs `package`. Facts: `images`, `labels` (TEST), `count` (samples).
    """
    found = read(step.inputs["package"])
    lengths = criteo_trace.lengths(len(found.test))[: step.read_options(RatingOptions).count]
    with disk_errors(step.output):
        (step.output / TEST).write_bytes(found.test[: lengths.sum()].tobytes())
        np.savez(step.output / COUNTS, counts=np.array(found.tables, np.int32))
    criteo_trace.write(step.output / TRACE, lengths)
    return {"images": "", "labels": TEST, "count": len(lengths)}


def read(package: Artifact) -> Ratings:
    """Return the ratings of a package.

    Dense: age of the person, year of the film from 1900, number of its genres. Categorical: person, film, gender,
    occupation, first character of the zip code, year, decade of age, and whether it is of each genre. Raises DataError
    where a file is missing or of another form.
    """
    people, films, ratings = (_table(package, kind) for kind in ("user", "item", "inter"))
    persons, works = ({one[0]: place for place, one in enumerate(table)} for table in (people, films))
    try:
        who, what, liked = np.array([(persons[one[0]], works[one[1]], float(one[2]) >= LIKED) for one in ratings]).T
        age = np.array([int(one[1]) for one in people])
        gender, occupation, area = (_numbered(one) for one in zip(*((*p[2:4], p[4][:1]) for p in people), strict=True))
        year = np.array([int(one[2]) - FIRST_YEAR if one[2].isdigit() else 0 for one in films])
        genres = np.array([[name in one[3].split() for name in GENRES] for one in films])
    except (KeyError, ValueError, IndexError) as error:
        raise DataError(f"{package.path} is not MovieLens 100k: {clean(str(error))}", _REMEDY) from None
    rows = np.zeros((len(ratings), BINARY_COLUMNS), "<i4")
    rows[:, 0] = liked
    rows[:, 1:4] = np.column_stack([age[who], year[what], genres[what].sum(1)])
    person = np.column_stack([gender, occupation, area, age // 10])[who]
    rows[:, 1 + DENSE :] = np.column_stack([who, what, year[what], person, genres[what]])
    tables = tuple((rows[:, 1 + DENSE :].max(0) + 1).tolist())
    mixed = rows[np.random.default_rng(_SEED).permutation(len(rows))]
    return Ratings(mixed[TEST_ROWS:], mixed[:TEST_ROWS], tables)


def _table(package: Artifact, kind: str) -> list[list[str]]:
    """Return the fields of a file's lines, without the first, which names them."""
    name = next((one for one in package.read(PackageFacts).files if one.endswith(f"ml-100k.{kind}")), None)
    if name is None:
        raise DataError(f"{package.path} has no ml-100k.{kind}", _REMEDY)
    lines = read_plain(package.folder / name).decode("utf-8", "replace").splitlines()
    return [line.split("\t") for line in lines[1:]]


def _numbered(values: Sequence[str]) -> Array:
    """Return the number of each value among the different ones."""
    return np.unique(np.array(values), return_inverse=True)[1]
