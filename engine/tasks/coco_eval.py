"""Average precision and recall of detections, by the definition of COCO's scoring code (bounding boxes).

The reference implementation matches one box at a time in Python and takes minutes and gigabytes for OpenImages. Here
the boxes of a class are matched in vectors: all images, IoU thresholds and size ranges at once, which is the same
arithmetic because no box is on two images. Source of all formulas: pycocotools 2.0, cocoeval.py and maskApi.c.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from engine.tasks.base import Array

THRESHOLDS = np.linspace(0.5, 0.95, 10)
"""IoU from which a detection can match an object."""
RECALLS = np.linspace(0.0, 1.0, 101)
"""Recall values at which precision is sampled."""
LIMITS = (1, 10, 100)
"""Maximum detections per class and image; those beyond the last limit are ignored."""
AREAS = {"all": (0.0, 1e10), "small": (0.0, 32.0**2), "medium": (32.0**2, 96.0**2), "large": (96.0**2, 1e10)}
"""Ranges of an object's size in square pixels, both ends included."""

NOTHING = -1.0
"""A mean over no class: there is no object of that size."""

_BLOCK = 1 << 16
"""Detections whose overlaps are computed at once, which limits the memory."""

_MISSED, _HIT, _IGNORED = range(3)
"""Outcome of a detection: no object; an object; a crowd, or an object or detection of another size."""


@dataclass(frozen=True)
class BoxTruth:
    """The n ground-truth boxes."""

    image: Array
    """int64 [n]: any numbers that identify images. Their order decides between equal scores."""
    category: Array
    """int64 [n]."""
    box: Array
    """float64 [n,4]: left, top, width, height."""
    area: Array
    """float64 [n]."""
    crowd: Array
    """bool [n]."""


@dataclass(frozen=True)
class Detections:
    """The n detected boxes; among equal scores of an image the earlier goes first."""

    image: Array
    category: Array
    box: Array
    """As in Truth."""
    score: Array
    """float64 [n]."""


def summarise(truth: BoxTruth, found: Detections) -> tuple[float, ...]:
    """Return the twelve figures of COCO's summary, each a fraction of 1, or NOTHING.

    Precision: over all thresholds, at IoU 0.5, at 0.75, of small, medium and large objects. Recall: with the LIMITS, of
    small, medium and large objects. All numbers must be finite.
    """
    ranked, rank = _ranked(found)
    order = np.lexsort((truth.image, truth.category))
    known = BoxTruth(*(part[order] for part in (truth.image, truth.category, truth.box, truth.area, truth.crowd)))
    classes = np.unique(known.category)
    precision = np.full((len(classes), len(AREAS), len(THRESHOLDS), len(RECALLS)), NOTHING)
    recall = np.full((len(classes), len(AREAS), len(LIMITS), len(THRESHOLDS)), NOTHING)
    for number, category in enumerate(classes):
        those = slice(*np.searchsorted(known.category, (category, category + 1)))
        these = slice(*np.searchsorted(ranked.category, (category, category + 1)))
        _score_class(
            BoxTruth(
                known.image[those], known.category[those], known.box[those], known.area[those], known.crowd[those]
            ),
            Detections(ranked.image[these], ranked.category[these], ranked.box[these], ranked.score[these]),
            rank[these],
            precision[number],
            recall[number],
        )
    at_half, at_three_quarters = (int(np.abs(THRESHOLDS - value).argmin()) for value in (0.5, 0.75))
    return (
        _mean(precision[:, 0]),
        _mean(precision[:, 0, at_half]),
        _mean(precision[:, 0, at_three_quarters]),
        *(_mean(precision[:, size]) for size in (1, 2, 3)),
        *(_mean(recall[:, 0, limit]) for limit in range(3)),
        *(_mean(recall[:, size, -1]) for size in (1, 2, 3)),
    )


def rows(figures: Sequence[float]) -> list[str]:
    """Return the summary as COCO's scoring code prints it, a line for each figure of `summarise`."""
    over, sizes = f"{THRESHOLDS[0]:.2f}:{THRESHOLDS[-1]:.2f}", list(AREAS)
    what = [("Precision", "(AP)", iou, "all", 100) for iou in (over, "0.50", "0.75")]
    what += [("Precision", "(AP)", over, size, 100) for size in sizes[1:]]
    what += [("Recall", "(AR)", over, "all", limit) for limit in LIMITS]
    what += [("Recall", "(AR)", over, size, 100) for size in sizes[1:]]
    return [
        f" {'Average ' + kind:<18} {short} @[ IoU={iou:<9} | area={size:>6} | maxDets={limit:>3} ] = {figure:0.3f}"
        for (kind, short, iou, size, limit), figure in zip(what, figures, strict=True)
    ]


def _mean(figures: Array) -> float:
    there = figures[figures > NOTHING]
    return float(there.mean()) if there.size else NOTHING


def _ranked(found: Detections) -> tuple[Detections, Array]:
    """Return the detections by class, image and descending score, with each one's rank in its image and class.

    Those beyond the last of the LIMITS are dropped.
    """
    order = np.lexsort((-found.score, found.image, found.category))
    image, category = found.image[order], found.category[order]
    fresh = np.ones(len(order), np.bool_)
    fresh[1:] = (image[1:] != image[:-1]) | (category[1:] != category[:-1])
    firsts = np.flatnonzero(fresh)
    rank = np.arange(len(order)) - np.repeat(firsts, np.diff(firsts, append=len(order)))
    within = rank < LIMITS[-1]
    order = order[within]
    return Detections(image[within], category[within], found.box[order], found.score[order]), rank[within]


