import numpy as np
import pytest

from engine.networks import dlrm_graph
from engine.networks.dlrm_training import BATCH, Batch, DlrmNetwork, batches
from engine.networks.small_dlrm import form
from tests.engine.networks.running import run

FORM = form([5, 3, *[2] * 24])


def rows(count: int) -> np.ndarray:
    """Return rows whose label is whether the first count is above that of the value of the first column."""
    random = np.random.default_rng(7)
    found = np.zeros((count, 40), np.int32)
    found[:, 1:14] = random.integers(0, 50, (count, 13))
    found[:, 14:] = random.integers(0, FORM.tables, (count, 26))
    found[:, 0] = found[:, 1] > 10 * found[:, 14]
    return found


def test_a_batch_is_read_as_the_reference_reads_it() -> None:
    found = rows(3)
    batch = Batch.of(found)
    np.testing.assert_array_equal(batch.dense, np.log(found[:, 1:14].astype(np.float32) + 1))
    np.testing.assert_array_equal(batch.indices, found[:, 14:])
    assert batch.labels.tolist() == found[:, 0].tolist()
    assert [len(one.labels) for one in batches(rows(2 * BATCH + 5))] == [BATCH, BATCH]


def test_the_graph_answers_what_the_network_predicts() -> None:
    network, batch = DlrmNetwork(FORM, 1), Batch.of(rows(20))
    weights = network.state()
    assert {name: one.shape for name, one in weights.items()} == FORM.shapes()
    model = dlrm_graph.build(FORM, lambda name, shape: weights[name], name="test")
    feeds = {"dense_x": batch.dense, "indices": np.ascontiguousarray(batch.indices.T.astype(np.int64))}
    np.testing.assert_allclose(run(model, feeds)[dlrm_graph.OUTPUT][:, 0], network.predict(batch), rtol=1e-5)


@pytest.mark.parametrize("name", ["emb_l.0.weight", "bot_l.0.weight", "bot_l.2.bias", "top_l.0.weight", "top_l.4.bias"])
def test_every_weight_is_changed_against_its_slope(name: str) -> None:
    """With the first step of either method a weight moves by its whole rate, in the direction that lowers the loss."""
    batch = Batch.of(rows(64))
    before, after = DlrmNetwork(FORM, 1), DlrmNetwork(FORM, 1)
    after.learn(batch, 0.01)
    moved = after.state()[name] - before.state()[name]
    place = np.unravel_index(np.abs(moved).argmax(), moved.shape)
    losses = []
    for change in (-0.02, 0.02):
        nudged = DlrmNetwork(FORM, 1)
        nudged.state()[name][place] += change
        chance = nudged.predict(batch).astype(np.float64)
        losses.append(-np.log(np.where(batch.labels == 1, chance, 1 - chance)).mean())
    assert np.sign(moved[place]) == np.sign(losses[0] - losses[1])


def test_it_learns_a_rule_of_a_count_and_a_value() -> None:
    network, learnt = DlrmNetwork(FORM, 1), list(batches(rows(30_000)))
    losses = [network.learn(batch, 1 - number / len(learnt)) for number, batch in enumerate(learnt)]
    assert np.mean(losses[-5:]) < losses[0] / 2
    batch = Batch.of(rows(31_000)[30_000:])
    assert ((network.predict(batch) > 0.5) == batch.labels).mean() > 0.85
