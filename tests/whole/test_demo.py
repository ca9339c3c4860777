"""Both demonstrations, and the real paths: a folder in ImageNet's layout and a model file of the user's."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from engine.datasets.patterns import ImageSet, write
from engine.mlperf import SCENARIOS
from engine.mlperf_logs import detail
from engine.profile.catalog import load, profile_file
from engine.profile.round_file import load_round
from engine.store.store import Store
from tests.whole.command import SHORT, inferdeck, measured

TAGS = "--tags=app,mlperf,inference,reference,python,_resnet50,_onnxruntime,_cpu"

ENOUGH = ("--min_query_count=670",)
"""As many queries as the early stopping estimate of MultiStream's 99th percentile needs."""

LOADGEN_FILES = {
    "mlperf.conf",
    "user.conf",
    "mlperf_log_detail.txt",
    "mlperf_log_summary.txt",
    "mlperf_log_accuracy.json",
    "run.json",
}


@pytest.mark.slow
def test_the_offline_demonstration(tmp_path: Path) -> None:
    results = measured(tmp_path / "home", "demo", "--offline", f"--output_dir={tmp_path / 'out'}", *SHORT, *ENOUGH)
    rules = load_round(profile_file(load().folders, "rounds", "v2.1"))
    for scenario in SCENARIOS:
        folder = tmp_path / "out" / "demo-offline" / "resnet50" / scenario
        assert results[scenario, "performance"]["value"] > 0
        assert results[scenario, "accuracy"]["value"] >= 97
        for mode in ("performance", "accuracy"):
            assert {path.name for path in (folder / mode).iterdir()} >= LOADGEN_FILES
            log = detail.read(folder / mode / "mlperf_log_detail.txt")
            assert log.value("effective_scenario") == scenario
            assert log.value("qsl_reported_total_count") == 1024
            assert log.value("effective_qsl_rng_seed") == rules.seeds.qsl
            assert log.value("effective_sample_index_rng_seed") == rules.seeds.sample_index
            assert log.value("effective_schedule_rng_seed") == rules.seeds.schedule
            assert not log.errors
        text = (folder / "accuracy" / "accuracy.txt").read_text()
        good = round(results[scenario, "accuracy"]["value"] * 1024 / 100)
        assert text == f"accuracy={100 * good / 1024:.3f}%, good={good}, total=1024\n"
    jobs = json.loads(inferdeck(tmp_path / "home", "jobs", "--json")[1])
    assert [job["state"] for job in jobs] == ["finished"]
    log_text = (tmp_path / "home" / "state" / "jobs" / "r-0001" / "events.jsonl").read_text()
    assert '"event":"tick"' in log_text, "live figures are in the log"
    assert "DEMONSTRATION" in inferdeck(tmp_path / "home", "attach", "--plain")[1]


@pytest.mark.slow
def test_the_demonstration_on_photographs(tmp_path: Path) -> None:
    words = ("demo", f"--output_dir={tmp_path / 'out'}", "--scenarios=SingleStream,Offline", *SHORT)
    status, out, err = inferdeck(tmp_path / "home", *words, "--plain")
    if status and ("network" in out or "reach" in out):
        pytest.skip("the package index can't be reached from here")
    assert status == 0, f"{out}\n{err}"
    text = (tmp_path / "out" / "demo" / "resnet50" / "Offline" / "accuracy" / "accuracy.txt").read_text()
    assert text == "accuracy=90.000%, good=18, total=20\n"
    assert "20 photographs. Not an MLPerf result." in out
    assert "this result can't be submitted" in out


