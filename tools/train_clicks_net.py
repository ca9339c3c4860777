"""Trains the recommendation model of the generated clicks that is shipped as profiles/models/clicks-net.npz.

From the repository's root:

    python -m tools.train_clicks_net profiles/models/clicks-net.npz

It takes about a minute of one core, to itself. Afterwards enter the checksum that it prints in
engine/networks/clicks_net.py and, with the areas under the curve, in profiles/models/README.md.
"""

import hashlib
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from engine.datasets.click_files import Tables
from engine.datasets.clicks import LAST_DAY, ClickSet
from engine.datasets.patterns import Purpose
from engine.networks.dlrm_training import BATCH, Batch, DlrmNetwork, batches
from engine.networks.small_dlrm import form
from engine.tasks.roc import area

Array = np.ndarray[Any, np.dtype[Any]]

MAX_IND_RANGE = 2_500
SEED = 20_210_604
ROWS = 2_000_000
HELD_OUT = 100_000


def main(target: Path) -> None:
    """Train, write the weights and say how well they tell clicks apart."""
    network = DlrmNetwork(form(Tables(MAX_IND_RANGE).sizes), SEED)
    began, losses, done = time.monotonic(), list[float](), 0
    for rows in _rows(SEED, ROWS, "training"):
        for batch in batches(rows):
            losses.append(network.learn(batch, 1 - done / ROWS))
            done += BATCH
        if len(losses) >= 400:
            seconds = time.monotonic() - began
            _say(f"{done:,} of {ROWS:,} rows: loss {np.mean(losses):.4f}, {seconds:.0f} s")
            losses.clear()
    weights = {name: values.astype(np.float16) for name, values in network.state().items()}
    np.savez_compressed(target, **weights)
    for seed in (0, 1, 2):
        found = [(network.predict(batch), batch.labels) for batch in map(Batch.of, _rows(seed, HELD_OUT, "held-out"))]
        chance, labels = (np.concatenate(one) for one in zip(*found, strict=True))
        auc = area(chance[labels == 1], chance[labels == 0])
        right = np.mean((chance > 0.5) == labels)
        _say(f"seed {seed}: AUC {auc:.4f}, accuracy {right:.4f} of {len(labels):,} rows")
    data = target.read_bytes()
    parameters = sum(values.size for values in weights.values())
    _say(f"{parameters:,} parameters, {len(data):,} bytes, sha256 {hashlib.sha256(data).hexdigest()}")


def _rows(seed: int, count: int, purpose: Purpose) -> Iterator[Array]:
    """Yield rows in the form of Criteo's test file."""
    tables = Tables(MAX_IND_RANGE)
    return (tables.rows(block) for block in ClickSet(seed, purpose).rows(LAST_DAY, count))


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
