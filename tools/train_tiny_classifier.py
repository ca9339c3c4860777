"""Trains the classifier of the generated patterns that is shipped as profiles/models/patterns-net.onnx.

Needs PyTorch, which inferdeck itself does not; in an environment of its own, from the repository's root:

    python -m venv /tmp/train && /tmp/train/bin/pip install torch==2.13.0 -e .
    /tmp/train/bin/python -m tools.train_tiny_classifier profiles/models/patterns-net.onnx

It takes a few minutes on two cores. Afterwards enter the checksum that it prints in engine/networks/patterns_net.py
and, with the accuracy, in profiles/models/README.md.
"""

import hashlib
import sys
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import onnx
import onnxruntime
import torch
from torch import nn

from engine.datasets import patterns
from engine.networks import patterns_net
from engine.networks.convnet import fold_batch_norm
from engine.tasks import image_classification
from engine.tasks.labels import read_val_map

Array = np.ndarray[Any, np.dtype[Any]]

SEED = 20_220_606
TRAINING = patterns.ImageSet(SEED, 10_000, "training", patterns_net.CLASSES)
TESTS = tuple(patterns.ImageSet(seed, 1024, "test", patterns_net.CLASSES) for seed in (0, 1, 2))
EPOCHS = 30
BATCH = 64
OPTIONS = {
    "preprocessing": "unit",
    "layout": "NCHW",
    "dtype": "float32",
    "image_size": patterns_net.IMAGE_SIZE,
    "label_offset": 0,
}


def main(target: Path) -> None:
    """Train, write the model and print its accuracy on images of other seeds."""
    torch.manual_seed(SEED)
    network = _network()
    _train(network, *_load(TRAINING))
    onnx.save(patterns_net.build(_weights(network)), target)
    session = onnxruntime.InferenceSession(target, providers=["CPUExecutionProvider"])
    for images in TESTS:
        samples, labels = _load(images)
        found = session.run(["scores"], {"input": samples})[0].argmax(1)
        _say(f"seed {images.seed}: {100 * (found == labels).mean():.2f} % of {len(labels)}")
    data = target.read_bytes()
    _say(f"{len(data)} bytes, sha256 {hashlib.sha256(data).hexdigest()}")


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def _load(images: patterns.ImageSet) -> tuple[Array, Array]:
    """Return samples float32 [n,3,S,S] and labels int64 [n], by way of JPEG files as in a measurement."""
    shape, dtype = image_classification.sample_shape(OPTIONS)
    samples = np.empty((images.count, *shape), dtype)
    with TemporaryDirectory() as name, ThreadPoolExecutor() as pool:
        folder = Path(name)
        list(patterns.write(images, folder))
        entries = read_val_map(folder / patterns.VAL_MAP)
        jobs = [
            pool.submit(image_classification.preprocess, folder / file, OPTIONS, slot)
            for slot, (file, _) in zip(samples, entries, strict=True)
        ]
        for job in jobs:
            job.result()
    return samples, np.array([label for _, label in entries])


def _network() -> nn.Sequential:
    layers: list[nn.Module] = []
    channels = 3
    for width, stride in patterns_net.LAYERS:
        layers += [
            nn.Conv2d(channels, width, 3, stride, padding=1, bias=False),
            nn.BatchNorm2d(width),
            nn.ReLU(),
        ]
        channels = width
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, patterns_net.CLASSES))


def _train(network: nn.Sequential, samples: Array, labels: Array) -> None:
    inputs, targets = torch.from_numpy(samples), torch.from_numpy(labels)
    optimiser = torch.optim.AdamW(network.parameters(), weight_decay=1e-2)
    steps = EPOCHS * (len(inputs) // BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, max_lr=1e-2, total_steps=steps)
    loss_function = nn.CrossEntropyLoss(label_smoothing=0.05)
    for epoch in range(EPOCHS):
        total = 0.0
        for chosen in torch.randperm(len(inputs))[: steps // EPOCHS * BATCH].split(BATCH):
            optimiser.zero_grad()
            # Brightness varies more than in the images themselves, so that the network relies on form and hue.
            light = 1 + 0.1 * torch.randn(BATCH, 1, 1, 1)
            loss = loss_function(network(inputs[chosen] * light), targets[chosen])
            loss.backward()
            optimiser.step()
            schedule.step()
            total += loss.item()
        _say(f"epoch {epoch + 1}/{EPOCHS}: loss {total / (steps // EPOCHS):.4f}")


def _weights(network: nn.Sequential) -> Mapping[str, Array]:
    """Return the trained weights by the names of `patterns_net.build`, normalisation folded."""
    weights: dict[str, Array] = {}
    modules = list(network)
    for number in range(len(patterns_net.LAYERS)):
        convolution, norm = modules[3 * number], modules[3 * number + 1]
        folded = fold_batch_norm(
            convolution.weight.detach().numpy(),
            norm.weight.detach().numpy(),
            norm.bias.detach().numpy(),
            norm.running_mean.numpy(),
            norm.running_var.numpy(),
            norm.eps,
        )
        weights[f"conv{number}.weight"], weights[f"conv{number}.bias"] = folded
    weights["scores.weight"] = modules[-1].weight.detach().numpy()
    weights["scores.bias"] = modules[-1].bias.detach().numpy()
    return weights


if __name__ == "__main__":
    main(Path(sys.argv[1]))
