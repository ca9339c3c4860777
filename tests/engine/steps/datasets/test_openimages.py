"""OpenImages: annotations and images from a misbehaving server, or from a local folder."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from engine import events
from engine.errors import DataError, FetchError
from engine.fetch import many as fetch_many
from engine.plan.resolve import resolve
from engine.plan.selection import Selection
from engine.profile import catalog
from engine.profile.component import Query
from engine.step import Artifact, Step, SurveyContext
from engine.steps.datasets import openimages
from engine.survey.survey import Surveyor
from engine.tasks.image_calibration import CalibrationImages
from tests.engine.networks.running import step
from tests.engine.openimages_server import (
    Fault,
    Tree,
    coco,
    dead_url,
    name_of,
    picture,
    serving,
    whole_tree,
    zipped,
)
from tests.helpers import SHARED, folders_in

LIST = SHARED / "data" / "calibration" / "openimages_cal_images_list.txt"


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetch_many, "PAUSES", (0.0, 0.0, 0.0))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


def labels(folder: Path, whole: Any) -> Artifact:
    """Annotations as the previous step leaves them."""
    file = folder / "labels" / openimages.LABELS
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(whole))
    return Artifact(str(folder / "labels"), {"labels": openimages.LABELS})


def fetch_labels(server: Tree, output: Path, **options: Any) -> dict[str, Any]:
    output.mkdir(exist_ok=True)
    content = server.files["/annotations.zip"]
    given = {"url": [f"{server.url}/annotations.zip"], "md5": hashlib.md5(content).hexdigest(), "filename": "a.zip"}
    return openimages.fetch_annotations(step(output, {**given, **options}))


def fetch(
    server: Tree, given: Artifact, output: Path, said: list[events.AnyEvent] | None = None, **options: Any
) -> dict[str, Any]:
    output.mkdir(exist_ok=True)
    asked = {"url": [f"{server.url}/validation/{{name}}"], "count": None, **options}
    return openimages.fetch_images(step(output, asked, {"annotations": given}, said))


def files(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def test_pictures_and_annotations_as_the_rules_lay_them_out(tmp_path: Path) -> None:
    tree, names = whole_tree(50)
    said: list[events.AnyEvent] = []
    with serving(tree) as server:
        (tmp_path / "labels").mkdir()
        facts = fetch_labels(server, tmp_path / "labels")
        assert facts == {"labels": "annotations/openimages-mlperf.json", "count": 50}
        assert files(tmp_path / "labels") == ["annotations/openimages-mlperf.json"]
        found = fetch(server, Artifact(str(tmp_path / "labels"), facts), tmp_path / "out", said)
    came = [tree.files[f"/validation/{name}"] for name in names]
    assert found == {
        "images": "validation/data",
        "labels": "annotations/openimages-mlperf.json",
        "count": 50,
        "bytes": sum(map(len, came)),
    }
    assert files(tmp_path / "out") == sorted(
        ["annotations/openimages-mlperf.json", *(f"validation/data/{name}" for name in names)]
    )
    assert [(tmp_path / "out/validation/data" / name).read_bytes() for name in names] == came
    assert (tmp_path / "out" / openimages.LABELS).read_bytes() == (tmp_path / "labels" / openimages.LABELS).read_bytes()
    last = [event for event in said if isinstance(event, events.Progress)][-1]
    assert (last.done, last.total) == (50, 50)
    assert last.unit.startswith("images (")
    assert last.unit.endswith("B)")


@pytest.mark.parametrize("member", ["openimages-mlperf.json", "annotations_2.1.json", "some/folder/openimages.json"])
def test_the_annotations_are_found_whatever_their_name_in_the_archive(member: str, tmp_path: Path) -> None:
    tree, _ = whole_tree(3, member)
    text = json.dumps(coco({name_of(1): (64, 48)})).encode()
    tree.files["/annotations.zip"] = zipped({"README.txt": b"", "__MACOSX/._x.json": b"\0", member: text})
    with serving(tree) as server:
        assert fetch_labels(server, tmp_path)["count"] == 1
    assert (tmp_path / openimages.LABELS).read_bytes() == text
    assert files(tmp_path) == [openimages.LABELS]


@pytest.mark.parametrize(
    ("members", "words"),
    [
        ({"readme.txt": b""}, "holds none"),
        ({"a.json": b"{}", "b.json": b"{}"}, r"holds a\.json, b\.json"),
        ({"a.json": b"{}"}, "is not a COCO detection file.*images"),
        ({"a.json": b'{"images": [{"file_name": "a.jpg"}], "annotations": []}'}, "is not a COCO detection file.*width"),
        ({"a.json": b"<html>"}, "is not a COCO detection file"),
        ({"../a.json": b"{}"}, "leads outside"),
    ],
)
def test_another_archive(members: dict[str, bytes], words: str, tmp_path: Path) -> None:
    with serving(Tree({"/annotations.zip": zipped(members)})) as server:
        with pytest.raises(DataError, match=words):
            fetch_labels(server, tmp_path / "out")
        with pytest.raises(FetchError, match="wrong MD5"):
            fetch_labels(server, tmp_path / "other", md5="0" * 32)
    assert not (tmp_path / "a.json").exists()


def test_a_server_that_does_everything_wrong_for_a_while(tmp_path: Path) -> None:
    tree, names = whole_tree(80)
    kinds: list[Fault] = ["drop", "503", "429", "wrong bytes", "short", "hang up"]
    for index, name in enumerate(names[: 6 * 12]):
        tree.faults[f"/validation/{name}"] = [kinds[index % 6]] * (1 + index % 3)
    with serving(tree) as server:
        fetch(server, labels(tmp_path, _sizes(tree)), tmp_path / "out")
    assert all(
        (tmp_path / "out/validation/data" / name).read_bytes() == tree.files[f"/validation/{name}"] for name in names
    )
    assert all(server.asked[path] == 1 + (index % 3 + 1) for index, path in enumerate(list(tree.files)[:72]))


def _sizes(tree: Tree) -> Any:
    """Annotations with the sizes of a tree's images."""
    found = {}
    for path, content in tree.files.items():
        if path.startswith("/validation/"):
            found[path.rpartition("/")[2]] = _sides(content)
    return coco(found)


