"""Files that hold data sets, models and archives: damaged, and read by the functions that read them in a job."""

from __future__ import annotations

import io
import json
import random
import shutil
import tarfile
import tempfile
import zipfile
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import msgspec
import numpy as np

from engine.backends.base import Array
from engine.errors import InferdeckError
from engine.step import Artifact, Step, SurveyContext
from engine.tasks.image_form import ImageForm
from tests.fuzz import flatbuffer, places

CLASSIFY = ImageForm(preprocessing="vgg", image_size=32, layout="NCHW", dtype="float32")
DETECT = msgspec.structs.replace(CLASSIFY, preprocessing="ssd")


@dataclass(frozen=True)
class Data:
    """Damaged files, and the name of the reader."""

    parts: Sequence[places.Edit | str]

    def run(self, kept: Sequence[int], folder: Path) -> list[str]:
        """Damage the kept files and read."""
        canary = places.write_canary(folder)
        shutil.copytree(template(), folder / "data")
        for part in (self.parts[index] for index in kept):
            if isinstance(part, places.Edit):
                part.apply(folder / "data", canary)
        before = places.state(canary)
        for part in (self.parts[index] for index in kept):
            if isinstance(part, str):
                for call in READERS[part][1]:
                    with suppress(InferdeckError):
                        call(folder / "data")
        return ["the canary changed"] if places.state(canary) != before else []


def make(chance: random.Random) -> Data:
    """Return one to four damages of the files of one reader."""
    name = chance.choice(sorted(READERS))
    return Data((*places.edits(template(), chance, READERS[name][0]), name))


def _classify(folder: Path) -> None:
    from engine.tasks import image_classification as task

    task.samples(folder / "val_map.txt")
    task.keep(folder / "val_map.txt", [0], folder.with_name("kept.txt"))
    task.score(folder / "answers.json", folder / "val_map.txt")


def _detect(folder: Path) -> None:
    from engine.tasks import object_detection as task

    task.samples(folder / "annotations.json")
    task.keep(folder / "annotations.json", [0], folder.with_name("kept.json"))
    task.score(folder / "boxes.json", folder / "annotations.json")


def _pictures(folder: Path) -> None:
    from engine.tasks import image_classification, object_detection

    for task, form in ((image_classification, CLASSIFY), (object_detection, DETECT)):
        for name in ("a.jpg", "b.png"):
            with suppress(InferdeckError):
                task.preprocess(folder / name, form, np.empty(form.shape, form.dtype))


def _calibration(folder: Path) -> None:
    from engine.tasks.image_calibration import CalibrationImages

    CalibrationImages.of(Artifact(str(folder), {"images": "", "what": "pictures", "by_rules": False}))


def _onnx(folder: Path) -> None:
    from engine.steps.models import model_file as model

    wanted: tuple[dict[str, object], ...] = (
        {"label_offset": None, "outputs": []},
        {"image_size": None, "outputs": ["scores"]},
    )
    for name in ("model.onnx", "two.onnx"):
        for options in wanted:
            given = {"path": str(folder / name), "format": "onnx", **options}
            with suppress(InferdeckError):
                model.survey_file(SurveyContext(given, {}))
            with suppress(InferdeckError):
                model.read_file(Step("model", "Model", given, {}, folder, lambda _: None))


def _session(folder: Path) -> None:
    from engine.backends.base import BackendOptions
    from engine.backends.onnxruntime import load

    silent = {"log_severity_level": "4"}  # its lines are for the log of a step's process, and for no terminal
    for name in ("model.onnx", "two.onnx"):
        with suppress(InferdeckError):
            load(folder / name, BackendOptions(extra=silent)).close()


def _tflite(folder: Path) -> None:
    from engine.formats import tflite_file
    from engine.networks import tflite_convert
    from engine.networks.convnet import ConvNet
    from engine.store import files

    with suppress(ValueError, OSError):  # which those who call it turn into one of ours
        network = tflite_file.read(files.read_plain(folder / "net.tflite"))
        tflite_convert.write(network, ConvNet(), "picture")


def _checkpoints(folder: Path) -> None:
    from engine.formats.torch_pickle import read_state_dict

    for name in ("new.pth", "legacy.pth"):
        with suppress(InferdeckError):
            read_state_dict(folder / name)


def _archives(folder: Path) -> None:
    from engine.fetch.archive import unpack

    for name in ("a.zip", "a.tar", "a.tar.gz", "evil.tar", "evil.zip"):
        target = folder.with_name(f"out {name}")
        target.mkdir()
        with suppress(InferdeckError):
            unpack(folder / name, target, lambda _done, _total: None)


def _arrays(folder: Path) -> None:
    from engine.harness.samples import SampleLibrary

    library = SampleLibrary([folder / "samples.npy"], 2)
    library.load([0, 1])


def _surveys(folder: Path) -> None:
    from engine.steps.datasets import imagenet, openimages

    found = imagenet.survey_folder(SurveyContext({"path": str(folder)}, {}))
    imagenet.survey_labels(SurveyContext({}, {"dataset": found.artifact}))
    openimages.survey(SurveyContext({"path": str(folder), "count": None}, {"annotations": None}))


