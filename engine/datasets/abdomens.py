"""Generates scans of abdomens with kidneys and tumours, as KiTS19's after resampling.

Where the real scans cannot be had, every step still runs on volumes of the real kind: Hounsfield units at the rules'
spacing, of varied sizes, with organs that look much alike. A case depends on seed, purpose and index alone, so a larger
set begins with the smaller one, an interrupted run goes on where it stopped, and the order of work does not matter.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

import numpy as np

from engine.datasets.abdomen_canvas import SPACING, Canvas, Organ
from engine.datasets.patterns import Purpose
from engine.step import Options, Step

Array = np.ndarray[Any, np.dtype[Any]]

KIDNEY, TUMOUR = 1, 2
CASE = "case.npz"

SHORT, LONG = (112, 150), (186, 220)
"""Voxels of an axis; the rules' preparation makes 128 or 192 of them."""
EVERY = 4
"""Of so many cases one is long, and of two long ones one is wide too: windows of 128 voxels overlap in them."""


@dataclass(frozen=True)
class GeneratedCase:
    """A scan and what is in it."""

    image: Array
    """float32 [D,H,W], Hounsfield units."""
    label: Array
    """uint8 [D,H,W]: 0 background, 1 kidney, 2 tumour."""


@dataclass(frozen=True)
class AbdomenSet:
    """A virtual set of cases: each is drawn on demand."""

    seed: int
    count: int
    purpose: Purpose = "test"

    def name(self, index: int) -> str:
        """Return the name of a case's folder, as in KiTS19."""
        return f"case_{index:05d}"

    def case(self, index: int) -> GeneratedCase:
        """Draw a case."""
        random = np.random.default_rng([self.seed, get_args(Purpose).index(self.purpose), index])
        sizes = random.integers(*SHORT, 3)
        if index % EVERY == EVERY - 1:
            sizes[0] = random.integers(*LONG)
        if index % (2 * EVERY) == 2 * EVERY - 1:
            sizes[2] = random.integers(*LONG)
        return _drawn(Canvas((int(sizes[0]), int(sizes[1]), int(sizes[2])), random), random)


class AbdomenOptions(Options, frozen=True, kw_only=True):
    """Which cases."""

    count: int
    seed: int
    purpose: Purpose = "test"


def generate(step: Step) -> dict[str, Any]:
    """Write a set of cases, each as `case_XXXXX/case.npz`. Continues where an interrupted attempt stopped.

    Its arrays: `image` float32 and `label` uint8 [D,H,W], `affine` float64 [4,4] from voxels to mm. Facts: `images`
    (the artifact's own folder), `count`, `cases` (names in QSL order).
    """
    options = step.read_options(AbdomenOptions)
    cases = AbdomenSet(options.seed, options.count, options.purpose)
    for done in write(cases, step.output):
        step.progress(done, cases.count, "volumes")
    return {"images": "", "count": cases.count, "cases": [cases.name(index) for index in range(cases.count)]}


def write(cases: AbdomenSet, folder: Path) -> Iterator[int]:
    """Write the files of a set on all cores, yielding the number of cases written so far."""
    with ThreadPoolExecutor() as pool:
        for done, _ in enumerate(pool.map(lambda index: _write_one(cases, index, folder), range(cases.count)), start=1):
            yield done


def _write_one(cases: AbdomenSet, index: int, folder: Path) -> None:
    """Write a case where it is not there yet."""
    path = folder / cases.name(index) / CASE
    if path.exists():
        return
    path.parent.mkdir(exist_ok=True)
    case = cases.case(index)
    unfinished = path.with_suffix(".part")
    with unfinished.open("wb") as file:
        np.savez(file, image=case.image, label=case.label, affine=affine())
    unfinished.replace(path)


def affine() -> Array:
    """Return what turns voxels into mm, float64 [4,4]: axes run to inferior, posterior and left, as in KiTS19."""
    found = np.zeros((4, 4))
    found[[2, 1, 0], [0, 1, 2]] = [-one for one in SPACING]
    found[3, 3] = 1
    return found


def _drawn(canvas: Canvas, random: np.random.Generator) -> GeneratedCase:
    """Draw an abdomen from what lies far from the kidneys to what is in them."""
    _around(canvas, random)
    sides = [_kidney(canvas, random, side) for side in (-1, 1)]
    for kidney in random.permutation(2)[: random.integers(1, 3)]:
        _tumour(canvas, random, sides[kidney])
    return GeneratedCase(canvas.scanned(), canvas.label)


