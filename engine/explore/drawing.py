"""Draws the pictures of a task: panels side by side, with boxes and masks, as an image or in characters.

In a terminal a character is two pixels, one above the other: the upper half block in two colours, or without colour
none, one or both halves, of which dithering makes greys.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import ceil
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from engine.store.files import disk_errors
from engine.tasks.picture import Panel, Picture
from engine.text import clean, fit

Array = np.ndarray[Any, np.dtype[Any]]
Colour = tuple[int, int, int]

COLOURS: tuple[Colour, ...] = ((70, 210, 90), (255, 70, 60), (80, 150, 255), (255, 200, 40), (220, 100, 240))
"""Of the classes 1, 2, ... of a mask, and of the names of boxes, in turn."""
MASK = 0.5
"""How much of a masked pixel is its class's colour."""
DIM, GREYS = 0.4, (255, 140)
"""Without colours: how bright an image with a mask is, and the classes 1, 2, ... of the mask, in turn."""
SIDE, MARGIN, TEXT = 480, 12, 16
"""Of an image file: the most pixels along a panel's sides, the space around, the size of the letters."""
GAP = 2
"""Cells between two panels in a terminal."""
UPPER = "▀"
HALVES = " ▀▄█"
"""By the number whose bits are upper and lower half."""


class PictureCell(NamedTuple):
    """A character in a terminal with its colours."""

    text: str
    fore: Colour
    back: Colour


def save(pictures: Iterable[Picture], folder: Path) -> list[Path]:
    """Write each picture as a PNG file into a folder, which is made, and return their paths."""
    found = []
    with disk_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        for number, picture in enumerate(pictures, start=1):
            found.append(folder / f"{number:03d}-{_file_name(picture.name)}.png")
            image(picture).save(found[-1])
    return found


def image(picture: Picture) -> Image.Image:
    """Return a picture with its captions: panels of SIDE pixels at most, side by side."""
    drawn = [_drawn(panel, SIDE, SIDE, named=True) for panel in picture.panels]
    height = max(one.height for one in drawn)
    width = sum(SIDE + MARGIN for _ in drawn) + MARGIN
    sheet = Image.new("RGB", (width, height + 2 * MARGIN + 2 * TEXT + MARGIN), (24, 24, 24))
    pen, font = ImageDraw.Draw(sheet), ImageFont.load_default(TEXT)
    pen.text((MARGIN, MARGIN), clean(picture.name), (255, 255, 255), font)
    for number, (panel, one) in enumerate(zip(picture.panels, drawn, strict=True)):
        left = MARGIN + number * (SIDE + MARGIN)
        sheet.paste(one, (left, 2 * MARGIN + TEXT))
        pen.text((left, 2 * MARGIN + TEXT + height + 2), clean(panel.caption), (200, 200, 200), font)
    return sheet


def captions(picture: Picture, width: int) -> str:
    """Return the line above the panels of `rows`."""
    each = _width(picture, width)
    return (" " * GAP).join(fit(clean(panel.caption), each) for panel in picture.panels)


def rows(picture: Picture, width: int, height: int) -> list[list[PictureCell]]:
    """Return a picture in colours, at most `width` cells wide and `height` lines high."""
    pixels = np.asarray(_sheet(picture, width, height))
    return [
        [
            PictureCell(UPPER, _colour(top), _colour(bottom))
            for top, bottom in zip(pixels[line], pixels[line + 1], strict=True)
        ]
        for line in range(0, len(pixels), 2)
    ]


def plain_rows(picture: Picture, width: int, height: int) -> list[str]:
    """Return a picture without colours, at most `width` characters wide and `height` lines high."""
    bits = np.asarray(_sheet(picture, width, height, plain=True).convert("1"), np.uint8)
    return ["".join(HALVES[up + 2 * low] for up, low in zip(*bits[line : line + 2], strict=True)).rstrip()
            for line in range(0, len(bits), 2)]  # fmt: skip


def _sheet(picture: Picture, width: int, height: int, *, plain: bool = False) -> Image.Image:
    """Return the panels side by side, a pixel for each half of a cell."""
    each = _width(picture, width)
    drawn = [_drawn(panel, each, 2 * height, plain=plain) for panel in picture.panels]
    tall = 2 * ceil(max(one.height for one in drawn) / 2)
    sheet = Image.new("RGB", (len(drawn) * (each + GAP) - GAP, tall))
    for number, one in enumerate(drawn):
        sheet.paste(one, (number * (each + GAP), 0))
    return sheet


def _width(picture: Picture, width: int) -> int:
    """Return the cells that each panel has."""
    return max((width + GAP) // len(picture.panels) - GAP, 1)


def _drawn(panel: Panel, width: int, height: int, *, named: bool = False, plain: bool = False) -> Image.Image:
    """Return a panel that fits into so many pixels, its sides in proportion.

    `named`: boxes have their names; `plain`: masks are told from the image by their brightness.
    """
    source = Image.fromarray(np.ascontiguousarray(panel.image)).convert("RGB")
    scale = min(width / source.width, height / source.height)
    size = (max(round(source.width * scale), 1), max(round(source.height * scale), 1))
    drawn = source.resize(size, Image.Resampling.BOX if scale < 1 else Image.Resampling.NEAREST)
    if panel.mask is not None:
        drawn = _masked(drawn, panel.mask, plain=plain)
    _add_boxes(drawn, panel, named=named)
    return drawn


def _masked(drawn: Image.Image, mask: Array, *, plain: bool) -> Image.Image:
    """Return an image with the pixels of each class in its colour, or its grey."""
    classes = np.asarray(Image.fromarray(np.ascontiguousarray(mask)).resize(drawn.size, Image.Resampling.NEAREST))
    pixels = np.array(drawn, np.float32) * (DIM if plain else 1)
    for one in np.unique(classes[classes > 0]).tolist():
        there = classes == one
        if plain:
            pixels[there] = GREYS[(one - 1) % len(GREYS)]
        else:
            pixels[there] += MASK * (np.array(COLOURS[(one - 1) % len(COLOURS)]) - pixels[there])
    return Image.fromarray(pixels.astype(np.uint8))


def _add_boxes(drawn: Image.Image, panel: Panel, *, named: bool) -> None:
    """Draw the outlines of boxes, in an image file with their names."""
    pen, font = ImageDraw.Draw(drawn), ImageFont.load_default(TEXT)
    kinds = sorted({box.kind for box in panel.boxes})
    wide, tall = drawn.size
    for box in panel.boxes:
        colour = COLOURS[kinds.index(box.kind) % len(COLOURS)]
        left, right = (_within(at * wide, wide) for at in (box.left, box.left + box.width))
        top, bottom = (_within(at * tall, tall) for at in (box.top, box.top + box.height))
        pen.rectangle((left, top, max(right, left), max(bottom, top)), outline=colour, width=2 if named else 1)
        if named:
            pen.text((left + 4, top + 2), clean(box.name), colour, font, stroke_width=1, stroke_fill=(0, 0, 0))


def _within(at: float, size: int) -> int:
    return int(min(max(at, 0), size - 1))


def _colour(pixel: Sequence[int]) -> Colour:
    red, green, blue = pixel
    return int(red), int(green), int(blue)


def _file_name(name: str) -> str:
    """Return a sample's name without what a file's may not have."""
    kept = "".join(one if one.isalnum() or one in "-_." else "_" for one in Path(name).stem)
    return kept[:80].strip(".") or "sample"