READERS: dict[str, tuple[Sequence[str], Sequence[Callable[[Path], None]]]] = {
    "classification": (("val_map", "answers"), (_classify,)),
    "detection": (("annotations.json", "boxes.json"), (_detect,)),
    "pictures": ((".jpg", ".png"), (_pictures,)),
    "calibration": (("pictures.txt", ".jpg"), (_calibration,)),
    "model files": ((".onnx", ".data"), (_onnx,)),
    "sessions": ((".onnx", ".data"), (_session,)),
    "TFLite": ((".tflite",), (_tflite,)),
    "checkpoints": ((".pth",), (_checkpoints,)),
    "archives": ((".zip", ".tar"), (_archives,)),
    "arrays": ((".npy",), (_arrays,)),
    "surveys": (("val_map", "openimages", ".jpg"), (_surveys,)),
}
"""By name: words in the paths of the files that it reads, and the functions."""


@cache
def template() -> Path:
    """Return a folder with a file of each kind; made once in each process."""
    import cv2
    import onnx

    import profiles

    folder = Path(tempfile.mkdtemp(prefix="fuzz-data-"))
    image = np.random.default_rng(1).integers(0, 255, (40, 50, 3), np.uint8)
    for name in ("a.jpg", "b.png"):
        cv2.imwrite(str(folder / name), image)
    (folder / "val_map.txt").write_text("a.jpg 3\nb.png 7\n")
    (folder / "pictures.txt").write_text("a.jpg\nb.png\n")
    _write_annotations(folder)
    _write_answers(folder / "answers.json", [np.float32(3).tobytes(), np.float32(8).tobytes()])
    boxes = np.array([[0, 0.1, 0.1, 0.5, 0.5, 0.9, 1]], np.float32)
    _write_answers(folder / "boxes.json", [boxes.tobytes(), b""])
    np.save(folder / "samples.npy", np.zeros((4, 3, 2), np.float32))
    model = onnx.load(profiles.FOLDER / "models" / "patterns-net.onnx")
    onnx.save(model, folder / "model.onnx")
    onnx.save(
        model,
        folder / "two.onnx",
        save_as_external_data=True,
        all_tensors_to_one_file=True,
        location="two.data",
        size_threshold=0,
    )
    _write_checkpoints(folder)
    _write_archives(folder)
    (folder / "net.tflite").write_bytes(flatbuffer.network())
    return folder


def _write_annotations(folder: Path) -> None:
    annotations = {
        "images": [
            {"id": n, "file_name": name, "width": 50, "height": 40} for n, name in enumerate(("a.jpg", "b.png"))
        ],
        "categories": [{"id": n, "name": str(n)} for n in range(3)],
        "annotations": [
            {"id": 1, "image_id": 0, "category_id": 1, "bbox": [5, 4, 20, 16], "area": 320, "iscrowd": 0},
            {"id": 2, "image_id": 1, "category_id": 2, "bbox": [5.5, 4, 20, 16], "area": 320, "iscrowd": 1},
        ],
    }
    for name in ("annotations.json", "annotations/openimages-mlperf.json"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(json.dumps(annotations))
    (folder / "validation" / "data").mkdir(parents=True)
    shutil.copyfile(folder / "a.jpg", folder / "validation" / "data" / "a.jpg")


def _write_answers(path: Path, answers: Sequence[bytes]) -> None:
    from engine.mlperf_logs.accuracy_log import Record, write_log

    write_log(path, [Record(number, number, data) for number, data in enumerate(answers)])


def _write_checkpoints(folder: Path) -> None:
    from tests.engine.formats import torch_files

    state: dict[str, Array] = {"weight": np.arange(6, dtype=np.float32).reshape(2, 3), "bias": np.zeros(3, np.int64)}
    (folder / "new.pth").write_bytes(torch_files.state_dict(state, zip_form=True))
    (folder / "legacy.pth").write_bytes(torch_files.state_dict(state))


def _write_archives(folder: Path) -> None:
    with zipfile.ZipFile(folder / "a.zip", "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("x/a.txt", "hello " * 100)
        packed.writestr("b.txt", "b")
    for name, how in (("a.tar", "w"), ("a.tar.gz", "w:gz")):
        with tarfile.open(folder / name, how) as made:  # type: ignore[call-overload]
            _add(made, "x/a.txt", b"hello " * 100)
            _add(made, "b.txt", b"b")
    with tarfile.open(folder / "evil.tar", "w") as made:
        link = tarfile.TarInfo("way")
        link.type, link.linkname = tarfile.SYMTYPE, "../canary"
        made.addfile(link)
        _add(made, "way/kept", b"overwritten")
        _add(made, "../canary/kept", b"overwritten")
    with zipfile.ZipFile(folder / "evil.zip", "w") as packed:
        packed.writestr("../canary/kept", "overwritten")


def _add(made: tarfile.TarFile, name: str, data: bytes) -> None:
    info = tarfile.TarInfo(name)
    info.size = len(data)
    made.addfile(info, io.BytesIO(data))
