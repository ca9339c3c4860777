"""The form of a prepared image. Without numpy: a plan reads it, and must be instant."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from engine.step import Options

if TYPE_CHECKING:
    from engine.tasks.base import Array


class ImageForm(Options, frozen=True, kw_only=True):
    """How a square image is prepared."""

    preprocessing: str
    """Name of the chain in the task's CHAINS."""
    layout: Literal["NCHW", "NHWC"]
    dtype: str
    image_size: int
    """Pixels of a side."""

    @property
    def shape(self) -> tuple[int, int, int]:
        """Shape of one sample."""
        size = self.image_size
        return (3, size, size) if self.layout == "NCHW" else (size, size, 3)

    def planes(self, sample: Array) -> Array:
        """Return a sample of this form as a view [3,S,S], for work channel by channel.

        numpy is five times as fast along a row of pixels as along the three channels of one.
        """
        return sample if self.layout == "NCHW" else sample.transpose(2, 0, 1)
