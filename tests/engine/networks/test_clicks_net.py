from pathlib import Path

import numpy as np

from engine.datasets.click_files import Tables
from engine.datasets.clicks import LAST_DAY, ClickSet
from engine.networks.clicks_net import shipped
from engine.networks.dlrm_training import Batch
from engine.tasks.roc import area
from tests.engine.networks.running import run, step


def test_the_shipped_model_tells_clicks_apart(tmp_path: Path) -> None:
    facts = shipped(step(tmp_path, {}))
    tables = Tables(2500)
    rows = np.concatenate([tables.rows(block) for block in ClickSet(11).rows(LAST_DAY, 20_000)])
    batch = Batch.of(rows)
    feeds = {"dense_x": batch.dense, "indices": np.ascontiguousarray(batch.indices.T.astype(np.int64))}
    chance = run(tmp_path / facts["model"], feeds)["probability"][:, 0]
    assert area(chance[batch.labels == 1], chance[batch.labels == 0]) > 0.75
