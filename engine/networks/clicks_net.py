"""A small recommendation model of the generated clicks: the trained weights that come with inferdeck.

With it recommendation runs anywhere at once: nothing to fetch, nothing to train. `tools/train_clicks_net.py` trains it.
"""

from __future__ import annotations

from io import BytesIO
from typing import Any

import numpy as np

from engine.networks.shipped import contents
from engine.networks.small_dlrm import save_dlrm
from engine.step import Step

FILE = "clicks-net.npz"
"""The weights by the names of the form, float16."""
SHA256 = "d1732d41f0bb4a2c82cb2505387be7813e7ff83c5698803f972b11b73b01d381"


def shipped(step: Step) -> dict[str, Any]:
    """Write the graph of engine.networks.small_dlrm, its weights float32.

    Raises DataError where the installed file is not the one that was shipped.
    """
    with np.load(BytesIO(contents(FILE, SHA256)), allow_pickle=False) as weights:
        return save_dlrm(weights, step.output, name="clicks-net")