def _score_class(truth: BoxTruth, found: Detections, rank: Array, precision: Array, recall: Array) -> None:
    """Fill in [area, threshold, recall] and [area, limit, threshold] of one class, if it has objects."""
    ignored = np.stack([_outside(truth.area, *limits) | truth.crowd for limits in AREAS.values()])
    fate = _match(truth, found, rank, ignored)
    areas = found.box[:, 2] * found.box[:, 3]
    falling = np.argsort(-found.score, kind="stable")
    for number, limits in enumerate(AREAS.values()):
        objects = int(np.count_nonzero(~ignored[number]))
        if not objects:
            continue
        of_other_size = _outside(areas, *limits)
        fates = np.where((fate[number] == _MISSED) & of_other_size, _IGNORED, fate[number])
        for place, limit in enumerate(LIMITS):
            recall[number, place] = np.count_nonzero((fates == _HIT) & (rank < limit), axis=1) / objects
        _sample_precision(fates[:, falling], objects, precision[number])


def _outside(areas: Array, least: float, most: float) -> Array:
    return (areas < least) | (areas > most)


def _sample_precision(fates: Array, objects: int, out: Array) -> None:
    """Write, for each threshold, the best precision at a recall of at least each of RECALLS, else 0."""
    hits = np.cumsum(fates == _HIT, axis=1, dtype=np.float64)
    misses = np.cumsum(fates == _MISSED, axis=1, dtype=np.float64)
    exact = hits / (misses + hits + np.spacing(1))
    best = np.maximum.accumulate(exact[:, ::-1], axis=1)[:, ::-1]
    reached = hits / objects
    out[...] = 0
    for number in range(len(THRESHOLDS)):
        places = np.searchsorted(reached[number], RECALLS, side="left")
        there = places < fates.shape[1]
        out[number, there] = best[number, places[there]]


def _match(truth: BoxTruth, found: Detections, rank: Array, ignored: Array) -> Array:
    """Return the outcome of each detection, int8 [area, threshold, detection], ignoring its own size.

    In an image the detections are matched in order of descending score. Each takes the free object with the highest
    IoU, the last among equals; an ignored one only if no other matches. A crowd can be matched repeatedly.
    """
    fate = np.zeros((len(AREAS), len(THRESHOLDS), len(found.score)), np.int8)
    taken = np.zeros((len(AREAS), len(THRESHOLDS), len(truth.area)), np.bool_)
    detection, thing, overlap = _overlaps(truth, found)
    order = np.lexsort((thing, overlap, detection, rank[detection]))
    detection, thing, overlap = detection[order], thing[order], overlap[order]
    turns = np.flatnonzero(np.diff(rank[detection], prepend=-1))
    for start, stop in pairwise((*turns, len(detection))):
        whose, what = detection[start:stop], thing[start:stop]
        fits = (~taken[:, :, what] | truth.crowd[what]) & (overlap[start:stop] >= THRESHOLDS[:, None])
        count = stop - start
        preference = np.arange(count) + np.where(ignored[:, what], 0, count)
        firsts = np.flatnonzero(np.diff(whose, prepend=-1))
        choice = np.maximum.reduceat(np.where(fits, preference[:, None], -1), firsts, axis=2)
        area, threshold, place = np.nonzero(choice >= 0)
        chosen = what[choice[area, threshold, place] % count]
        taken[area, threshold, chosen] = True
        fate[area, threshold, whose[firsts][place]] = np.where(ignored[area, chosen], _IGNORED, _HIT)
    return fate


def _overlaps(truth: BoxTruth, found: Detections) -> tuple[Array, Array, Array]:
    """Return detection, object and IoU of all pairs in one image whose IoU reaches the lowest threshold."""
    parts = list(_overlap_blocks(truth, found))
    if not parts:
        return np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0)
    detection, thing, overlap = (np.concatenate(column) for column in zip(*parts, strict=True))
    return detection, thing, overlap


def _overlap_blocks(truth: BoxTruth, found: Detections) -> Iterator[tuple[Array, Array, Array]]:
    for start in range(0, len(found.score), _BLOCK):
        images = found.image[start : start + _BLOCK]
        firsts = np.searchsorted(truth.image, images, side="left")
        counts = np.searchsorted(truth.image, images, side="right") - firsts
        detection = start + np.repeat(np.arange(len(images)), counts)
        before = np.cumsum(counts) - counts
        thing = np.arange(len(detection)) + np.repeat(firsts - before, counts)
        overlap = _iou(found.box[detection], truth.box[thing], truth.crowd[thing])
        near = overlap >= THRESHOLDS[0]
        yield detection[near], thing[near], overlap[near]


def _iou(found: Array, known: Array, crowd: Array) -> Array:
    """Return the IoU of each pair of boxes; for a crowd, the intersection over the detection's own area."""
    low = np.maximum(found[:, :2], known[:, :2])
    sides = np.minimum(found[:, :2] + found[:, 2:], known[:, :2] + known[:, 2:]) - low
    common = np.where((sides > 0).all(1), sides[:, 0] * sides[:, 1], 0.0)
    own = found[:, 2] * found[:, 3]
    whole = np.where(crowd, own, own + known[:, 2] * known[:, 3] - common)
    return np.divide(common, whole, out=np.zeros_like(common), where=common > 0)