@pytest.mark.slow
def test_a_folder_in_imagenets_layout_and_a_model_file_of_ones_own(tmp_path: Path) -> None:
    """The reference graph with synthetic weights, built small, is given as a file with a generated ImageNet folder."""
    home, imagenet = tmp_path / "home", tmp_path / "imagenet-2012-val"
    imagenet.mkdir()
    list(write(ImageSet(seed=7, count=60), imagenet))
    with (imagenet / "val_map.txt").open("a") as labels:
        labels.write("ILSVRC2012_val_00000061.JPEG 3\n")
    given = (TAGS, "--add_deps_tags.imagenet=_full", f"--env.IMAGENET_PATH={imagenet}", "--env.CM_SUT_NAME=apple-m1")
    built = measured(
        home,
        "run",
        TAGS + ",_stand-in,_accuracy-only",
        "--adr.model.training_pictures=60",
        "--adr.model.held_out_pictures=10",
        "--adr.images.count=30",
        *SHORT,
    )
    assert built["Offline", "accuracy"]["value"] > 8, "chance is 2 %"
    store = Store(home / "store")
    model = next(store.content(name) / "model.onnx" for name in store.names() if name.startswith("standin-resnet50"))
    before = {path: path.stat().st_mtime_ns for path in imagenet.iterdir()}
    out = f"--output_dir={tmp_path / 'out'}"
    results = measured(
        home, "run", "script", *given, f"--model_path={model}", "--modes=performance,accuracy", out, *SHORT
    )
    assert results["Offline", "performance"]["value"] > 0
    assert {path: path.stat().st_mtime_ns for path in imagenet.iterdir()} == before, "the person's folder is left alone"
    folder = tmp_path / "out" / "apple-m1" / "resnet50" / "Offline"
    assert (folder / "accuracy" / "accuracy.txt").read_text().endswith(", total=60\n")
    assert "resnet50.Offline.target_qps = 70" in (folder / "performance" / "user.conf").read_text()
    said = (next((home / "state" / "jobs").glob("r-0002")) / "events.jsonl").read_text()
    assert "1 of 61 labelled images are not in" in said
    facts = next(
        manifest.facts
        for name in store.names()
        if name.startswith("model-file") and (manifest := store.manifest(name)) is not None
    )
    assert (facts["outputs"], facts["task_options"]) == (["ArgMax:0"], {"label_offset": 1})
    assert len(facts["sha256"]) == 64


@pytest.mark.slow
def test_a_broken_picture_is_named_and_the_rest_is_kept(tmp_path: Path) -> None:
    home, imagenet = tmp_path / "home", tmp_path / "imagenet"
    imagenet.mkdir()
    list(write(ImageSet(seed=7, count=8), imagenet))
    broken = imagenet / "ILSVRC2012_val_00000005.JPEG"
    broken.write_bytes(broken.read_bytes()[:1000])
    given = (TAGS + ",_patterns-net", "--adr.imagenet.tags=-_patterns,_full", f"--env.IMAGENET_PATH={imagenet}", *SHORT)
    status, out, _ = inferdeck(home, "run", *given, "--plain")
    assert status == 1
    assert "ILSVRC2012_val_00000005.JPEG" in out
    list(write(ImageSet(seed=7, count=8), tmp_path))
    (tmp_path / broken.name).replace(broken)
    assert measured(home, "run", *given)["Offline", "performance"]["value"] > 0


@pytest.mark.slow
def test_a_valid_run_refuses_a_small_data_set(tmp_path: Path) -> None:
    words = (TAGS + ",_patterns-net,_valid", "--adr.images.count=100", "--adr.workers.seconds=1")
    status, _, err = inferdeck(tmp_path / "home", "run", *words, "--plain")
    assert status == 2, "known from the plan, before anything runs"
    assert "the data set has 100 samples" in err
    assert "performance sample count of 1024" in err


def test_the_arrays_of_the_offline_data_are_the_tasks_own(tmp_path: Path) -> None:
    """The preprocessing step stores exactly the bytes that the task gives for each image."""
    from engine.step import Artifact, Step, read_options
    from engine.tasks import image_classification as task
    from engine.tasks.image_form import ImageForm
    from engine.tasks.image_preparation import prepare
    from engine.tasks.labels import read_val_map

    pictures, output = tmp_path / "pictures", tmp_path / "output"
    for folder in (pictures, output):
        folder.mkdir()
    list(write(ImageSet(seed=1, count=70), pictures))
    options = {"task": task.__name__, "preprocessing": "vgg", "layout": "NCHW", "dtype": "float32", "image_size": 224}
    dataset = Artifact(str(pictures), {"images": "", "labels": "val_map.txt"})
    seen: list[object] = []
    step = Step("p", "p", {**options, "count": 66}, {"dataset": dataset, "labels": dataset}, output, seen.append)
    (output / "samples.npy").write_bytes(b"an attempt of another shape")
    facts = prepare(step)
    assert (facts["count"], facts["left_out"]) == (66, 0)
    samples = np.load(output / "samples.npy", mmap_mode="r")
    for index, (name, _) in enumerate(read_val_map(output / facts["labels"])):
        out = np.empty(samples.shape[1:], np.float32)
        task.preprocess(pictures / name, read_options(options, ImageForm), out)
        assert np.array_equal(samples[index], out)
    assert sorted(path.name for path in output.iterdir()) == ["samples.npy", "val_map.txt"]
