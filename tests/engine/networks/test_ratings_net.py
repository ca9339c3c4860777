from pathlib import Path

import numpy as np

from engine import events
from engine.datasets import ratings
from engine.networks.dlrm_training import Batch
from engine.networks.ratings_net import train
from engine.tasks.roc import area
from tests.engine.datasets import film_ratings
from tests.engine.networks.running import run, step


def test_it_learns_who_likes_what(tmp_path: Path) -> None:
    package = film_ratings.package(tmp_path / "package", 22_000)
    said: list[events.AnyEvent] = []
    facts = train(step(tmp_path, {}, {"package": package}, said))
    batch = Batch.of(ratings.read(package).test)
    feeds = {"dense_x": batch.dense, "indices": np.ascontiguousarray(batch.indices.T.astype(np.int64))}
    chance = run(tmp_path / facts["model"], feeds)["probability"][:, 0]
    assert area(chance[batch.labels == 1], chance[batch.labels == 0]) > 0.9
    assert isinstance(said[-1], events.Progress)
    assert said[-1].done == said[-1].total
