"""The DLRM's graph held against the arithmetic of DLRM_Net, and what is made of its published files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

from engine.backends.base import Array
from engine.errors import DataError
from engine.facts import ModelFacts
from engine.formats import onnx_files
from engine.networks import dlrm_checkpoint
from engine.networks.dlrm_graph import OUTPUT, build
from engine.standins.dlrm import build_form
from engine.step import Artifact
from engine.steps.models import published_dlrm
from engine.tasks.criteo_files import CATEGORICAL, DENSE
from engine.tasks.dlrm_form import Form
from tests.engine.formats import torch_files as tf
from tests.engine.networks.running import run, step

SMALL = Form(tuple(range(3, 3 + CATEGORICAL)), 8, (16, 8), (32, 16, 1))
FILE = "tb00_40M.pt"


def weights(form: Form = SMALL) -> dict[str, Array]:
    random = np.random.default_rng(3)
    return {name: random.standard_normal(shape, np.float32) * 0.3 for name, shape in form.shapes().items()}


def feeds(count: int, form: Form = SMALL) -> dict[str, Array]:
    random = np.random.default_rng(4)
    tables = np.array(form.tables)[:, None]
    return {
        "dense_x": random.standard_normal((count, DENSE), np.float32),
        "indices": random.integers(0, tables, (CATEGORICAL, count)),
    }


def plain(form: Form, made: Mapping[str, Array], given: Mapping[str, Array]) -> Array:
    """DLRM_Net.forward in NumPy, float64."""

    def layers(x: Array, name: str, count: int, last: int) -> Array:
        for number in range(count):
            x = x @ made[f"{name}.{2 * number}.weight"].T.astype(np.float64) + made[f"{name}.{2 * number}.bias"]
            x = x if number == last else np.maximum(x, 0)
        return x

    dense = layers(given["dense_x"].astype(np.float64), "bot_l", len(form.bottom), -1)
    rows = [made[f"emb_l.{number}.weight"][given["indices"][number]] for number in range(len(form.tables))]
    vectors = np.stack([dense, *rows], 1)
    products = vectors @ vectors.transpose(0, 2, 1)
    pairs = [products[:, i, j] for i in range(products.shape[1]) for j in range(i)]
    features = np.concatenate([dense, np.stack(pairs, 1)], 1)
    return 1 / (1 + np.exp(-layers(features, "top_l", len(form.top), len(form.top) - 1)))


def test_the_graph_computes_what_the_network_does() -> None:
    made, given = weights(), feeds(50)
    found = run(build(SMALL, lambda name, _: made[name], name="small"), given)[OUTPUT]
    np.testing.assert_allclose(found, plain(SMALL, made, given), rtol=1e-4, atol=1e-6)
    assert found.std() > 0.01


def test_the_rules_form_has_the_published_sizes() -> None:
    shapes = Form().shapes()
    assert sum(Form().tables) == 187_767_399
    assert shapes["top_l.0.weight"] == (1024, 479)
    assert shapes["bot_l.0.weight"] == (512, 13)
    assert Form().table_bytes == pytest.approx(96.1e9, rel=1e-3)


def published(tensors: Mapping[str, Array], *, zip_form: bool) -> bytes:
    """A checkpoint as the training writes it: a number, NumPy's own scalar, and the weights."""
    rows = {name: tf.contiguous(str(place), values) for place, (name, values) in enumerate(tensors.items())}
    scalar = (
        tf.name("numpy.core.multiarray", "scalar")
        + tf.tuple_of(
            tf.name("numpy", "dtype")
            + tf.tuple_of(tf.text("f8"), b"\x89", b"\x88")
            + b"R"
            + tf.tuple_of(tf.number(3), tf.text("<"), b"N", b"N", b"N", tf.number(-1), tf.number(-1), tf.number(0))
            + b"b",
            tf.name("_codecs", "encode") + tf.tuple_of(tf.text("\x00" * 8), tf.text("latin1")) + b"R",
        )
        + b"R"
    )
    entries = {"iter": tf.number(3), "test_auc": scalar, "state_dict": tf.ordered_dict(rows)}
    body = b"}(" + b"".join(tf.text(name) + value for name, value in entries.items()) + b"u"
    storages = {str(place): values for place, values in enumerate(tensors.values())}
    return (tf.zipped if zip_form else tf.legacy)(body, storages)