def _around(canvas: Canvas, random: np.random.Generator) -> None:
    """Draw the body with spine, muscles, vessel, liver, spleen and bowels."""
    depth, height, width = canvas.half
    tall, thick, broad = 4 * depth, 0.96 * height, 0.96 * width
    canvas.paint(Organ((0, 0, 0), (tall, thick, broad), 55))
    canvas.paint(Organ((0, 0, 0), (tall, 0.88 * thick, 0.9 * broad), random.uniform(-110, -90)))
    spine = Organ((0, 0.62 * thick, 0), (tall, 0.2 * thick, 0.17 * broad), 330)
    canvas.paint(spine, texture=40)
    for side in (-1, 1):
        psoas = (0, 0.5 * thick, side * 0.27 * broad)
        canvas.paint(Organ(psoas, (tall, 0.17 * thick, 0.12 * broad), random.uniform(50, 70)), texture=8)
    canvas.paint(Organ((0, 0.3 * thick, 0.06 * broad), (tall, 0.07 * thick, 0.07 * broad), 140), texture=8)
    liver = (-0.8 * depth, -0.35 * thick, -0.45 * broad)
    canvas.paint(Organ(liver, (0.7 * depth, 0.5 * thick, 0.42 * broad), random.uniform(90, 125), 0.3), texture=8)
    spleen = (-0.85 * depth, 0.1 * thick, 0.66 * broad)
    canvas.paint(Organ(spleen, (0.5 * depth, 0.3 * thick, 0.2 * broad), random.uniform(100, 135), 0.2), texture=8)
    for _ in range(random.integers(4, 9)):
        place = random.uniform((-depth, -0.7 * thick, -0.6 * broad), (depth, -0.05 * thick, 0.6 * broad))
        sizes = random.uniform(8, 22, 3)
        canvas.paint(Organ(tuple(place), tuple(sizes), random.uniform(10, 110), 0.5), texture=25)


def _kidney(canvas: Canvas, random: np.random.Generator, side: int) -> Organ:
    """Draw a kidney with its pelvis; return its outline."""
    depth, height, width = canvas.half
    scale = np.clip(min(height, width) / 120, 0.64, 1)
    radii = scale * random.uniform((42, 24, 22), (56, 31, 28))
    room = np.maximum((0.9 * depth, 0.9 * height, 0.9 * width) - radii, 0)
    place = np.array((random.uniform(-0.35, 0.35) * depth, 0.3 * height, side * 0.52 * width))
    place = np.clip(place + random.normal(0, 4, 3), -room, room)
    kidney = Organ(tuple(place), tuple(radii), random.uniform(175, 205), 0.12, random.uniform(-0.25, 0.25))
    canvas.paint(kidney, KIDNEY, texture=8)
    inner = place - (0, 0.1 * radii[1], 0.45 * side * radii[2])
    canvas.paint(Organ(tuple(inner), tuple(radii * (0.6, 0.4, 0.45)), random.uniform(150, 170), 0.2), KIDNEY, texture=8)
    hilum = place - (0, 0.2 * radii[1], 1.05 * side * radii[2])
    canvas.paint(Organ(tuple(hilum), tuple(radii * (0.35, 0.3, 0.45)), -70, 0.2), texture=10)
    return kidney


def _tumour(canvas: Canvas, random: np.random.Generator, kidney: Organ) -> None:
    """Draw a tumour, half in a kidney, half out of it, that takes up more contrast than the kidney, its core less."""
    radii = np.array(kidney.radii)
    size = random.uniform(0.6, 0.95) * radii[2] * random.uniform(0.85, 1.2, 3) * (1.2, 1, 1)
    where = random.normal(0, 1, 3)
    where[2] = abs(where[2]) * np.sign(kidney.place[2])  # away from the hilum
    place = np.array(kidney.place) + radii * 0.75 * where / np.linalg.norm(where)
    canvas.paint(Organ(tuple(place), tuple(size), random.uniform(245, 270), 0.35), TUMOUR, texture=8)
    core = tuple(size * random.uniform(0.2, 0.5))
    canvas.paint(Organ(tuple(place), core, random.uniform(225, 245), 0.35), TUMOUR, texture=8)
