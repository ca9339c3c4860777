"""A small recommendation model of film ratings, trained where it is used, from the ratings of the installed package.

Its weights are of MovieLens 100k, whose terms do not allow to pass them on with inferdeck.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.datasets.ratings import read
from engine.networks.dlrm_training import BATCH, DlrmNetwork, batches
from engine.networks.small_dlrm import form, save_dlrm
from engine.step import Step

SEED = 1
EPOCHS = 3


def train(step: Step) -> dict[str, Any]:
    """Write the graph of engine.networks.small_dlrm, trained for some seconds with the ratings of the need `package`.

    Raises DataError where these are not MovieLens 100k.
    """
    found = read(step.inputs["package"])
    network = DlrmNetwork(form(found.tables), SEED)
    random = np.random.default_rng(SEED)
    steps, done = EPOCHS * (len(found.training) // BATCH), 0
    for _ in range(EPOCHS):
        for batch in batches(random.permutation(found.training)):
            network.learn(batch, 1 - done / steps)
            done += 1
            if done % 16 == 0 or done == steps:
                step.progress(done, steps, "batches")
    return save_dlrm(network.state(), step.output, name="ratings-net")