def convert(folder: Path, data: bytes) -> dict[str, Any]:
    for name in ("in", "out"):
        (folder / name).mkdir()
    (folder / "in" / FILE).write_bytes(data)
    options = {"max_ind_range": 40_000_000, "filename": FILE, "starting_weights": f"https://example.org/{FILE}"}
    made = step(folder / "out", options, {"checkpoint": Artifact(str(folder / "in"), {})})
    return dlrm_checkpoint.convert_form(made, SMALL)


@pytest.mark.parametrize("zip_form", [False, True])
def test_a_checkpoint_becomes_a_graph_with_its_tables_beside_it(tmp_path: Path, zip_form: bool) -> None:
    made, given = weights(), feeds(20)
    facts = convert(tmp_path, published(made, zip_form=zip_form))
    model = tmp_path / "out" / str(Artifact(str(tmp_path / "out"), facts).read(ModelFacts).model)
    assert [one.name for one in onnx_files.files(model)] == ["model.onnx", "model.onnx.data"]
    assert facts["shared_bytes"] == SMALL.table_bytes
    assert facts["parameters"] == sum(one.size for one in made.values())
    np.testing.assert_allclose(run(model, given)[OUTPUT], plain(SMALL, made, given), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (
            {"emb_l.2.weight": np.zeros((6, 8), np.float32)},
            r"emb_l\.2\.weight should be float32\[5, 8\].*float32\[6, 8\]",
        ),
        ({"top_l.0.bias": np.zeros(32)}, r"top_l\.0\.bias should be float32\[32\].*float64\[32\]"),
        ({"emb_l.26.weight": np.zeros((2, 8), np.float32)}, r"has emb_l\.26\.weight besides"),
    ],
)
def test_another_checkpoint_is_named(tmp_path: Path, change: dict[str, Array], says: str) -> None:
    with pytest.raises(DataError, match=says):
        convert(tmp_path, published(weights() | change, zip_form=True))


def test_a_damaged_table_is_named(tmp_path: Path) -> None:
    data = bytearray(published(weights(), zip_form=True))
    data[data.index(weights()["emb_l.5.weight"].tobytes()) + 9] ^= 1
    with pytest.raises(DataError, match=r"its member weights/data/5 is damaged"):
        convert(tmp_path, bytes(data))


def fetched(folder: Path, form: Form, monkeypatch: pytest.MonkeyPatch, **options: Any) -> dict[str, Any]:
    monkeypatch.setattr(published_dlrm, "published_form", lambda _: form)
    given = {"max_ind_range": 40_000_000, "path": str(folder), "url": ["https://example.org/tb00_40M.onnx.tar"]}
    return published_dlrm.published(step(folder, given | options))


def test_a_graph_of_the_users_is_used_in_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    build_form(step(tmp_path, {"seed": 1}), SMALL)
    facts = fetched(tmp_path, SMALL, monkeypatch)
    assert facts["model"] == str(tmp_path / "model.onnx")
    assert facts["shared_bytes"] == SMALL.table_bytes
    assert facts["starting_weights_filename"].endswith("tb00_40M.onnx.tar")


def test_a_graph_with_other_tables_or_none_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(DataError, match="has 0 ONNX files"):
        fetched(tmp_path, SMALL, monkeypatch)
    build_form(step(tmp_path, {"seed": 1}), SMALL)
    with pytest.raises(DataError, match="has no table of 99 rows of 8 numbers"):
        fetched(tmp_path, Form((99, *SMALL.tables[1:]), 8), monkeypatch)
    (tmp_path / "model.onnx.data").write_bytes(b"")
    with pytest.raises(DataError, match=r"model\.onnx\.data, which has 0 bytes"):
        fetched(tmp_path, SMALL, monkeypatch)


def test_the_stand_in_wraps_indices_and_says_its_cut(tmp_path: Path) -> None:
    facts = build_form(step(tmp_path, {"seed": 1}), SMALL)
    given = feeds(10)
    found = run(tmp_path / "model.onnx", given)[OUTPUT]
    turned = given | {"indices": given["indices"] + np.array(SMALL.tables)[:, None] * 7}
    np.testing.assert_array_equal(run(tmp_path / "model.onnx", turned)[OUTPUT], found)
    assert facts["stand_in"] is True
    assert facts["text"] == "tables cut to 28 rows, 403 of 187,767,399 in all"
    assert facts["text"] in facts["weight_transformations"]
    onnx.checker.check_model(str(tmp_path / "model.onnx"), full_check=True)
