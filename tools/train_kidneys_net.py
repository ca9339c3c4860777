"""Trains the U-Net of the generated abdomens that is shipped as profiles/models/kidneys-net.npz.

Needs PyTorch, which inferdeck itself does not; in an environment of its own, from the repository's root:

    python -m venv /tmp/train && /tmp/train/bin/pip install torch==2.13.0 -e .
    /tmp/train/bin/python -m tools.train_kidneys_net profiles/models/kidneys-net.npz

It takes about twelve minutes of two cores; bfloat16 where the processor has it. Afterwards enter the checksum
that it prints in engine/networks/kidneys_net.py and, with the Dice scores, in profiles/models/README.md.
"""

import hashlib
import sys
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import onnxruntime
import torch
from torch import Tensor
from torch.nn import functional

from engine.datasets.abdomens import AbdomenSet, write
from engine.networks.kidneys_net import FORM, written
from engine.networks.unet_graph import EPSILON, INPUT
from engine.tasks.dice import dice
from engine.tasks.volumes import How, Scan, normalised, prepared
from engine.tasks.windows import Blend, patch, places, within

Array = np.ndarray[Any, np.dtype[Any]]
Weights = dict[str, Tensor]
Case = tuple[Array, Array]
"""An image and the classes of its voxels, [D,H,W] both."""

SEED = 20_211_130
TRAINING = AbdomenSet(SEED, 48, "training")
TESTS = tuple(AbdomenSet(seed, 8, "test") for seed in (0, 1, 2))
CROPS = (1_200, 3e-3)
"""Steps and learning rate of the first phase, on crops around organs; of the second, on windows."""
WINDOWS = (700, 2e-3)
CROP = 96
"""Voxels along the sides of a crop."""
OF_CLASSES = (1.0, 1.0, 1.0)
"""Weights of the classes in the cross entropy: a voxel in a hundred is of a kidney, one in five hundred of a tumour."""
HOW = How()


def logits(weights: Weights, x: Tensor) -> Tensor:
    """Return the logits [B,3,D,H,W] of volumes [B,1,D,H,W], by the arithmetic of engine.networks.unet_graph."""
    ways = []
    for number in range(len(FORM.filters)):
        x = _level(weights, f"down{number}", x, stride=2)
        ways.append(x)
    for number in reversed(range(len(FORM.filters) - 1)):
        x = torch.cat([_doubled(weights, f"up{number}.doubled", x), ways[number]], 1)
        x = _level(weights, f"up{number}", x)
    return _doubled(weights, "classes", x)


def _level(weights: Weights, name: str, x: Tensor, *, stride: int = 1) -> Tensor:
    return _layer(weights, f"{name}.second", _layer(weights, f"{name}.first", x, stride), 1)


def _layer(weights: Weights, name: str, x: Tensor, stride: int) -> Tensor:
    x = functional.conv3d(x, weights[f"{name}.weight"], stride=stride, padding=1)
    scale, shift = weights[f"{name}.scale"], weights[f"{name}.shift"]
    return functional.relu(functional.instance_norm(x.float(), weight=scale, bias=shift, eps=EPSILON))


def _doubled(weights: Weights, name: str, x: Tensor) -> Tensor:
    return functional.conv_transpose3d(x, weights[f"{name}.weight"], weights[f"{name}.bias"], stride=2)


def main(target: Path) -> None:
    """Train, write the weights and say how well they segment cases of other seeds."""
    torch.set_num_threads(2)
    torch.manual_seed(SEED)
    weights = _first_weights()
    random = np.random.default_rng(SEED)
    _train(weights, _scans(), lambda *case: _crop(*case, random), *CROPS, random)
    _train(weights, _prepared(), lambda *case: _window(*case, random), *WINDOWS, random)
    np.savez(target, **{name: values.detach().numpy().astype(np.float16) for name, values in weights.items()})
    data = target.read_bytes()
    model = written(data).SerializeToString()
    for tests in TESTS:
        _say(f"seed {tests.seed}: {_score(model, tests)}")
    _say(f"{FORM.parameters} parameters, {len(data)} bytes, sha256 {hashlib.sha256(data).hexdigest()}")


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def _scans() -> list[Case]:
    """Return the training cases: image float16, normalised, and classes uint8 [D,H,W]."""
    drawn = (TRAINING.case(index) for index in range(TRAINING.count))
    return [(normalised(case.image, HOW).astype(np.float16), case.label) for case in drawn]


def _prepared() -> list[Case]:
    """Return them as they are measured: padded to whole windows."""
    with TemporaryDirectory() as folder:
        for _ in write(TRAINING, Path(folder)):
            pass
        scans = [prepared(Path(folder) / TRAINING.name(index), HOW) for index in range(TRAINING.count)]
    return [(scan.image.astype(np.float16), scan.label) for scan in scans]