def _sides(content: bytes) -> tuple[int, int]:
    """Width and height as OpenCV reads an image, which applies its EXIF orientation."""
    read = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)
    assert read is not None
    return read.shape[1], read.shape[0]


def test_what_is_wrong_for_good_is_named_after_all_others_came(tmp_path: Path) -> None:
    tree, names = whole_tree(40)
    given = labels(tmp_path, _sizes(tree))
    gone, other_size, truncated, page, empty = names[3], names[8], names[13], names[21], names[34]
    del tree.files[f"/validation/{gone}"]
    good = dict(tree.files)
    tree.files[f"/validation/{other_size}"] = picture(8, 48, 64)
    half = good[f"/validation/{truncated}"]
    tree.files[f"/validation/{truncated}"] = half[: len(half) // 2] + bytes(len(half) - len(half) // 2)
    tree.files[f"/validation/{page}"] = b"<html>please log in</html>"
    tree.files[f"/validation/{empty}"] = b""
    said: list[events.AnyEvent] = []
    with serving(tree) as server:
        with pytest.raises(FetchError) as caught:
            fetch(server, given, tmp_path / "out", said)
        assert "5 of 40 files could not be fetched" in caught.value.what
        assert "35 are kept, and the same command downloads only the others" in caught.value.remedy
        warned = {event.text for event in said if isinstance(event, events.Warned)}
        stated = (64 + 8 % 5, 48 + 8 % 3)
        assert warned == {
            f"{gone}: 404 Not Found",
            f"{other_size}: it is 48 x 64, the annotations say {stated[0]} x {stated[1]}",
            f"{truncated}: it is damaged: it cannot be decoded to its end",
            f"{page}: it is not an image",
            f"{empty}: it is not an image",
        }
        assert len(list((tmp_path / "out/validation/data").iterdir())) == 35
        server.asked.clear()
        tree.files.update(good)
        tree.files[f"/validation/{gone}"] = picture(3, 64 + 3, 48)
        assert fetch(server, given, tmp_path / "out")["count"] == 40
        assert sorted(server.asked) == sorted(
            f"/validation/{name}" for name in (gone, other_size, truncated, page, empty)
        )


def test_what_was_damaged_on_the_disk_between_two_attempts_is_fetched_again(tmp_path: Path) -> None:
    tree, names = whole_tree(12)
    given = labels(tmp_path, _sizes(tree))
    with serving(tree) as server:
        fetch(server, given, tmp_path / "out")
        server.asked.clear()
        place = tmp_path / "out/validation/data"
        (place / names[2]).write_bytes(bytes(len(tree.files[f"/validation/{names[2]}"])))
        (place / names[5]).write_bytes(picture(5, 200, 100))
        (place / names[7]).unlink()
        (place / f"{names[7]}.part").write_bytes(b"half")
        fetch(server, given, tmp_path / "out")
    assert sorted(server.asked) == sorted(f"/validation/{names[index]}" for index in (2, 5, 7))
    assert len(files(tmp_path / "out")) == 13


def test_a_picture_that_is_stored_turned_may_be_stated_either_way(tmp_path: Path) -> None:
    turned = picture(1, 64, 48, turned=True)
    assert _sides(turned) == (48, 64)
    for stated, fits in (((64, 48), True), ((48, 64), True), ((48, 48), False)):
        tree = Tree({"/validation/a.jpg": turned})
        with serving(tree) as server:
            out = tmp_path / f"out{stated}"
            given = labels(tmp_path, coco({"a.jpg": stated}))
            if fits:
                fetch(server, given, out)
            else:
                with pytest.raises(FetchError, match="it is 64 x 48, the annotations say 48 x 48"):
                    fetch(server, given, out)


@pytest.mark.parametrize("name", ["../../evil.jpg", "/tmp/evil.jpg", "a.jpg?versionId=1", "..%2fevil.jpg", "x/../../y"])
def test_names_in_the_annotations_that_reach_outside(name: str, tmp_path: Path) -> None:
    tree, names = whole_tree(2)
    given = labels(tmp_path, coco({names[0]: (64, 48), name: (65, 49)}))
    with serving(tree) as server, pytest.raises(DataError, match="no plain file name"):
        fetch(server, given, tmp_path / "out")
    assert not server.asked
    assert not list(tmp_path.rglob("evil*"))


def test_only_the_first_so_many_with_annotations_of_these_alone(tmp_path: Path) -> None:
    tree, _ = whole_tree(10)
    whole = _sizes(tree)
    given = labels(tmp_path, whole)
    with serving(tree) as server:
        assert fetch(server, given, tmp_path / "out", count=4)["count"] == 4
        assert len(server.asked) == 4
        assert fetch(server, given, tmp_path / "more", count=99)["count"] == 10
    kept = json.loads((tmp_path / "out" / openimages.LABELS).read_text())
    assert kept["images"] == whole["images"][:4]
    assert kept["categories"] == whole["categories"]
    assert kept["annotations"] == [one for one in whole["annotations"] if one["image_id"] <= 4]
    assert json.loads((tmp_path / "more" / openimages.LABELS).read_text()) == whole


def test_pictures_of_an_earlier_artifact_are_not_fetched_again(tmp_path: Path) -> None:
    tree, names = whole_tree(10)
    given = labels(tmp_path, _sizes(tree))
    entry = tmp_path / "store" / "entries" / "openimages-validation-0123"
    entry.mkdir(parents=True)
    (entry / "manifest.json").write_text("{}")
    with serving(tree) as server:
        fetch(server, given, entry / "content", count=4)
        broken = entry / "content" / openimages.IMAGES / names[1]
        broken.write_bytes(b"damaged")
        server.asked.clear()
        (tmp_path / "out").mkdir()
        options = {"url": [f"{server.url}/validation/{{name}}"], "count": None}
        one = Step(
            "openimages-validation#2",
            "t",
            options,
            {"annotations": given},
            tmp_path / "out",
            print,
            store=tmp_path / "store",
        )
        assert openimages.fetch_images(one)["count"] == 10
    assert sorted(server.asked) == sorted(f"/validation/{name}" for name in (names[1], *names[4:]))
    assert broken.read_bytes() == b"damaged", "what another artifact holds is never written to"
    place = tmp_path / "out" / openimages.IMAGES
    assert all((place / name).read_bytes() == tree.files[f"/validation/{name}"] for name in names)
    assert (place / names[0]).stat().st_ino == (entry / "content" / openimages.IMAGES / names[0]).stat().st_ino


def test_without_a_network(tmp_path: Path) -> None:
    given = labels(tmp_path, coco({name_of(index): (64, 48) for index in range(5)}))
    server = Tree(url=dead_url())
    with pytest.raises(
        FetchError, match=r"5 of 5 files could not be fetched from 127\.0\.0\.1: .*no connection"
    ) as caught:
        fetch(server, given, tmp_path / "out")
    assert "network" in caught.value.remedy


def calibrate(server: Tree, output: Path, text: bytes, md5: str | None = None) -> dict[str, Any]:
    output.mkdir(exist_ok=True)
    server.files["/list.txt"] = text
    options = {
        "url": [f"{server.url}/list.txt"],
        "md5": md5 or hashlib.md5(text).hexdigest(),
        "filename": "list.txt",
        "pictures": [f"{server.url}/train/{{name}}"],
    }
    return openimages.fetch_calibration(step(output, options))


def test_calibration_pictures_in_the_order_of_the_list(tmp_path: Path) -> None:
    names = [name_of(index) for index in (3, 1, 2)]
    tree = Tree({f"/train/{name}": picture(index) for index, name in enumerate(names)})
    tree.faults = {f"/train/{names[1]}": ["drop"]}
    with serving(tree) as server:
        facts = calibrate(server, tmp_path / "out", "\n".join(names).encode())
        again = calibrate(server, tmp_path / "out", "\n".join(names).encode())
    found = CalibrationImages.of(Artifact(str(tmp_path / "out"), facts))
    assert [file.name for file in found.files] == names
    assert (found.text, found.by_rules) == ("3 images of list.txt (OpenImages train)", False)
    assert again == facts
    assert server.asked[f"/train/{names[0]}"] == 1


def test_a_calibration_list_that_is_none(tmp_path: Path) -> None:
    with serving(Tree()) as server:
        with pytest.raises(DataError, match="no plain file name"):
            calibrate(server, tmp_path / "a", b"<html>\n../x\n")
        with pytest.raises(DataError, match="not a list of images"):
            calibrate(server, tmp_path / "b", b"\xff\xfe\x00")
        with pytest.raises(FetchError, match="1 of 1 files could not be fetched"):
            calibrate(server, tmp_path / "c", b"gone.jpg\n")


@pytest.mark.skipif(not LIST.is_file(), reason="needs the calibration lists of the rules in shared/")
def test_the_list_of_the_rules(tmp_path: Path) -> None:
    text = LIST.read_bytes()
    one = picture(1)
    with serving(Tree({f"/train/{name}": one for name in text.decode().split()})) as server:
        facts = calibrate(server, tmp_path / "out", text, md5=openimages.RULES_LIST)
    found = CalibrationImages.of(Artifact(str(tmp_path / "out"), facts))
    assert len(set(found.files)) == 500
    assert found.by_rules
    assert found.text == "500 images of the rules' calibration list (OpenImages train)"


def context(path: str | None, count: int | None = None, whole: int | None = None) -> Any:
    given = None if whole is None else Artifact("", {"count": whole})
    return openimages.survey(SurveyContext({"path": path, "count": count}, {"annotations": given}))


def test_a_folder_of_ones_own_is_found_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / openimages.IMAGES).mkdir(parents=True)
    (tmp_path / "annotations").mkdir()
    seen = context(str(tmp_path))
    assert (seen.state, seen.text) == ("missing", f"{tmp_path} has no annotations/openimages-mlperf.json")
    assert "--env.OPENIMAGES_PATH=DIR" in seen.remedy
    (tmp_path / openimages.LABELS).write_text("{}")
    (tmp_path / openimages.IMAGES / "a.jpg").write_bytes(b"first")
    before = [(path, path.stat().st_mtime_ns) for path in sorted(tmp_path.rglob("*"))]
    seen = context(str(tmp_path))
    assert (seen.state, seen.artifact.path) == ("found", str(tmp_path))
    assert seen.artifact.facts == {"images": openimages.IMAGES, "labels": openimages.LABELS}
    assert [(path, path.stat().st_mtime_ns) for path in sorted(tmp_path.rglob("*"))] == before
    assert context(str(tmp_path)).identity == seen.identity
    os.utime(tmp_path / openimages.LABELS, ns=(1, 1))
    second = context(str(tmp_path))
    assert second.identity != seen.identity
    (tmp_path / openimages.IMAGES / "a.jpg").write_bytes(b"other")
    assert context(str(tmp_path)).identity != second.identity, "an image was replaced in place"
    assert context(str(tmp_path), count=5).state == "conflict"


