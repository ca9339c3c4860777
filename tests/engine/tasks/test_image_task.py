from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from engine.errors import DataError
from engine.tasks import image_task

FORMS = {
    "L": "grey.jpg",
    "LA": "grey-alpha.png",
    "1": "bits.png",
    "P": "palette.png",
    "RGBA": "alpha.png",
    "CMYK": "print.jpg",
    "I;16": "deep.png",
    "RGB": "plain.jpg",
}


@pytest.mark.parametrize("mode", FORMS)
def test_every_form_of_colour_becomes_rgb_as_opencv_reads_it_from_a_file(tmp_path: Path, mode: str) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (20, 30, 4)).astype(np.uint8)
    image = Image.fromarray(noise[..., :3])
    if mode == "I;16":
        image = Image.fromarray(noise[..., 0].astype(np.uint16) * 257)
    elif mode == "CMYK":
        image = Image.fromarray(noise, "CMYK")
    else:
        image = image.convert(mode)
    path = tmp_path / FORMS[mode]
    image.save(path)
    expected = cv2.imread(str(path))
    assert expected is not None
    found = image_task.read(path)
    assert found.dtype == np.uint8
    assert np.array_equal(found, expected[..., ::-1])


def test_what_is_cut_off_is_named(tmp_path: Path) -> None:
    path = tmp_path / "cut.jpg"
    noise = np.random.default_rng(0).integers(0, 256, (200, 300, 3)).astype(np.uint8)
    cv2.imwrite(str(path), noise)
    path.write_bytes(path.read_bytes()[:-3000])
    with pytest.raises(DataError, match=r"cut\.jpg: truncated"):
        image_task.read(path)
