"""Things found on the machine: never stale, and reported each time that they are missing."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from engine import events
from engine.jobs import jobs
from engine.store.folders import Folders
from tests.engine.jobs import profile
from tests.helpers import folders_in, write_components

STEPS = '''
from pathlib import Path
from engine.step import Artifact, Sight

def look(look):
    """A data set of one's own whose identity says nothing of its files."""
    return Sight("found", Artifact(look.options["path"], {"images": "", "labels": "val_map.txt"}), identity="mine")

def seen(look):
    return Sight("run", identity=Path(look.options["path"]).read_text())

def touches(step):
    """Read a file that changes meanwhile."""
    Path(step.options["path"]).write_text("another")
    return {}
'''

COMPONENTS = {
    "mine": """
        name: mine
        tags: [mine]
        survey: steps.py:look
        options: {path: {type: path, env: [MINE]}}
        """,
    "both": """
        name: both
        tags: [both]
        needs:
          dataset: {tags: mine, hand: [path]}
          labels: {tags: mine, hand: [path]}
          preprocessed: {tags: "get,dataset,imagenet,preprocessed"}
        options: {path: {type: path}}
        """,
    "touches": """
        name: touches
        tags: [touches]
        step: steps.py:touches
        survey: steps.py:seen
        options: {path: {type: path}}
        """,
}
NAMES = [f"{number}.JPEG" for number in range(4)]


@pytest.fixture
def own(tmp_path: Path) -> Path:
    folder = write_components(tmp_path / "profile", COMPONENTS)
    (folder / "components" / "steps.py").write_text(STEPS)
    return folder


def run(own: Path, folders: Folders, tags: str, path: Path) -> tuple[jobs.Job, dict[str, events.StepEnded], list[str]]:
    """Run a job; returns it with the outcome of each step and the warnings."""
    spec, _ = profile.spec_of(own, path.parent / "results", tags=tags, path=str(path))
    job = profile.start(folders, spec)
    seen = [event for batch in jobs.follow(job, interval=0.02) for event in batch]
    ended = {event.step: event for event in seen if isinstance(event, events.StepEnded)}
    return jobs.read(job.folder), ended, [event.text for event in seen if isinstance(event, events.Warned)]


def test_a_data_set_of_ones_own_is_known_by_its_images(tmp_path: Path, own: Path) -> None:
    folders, images = folders_in(tmp_path), tmp_path / "images"
    images.mkdir()
    for name in NAMES:
        cv2.imwrite(str(images / name), np.full((40, 50, 3), 90, np.uint8))
    (images / "val_map.txt").write_text("".join(f"{name} 1\n" for name in NAMES))
    last = (images / NAMES[3]).read_bytes()
    (images / NAMES[3]).unlink()
    missing = [f"1 of 4 labelled images are not in {images}: {NAMES[3]}"]
    for outcome in ("built", "cached"):
        job, ended, warned = run(own, folders, "both", images)
        assert (job.state, ended["imagenet-preprocessed"].outcome, warned) == ("finished", outcome, missing)
    (images / NAMES[3]).write_bytes(last)
    _, ended, warned = run(own, folders, "both", images)
    assert (ended["imagenet-preprocessed"].outcome, warned) == ("built", [])
    (images / NAMES[0]).write_bytes(last)
    assert run(own, folders, "both", images)[1]["imagenet-preprocessed"].outcome == "built"


def test_what_changes_while_it_is_read_is_not_kept(tmp_path: Path, own: Path) -> None:
    folders, file = folders_in(tmp_path), tmp_path / "file"
    file.write_text("one")
    job, ended, _ = run(own, folders, "touches", file)
    assert (job.state, ended["touches"].outcome) == ("failed", "failed")
    assert ended["touches"].text == "files that 'touches' reads changed while it read them"
    job, ended, _ = run(own, folders, "touches", file)
    assert (job.state, ended["touches"].outcome) == ("finished", "built"), "the remedy works"
