import json
import wave
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.errors import DataError
from engine.step import Artifact
from engine.steps.datasets.recordings import recordings
from tests.engine.networks.running import step

BOOK, CARDS = "sphinx-1/test/data/librivox", "sphinx-1/test/data/cards"
LISTS = {
    f"{BOOK}/transcription": "<s> and MISTER john dashwood </s> (austen-0870)\n<s> he was not </s> (austen-0880)\n",
    f"{CARDS}/cards.transcription": "<s> ten of clubs  </s> (001)\n",
}
WAVS = {f"{BOOK}/austen-0870.wav": 900, f"{BOOK}/austen-0880.wav": 1600, f"{CARDS}/001.wav": 320}


def wav(path: Path, count: int, *, rate: int = 16_000, channels: int = 1) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(path), "wb") as file:
        file.setparams((channels, 2, rate, 0, "NONE", ""))
        file.writeframes(np.arange(count * channels, dtype="<i2").tobytes())


@pytest.fixture
def package(tmp_path: Path) -> Path:
    folder = tmp_path / "package"
    for name, count in WAVS.items():
        wav(folder / name, count)
    for name, text in LISTS.items():
        (folder / name).write_text(text)
    return folder


def laid_out(package: Path, output: Path) -> dict[str, Any]:
    output.mkdir()
    files = [path.relative_to(package).as_posix() for path in sorted(package.rglob("*")) if path.is_file()]
    facts = {"package": "sphinx", "version": "1", "files": files}
    return recordings(step(output, {}, {"package": Artifact(str(package), facts)}))


def test_they_are_laid_out_as_dev_clean(package: Path, tmp_path: Path) -> None:
    output = tmp_path / "out"
    assert laid_out(package, output) == {"images": "", "labels": "dev-clean-wav.json", "count": 3}
    entries = json.loads((output / "dev-clean-wav.json").read_text())
    told = [(one["transcript"], one["files"][0]["fname"], one["original_num_samples"]) for one in entries]
    assert told == [
        ("ten of clubs", "dev-clean-wav/1/1/1-1-0000.wav", 320),
        ("and mister john dashwood", "dev-clean-wav/2/1/2-1-0000.wav", 900),
        ("he was not", "dev-clean-wav/2/1/2-1-0001.wav", 1600),
    ]
    assert (output / told[1][1]).read_bytes() == (package / BOOK / "austen-0870.wav").read_bytes()


def test_what_is_missing_or_odd_is_named(package: Path, tmp_path: Path) -> None:
    (package / BOOK / "austen-0880.wav").unlink()
    with pytest.raises(DataError, match=r"transcription.*austen-0880.*names no recording"):
        laid_out(package, tmp_path / "missing")
    wav(package / BOOK / "austen-0880.wav", 100, rate=8_000)
    with pytest.raises(DataError, match=r"austen-0880\.wav has 8000 Hz, 1 channels"):
        laid_out(package, tmp_path / "slow")
    (package / BOOK / "austen-0880.wav").write_bytes(b"RIFF")
    with pytest.raises(DataError, match=r"austen-0880\.wav is not a WAV file"):
        laid_out(package, tmp_path / "cut")
    for name in LISTS:
        (package / name).unlink()
    with pytest.raises(DataError, match="no list of utterances"):
        laid_out(package, tmp_path / "none")