def test_folders_that_are_not_it(tmp_path: Path) -> None:
    assert context(str(tmp_path / "nothing")).text == f"there is no folder {tmp_path / 'nothing'}"
    lacks = f"{tmp_path} has no validation/data and no annotations/openimages-mlperf.json"
    assert context(str(tmp_path)).text == f"{lacks}: it is empty"
    for place in ("", "data", "validation/data"):
        (tmp_path / place).mkdir(exist_ok=True, parents=True)
    (tmp_path / "data/a.jpg").touch()
    (tmp_path / "annotations").mkdir()
    (tmp_path / openimages.LABELS).write_text("{}")
    seen = context(str(tmp_path))
    assert (seen.state, seen.text) == ("missing", f"{tmp_path / openimages.IMAGES}: it is empty")


def test_the_plan_says_how_much_and_that_it_is_estimated() -> None:
    seen = context(None)
    assert (seen.state, seen.fetch_bytes, seen.identity) == ("run", 24_781 * 290_000, "")
    assert seen.text == "24,781 images; size estimated, 290 kB each"
    assert context(None, count=10).fetch_bytes == 2_900_000
    assert context(None, count=10, whole=4).text.startswith("4 images")


@pytest.mark.parametrize(
    ("words", "states"),
    [
        (
            ("get", "dataset", "openimages-validation"),
            {"openimages-validation": "fetch", "openimages-annotations": "fetch"},
        ),
        (("get", "calibration", "openimages"), {"calibration-openimages": "fetch"}),
        (("get", "ml-model", "reference", "retinanet"), {"retinanet-model": "fetch"}),
    ],
)
def test_the_components_ask_for_nothing(words: tuple[str, ...], states: dict[str, str], tmp_path: Path) -> None:
    assert _states(words, tmp_path) == states


def test_with_a_path_nothing_is_fetched(tmp_path: Path) -> None:
    (tmp_path / openimages.IMAGES).mkdir(parents=True)
    (tmp_path / "annotations").mkdir()
    (tmp_path / openimages.LABELS).write_text("{}")
    (tmp_path / openimages.IMAGES / "a.jpg").touch()
    words = ("get", "dataset", "openimages-validation")
    assert _states(words, tmp_path, OPENIMAGES_PATH=str(tmp_path)) == {"openimages-validation": "found"}


def _states(words: tuple[str, ...], home: Path, **env: str) -> dict[str, str]:
    """Return the survey state of each node of the selection, with the shipped components."""
    ours = catalog.load([])
    plan = resolve(ours, Selection(Query(words), env=env))
    seen = Surveyor(ours, folders_in(home / "home")).survey(plan)
    return {node: one.state for node, one in seen.seen.items()}