def _train(
    weights: Weights,
    cases: list[Case],
    part: Callable[[Array, Array], Case],
    steps: int,
    rate: float,
    random: np.random.Generator,
) -> None:
    """Train on parts of random cases."""
    optimiser = torch.optim.AdamW(weights.values(), weight_decay=0.0)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, max_lr=rate, total_steps=steps, pct_start=0.1)
    began, total = time.monotonic(), 0.0
    for number in range(steps):
        x, classes = _varied(*part(*cases[random.integers(len(cases))]))
        optimiser.zero_grad()
        with torch.autocast("cpu", torch.bfloat16):
            found = logits(weights, x)
        loss = _loss(found.float(), classes)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(weights.values(), 1.0)
        optimiser.step()
        schedule.step()
        total += loss.item()
        if number % 50 == 49:
            _say(f"step {number + 1}/{steps}: loss {total / 50:.4f}, {time.monotonic() - began:.0f} s")
            total = 0.0


def _crop(image: Array, classes: Array, random: np.random.Generator) -> Case:
    """Return a cube of CROP voxels along each side, somewhere around a kidney or a tumour."""
    places = np.argwhere(classes == random.integers(1, 3))
    middle = places[random.integers(len(places))]
    starts = [
        int(np.clip(at - random.integers(CROP), 0, size - CROP)) for at, size in zip(middle, image.shape, strict=True)
    ]
    part = tuple(slice(start, start + CROP) for start in starts)
    return image[part], classes[part]


def _window(image: Array, classes: Array, random: np.random.Generator) -> Case:
    """Return a window of a scan, as large as in a measurement: normalisations see what they will see."""
    starts = [int(random.integers(size - side + 1)) for size, side in zip(image.shape, HOW.window, strict=True)]
    part = tuple(slice(start, start + side) for start, side in zip(starts, HOW.window, strict=True))
    return image[part], classes[part]


def _first_weights() -> Weights:
    """Return random weights (He et al. 2015), normalisations that change nothing."""
    weights = {}
    for name, shape in FORM.shapes().items():
        if name.endswith(".weight"):
            inputs = shape[0] if "doubled" in name or name == "classes.weight" else int(np.prod(shape[1:]))
            values = torch.randn(shape) * (2 / inputs) ** 0.5
        else:
            values = torch.ones(shape) if name.endswith(".scale") else torch.zeros(shape)
        weights[name] = values.requires_grad_()
    return weights


def _varied(image: Array, classes: Array) -> tuple[Tensor, Tensor]:
    """Return a part mirrored at random, brighter or darker, with more or less contrast, as a batch of one."""
    mirrored = [axis for axis in range(3) if torch.rand(()) < 0.5]
    x = torch.from_numpy(image).float().flip(mirrored)
    x = x * torch.empty(()).uniform_(0.9, 1.1) + torch.empty(()).uniform_(-0.1, 0.1)
    return x[None, None], torch.from_numpy(classes).long().flip(mirrored)[None]


def _loss(found: Tensor, classes: Tensor) -> Tensor:
    """Return the cross entropy, and what the Dice scores of kidney and tumour lack of 1."""
    entropy = functional.cross_entropy(found, classes, torch.tensor(OF_CLASSES))
    shares = found.softmax(1)
    lack = torch.zeros(())
    for one in (1, 2):
        truth = (classes == one).float()
        both = (shares[:, one] * truth).sum()
        lack = lack + 1 - (2 * both + 1) / (shares[:, one].sum() + truth.sum() + 1)
    return entropy + lack


def _score(model: bytes, tests: AbdomenSet) -> str:
    """Return the Dice scores of cases that are prepared, cut into windows and blended as in a measurement."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    scores, weights = [], patch(HOW.window)
    with TemporaryDirectory() as folder:
        for _ in write(tests, Path(folder)):
            pass
        for index in range(tests.count):
            scan: Scan = prepared(Path(folder) / tests.name(index), HOW)
            blend = Blend(scan.image.shape, FORM.classes, weights)
            for place in places(scan.image.shape, HOW.window, HOW.stride):
                [[outputs]] = session.run(None, {INPUT: scan.image[within(place, HOW.window)][None, None]})
                blend.add(place, outputs * weights)
            scores.append(dice(blend.labels(), scan.label, FORM.classes))
            _say(f"  {scan.image.shape}: {', '.join(f'{one:.4f}' for one in scores[-1])}")
    kidney, tumour = np.mean(scores, 0)
    return f"mean Dice {np.mean(scores):.5f}, kidney {kidney:.4f}, tumour {tumour:.4f} of {tests.count} cases"


if __name__ == "__main__":
    main(Path(sys.argv[1]))
