"""Trains the detector of the generated scenes that is shipped as profiles/models/scenes-net.onnx.

Needs inferdeck with the extra `tensorflow`; from the repository's root:

    python -m tools.train_scene_detector profiles/models/scenes-net.onnx /tmp/scenes-net

The second folder keeps the scenes and what has been learnt: after an interruption the same call goes on there. It takes
about 15 minutes on two cores. Afterwards enter the checksum that it prints in engine/networks/scenes_net.py and, with
the accuracy, in profiles/models/README.md.
"""

import hashlib
import json
import os
import sys
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ["KERAS_BACKEND"] = "tensorflow"

import keras
import numpy as np
import onnx
import onnxruntime
import tensorflow as tf

from engine.datasets import scenes
from engine.networks import scenes_net
from engine.networks.convnet import fold_batch_norm
from engine.tasks import object_detection

Array = np.ndarray[Any, np.dtype[Any]]

SEED = 20_220_606
TRAINING = scenes.SceneSet(SEED, 6000, "training")
HELD_OUT = tuple(scenes.SceneSet(seed, 256, "held-out") for seed in (0, 1, 2))
STEPS = 2400
BATCH = 32
RATE = 4e-3
WARM_UP = 150
SAVED_EVERY = 100
"""Steps."""

CENTRAL = 1.5 * scenes_net.STRIDE
"""The cells that are to find an object are those inside it whose middle is no further from the object's, in pixels."""
BOX_WEIGHT = 2.0
"""Weight of the box loss relative to the class loss."""

OPTIONS = {"preprocessing": "unit", "layout": "NCHW", "dtype": "float32", "image_size": scenes_net.IMAGE_SIZE}


@dataclass(frozen=True)
class Examples:
    """Scenes as input of the network, and their labels."""

    images: Array
    """uint8 [n,S,S,3], RGB."""
    things: Array
    """float32 [n,m,6]: left, top, right, bottom in pixels of the picture, class, and NOTHING, OBJECT or GROUP."""


NOTHING, OBJECT, GROUP = range(3)


def main(target: Path, state: Path) -> None:
    """Train, write the model and print its mAP on scenes of another seed."""
    keras.utils.set_random_seed(SEED)
    network = _network()
    _say(f"{network.count_params()} parameters")
    _train(network, _load(TRAINING, state / "training"), state / "learnt")
    onnx.save(scenes_net.build(_weights(network)), target)
    for held_out in HELD_OUT:
        _say(f"seed {held_out.seed}: mAP {_score(target, held_out, state / f'held-out-{held_out.seed}'):.2f} %")
    data = target.read_bytes()
    _say(f"{len(data)} bytes, sha256 {hashlib.sha256(data).hexdigest()}")


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def _load(which: scenes.SceneSet, folder: Path) -> Examples:
    """Return a set, read from its files as in a measurement."""
    if not (folder / scenes.LABELS).exists():
        for done in scenes.write(which, folder):
            if done % 1000 == 0:
                _say(f"{done} scenes")
    size = scenes_net.IMAGE_SIZE
    whole = json.loads((folder / scenes.LABELS).read_text())
    images = np.empty((which.count, size, size, 3), np.uint8)

    def read(index: int) -> None:
        raw = folder / scenes.IMAGES / which.name(index)
        object_detection.preprocess(raw, OPTIONS | {"layout": "NHWC", "dtype": "uint8"}, images[index])

    with ThreadPoolExecutor() as pool:
        list(pool.map(read, range(which.count)))
    found: list[list[tuple[float, ...]]] = [[] for _ in range(which.count)]
    for one in whole["annotations"]:
        index, (left, top, width, height) = one["image_id"] - 1, one["bbox"]
        x, y = size / whole["images"][index]["width"], size / whole["images"][index]["height"]
        box = left * x, top * y, (left + width) * x, (top + height) * y
        found[index].append((*box, one["category_id"], GROUP if one["iscrowd"] else OBJECT))
    things = np.zeros((which.count, max(map(len, found)), 6), np.float32)
    for slot, rows in zip(things, found, strict=True):
        slot[: len(rows)] = np.array(rows).reshape(-1, 6)
    return Examples(images, things)


class KerasOperators:
    """The network's operators as layers that can be trained."""

    def layer(self, x: Any, name: str, channels: int, *, size: int = 3, stride: int = 1, positive: bool = True) -> Any:
        """Return a convolution, normalised over the batch where a ReLU follows."""
        if not positive:
            # Scores begin at 0.01, since nearly all cells see nothing, and distances at two cells.
            bias = keras.initializers.Constant(-4.6 if name == "classes" else 0.7)
            return keras.layers.Conv2D(channels, size, bias_initializer=bias, name=name)(x)
        x = keras.layers.Conv2D(channels, size, stride, "same", use_bias=False, name=name)(x)
        return keras.layers.ReLU()(keras.layers.BatchNormalization(momentum=0.97, name=f"{name}.norm")(x))

    def add(self, x: Any, y: Any, name: str) -> Any:
        """Return the sum."""
        return keras.layers.Add(name=name)([x, y])

    def double(self, x: Any, name: str) -> Any:
        """Return the image at twice its height and width."""
        return keras.layers.UpSampling2D(name=name)(x)


def _network() -> keras.Model:
    image = keras.Input((scenes_net.IMAGE_SIZE, scenes_net.IMAGE_SIZE, 3))
    return keras.Model(image, scenes_net.network(KerasOperators(), image))


def _train(network: keras.Model, examples: Examples, learnt: Path) -> None:
    """Train, with checkpoints, resuming from the last one."""
    schedule = keras.optimizers.schedules.CosineDecay(
        RATE / 20, STEPS - WARM_UP, warmup_target=RATE, warmup_steps=WARM_UP
    )
    optimiser = keras.optimizers.AdamW(schedule, weight_decay=1e-2, clipnorm=10.0)
    optimiser.build(network.trainable_variables)
    checkpoint = tf.train.Checkpoint(network=network, optimiser=optimiser)
    manager = tf.train.CheckpointManager(checkpoint, str(learnt), max_to_keep=1)
    checkpoint.restore(manager.latest_checkpoint)

    @tf.function
    def learn(images: Any, classes: Any, boxes: Any, counted: Any) -> Any:
        with tf.GradientTape() as tape:
            class_loss, box_loss = _losses(*network(images, training=True), classes, boxes, counted)
            loss = class_loss + BOX_WEIGHT * box_loss
        optimiser.apply(tape.gradient(loss, network.trainable_variables), network.trainable_variables)
        return tf.stack([class_loss, box_loss])

    total = np.zeros(2)
    for step in range(int(optimiser.iterations), STEPS):
        images, things = _batch(examples, step)
        total += learn(images, *_targets(things)).numpy()
        if (step + 1) % SAVED_EVERY == 0:
            manager.save(step + 1)
            _say("step {}/{}: classes {:.4f}, boxes {:.4f}".format(step + 1, STEPS, *total / SAVED_EVERY))
            total[:] = 0


def _batch(examples: Examples, step: int) -> tuple[Array, Array]:
    """Return a step's images, float32 0...1, and objects, each mirrored or rotated and with random brightness.

    What a step gets depends on its number alone, so that it makes no difference where an earlier call stopped.
    """
    each = len(examples.images) // BATCH
    epoch, place = divmod(step, each)
    order = np.random.default_rng([SEED, 0, epoch]).permutation(len(examples.images))
    chosen = order[place * BATCH : (place + 1) * BATCH]
    random, size = np.random.default_rng([SEED, 1, step]), scenes_net.IMAGE_SIZE
    images, things = examples.images[chosen].astype(np.float32), examples.things[chosen]
    for image, rows in zip(images, things, strict=True):
        across, down, over = random.random(3) < 0.5
        if across:
            image[...] = image[:, ::-1].copy()
            rows[:, [0, 2]] = size - rows[:, [2, 0]]
        if down:
            image[...] = image[::-1].copy()
            rows[:, [1, 3]] = size - rows[:, [3, 1]]
        if over:
            image[...] = image.transpose(1, 0, 2).copy()
            rows[:, :4] = rows[:, [1, 0, 3, 2]]
    light = 1 + 0.1 * random.standard_normal((len(chosen), 1, 1, 1), np.float32)
    return images * light / 255, things


def _targets(things: Array) -> tuple[Array, Array, Array]:
    """Return for each cell the class to be found (int32 [n,G,G], -1 for none), its box [n,G,G,4] and whether it counts.

    A cell that belongs to several objects finds the smallest. Cells in a group do not count, as in the scoring.
    """
    middle = (np.arange(scenes_net.GRID, dtype=np.float32) + 0.5) * scenes_net.STRIDE
    x, y = middle[None, None, None, :], middle[None, None, :, None]
    left, top, right, bottom, role = (things[..., column, None, None] for column in (0, 1, 2, 3, 5))
    inside = (x > left) & (x < right) & (y > top) & (y < bottom)
    central = (np.abs(x - (left + right) / 2) < CENTRAL) & (np.abs(y - (top + bottom) / 2) < CENTRAL)
    owned = inside & central & (role == OBJECT)
    smallest = np.where(owned, (right - left) * (bottom - top), np.inf).argmin(1)
    chosen = things[np.arange(len(things))[:, None, None], smallest]
    found = owned.any(1)
    counted = found | ~(inside & (role == GROUP)).any(1)
    return np.where(found, chosen[..., 4], -1).astype(np.int32), chosen[..., :4], counted.astype(np.float32)


def _losses(logits: Any, sides: Any, classes: Any, boxes: Any, counted: Any) -> tuple[Any, Any]:
    """Return the quality focal loss of the scores and the generalized IoU loss of the boxes, per cell of an object."""
    middle = (np.arange(scenes_net.GRID, dtype=np.float32) + 0.5) * scenes_net.STRIDE
    centres = np.stack(np.meshgrid(middle, middle) * 2, axis=-1)
    # An exponent that runs away early would never come back; no side is further away than this allows.
    away = scenes_net.STRIDE * tf.exp(tf.minimum(sides, 5.0))
    overlap, general = _overlaps(centres + away * np.array([-1, -1, 1, 1], np.float32), boxes)
    found = tf.cast(classes >= 0, tf.float32)
    count = tf.maximum(tf.reduce_sum(found), 1.0)
    wanted = tf.one_hot(classes, scenes_net.CLASSES) * tf.stop_gradient(overlap)[..., None]
    focus = tf.square(wanted - tf.sigmoid(logits)) * counted[..., None]
    class_loss = tf.reduce_sum(focus * tf.nn.sigmoid_cross_entropy_with_logits(wanted, logits)) / count
    return class_loss, tf.reduce_sum((1 - general) * found) / count


def _overlaps(one: Any, other: Any) -> tuple[Any, Any]:
    """Return intersection over union of boxes, and its generalized form (Rezatofighi et al. 2019)."""
    inner = tf.maximum(tf.minimum(one[..., 2:], other[..., 2:]) - tf.maximum(one[..., :2], other[..., :2]), 0.0)
    outer = tf.maximum(one[..., 2:], other[..., 2:]) - tf.minimum(one[..., :2], other[..., :2])
    both = tf.reduce_prod(inner, -1)
    union = tf.reduce_prod(one[..., 2:] - one[..., :2], -1) + tf.reduce_prod(other[..., 2:] - other[..., :2], -1) - both
    hull = tf.maximum(tf.reduce_prod(outer, -1), 1e-6)
    overlap = both / tf.maximum(union, 1e-6)
    return overlap, overlap - (hull - union) / hull


def _weights(network: keras.Model) -> Mapping[str, Array]:
    """Return the trained weights by the names of `scenes_net.build`, normalisation folded."""
    weights: dict[str, Array] = {}
    for layer in network.layers:
        if not isinstance(layer, keras.layers.Conv2D):
            continue
        weight = np.asarray(layer.kernel).transpose(3, 2, 0, 1)
        if layer.use_bias:
            bias = np.asarray(layer.bias)
        else:
            norm = network.get_layer(f"{layer.name}.norm")
            parts = (np.asarray(part) for part in (norm.gamma, norm.beta, norm.moving_mean, norm.moving_variance))
            weight, bias = fold_batch_norm(weight, *parts, norm.epsilon)
        weights[f"{layer.name}.weight"], weights[f"{layer.name}.bias"] = weight, bias
    return weights


def _score(model: Path, which: scenes.SceneSet, folder: Path) -> float:
    """Return the mAP of a set in per cent, as a measurement would score it."""
    list(scenes.write(which, folder))
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    shape, dtype = object_detection.sample_shape(OPTIONS)
    sample, lines = np.empty((1, *shape), dtype), []
    for index in range(which.count):
        object_detection.preprocess(folder / scenes.IMAGES / which.name(index), OPTIONS, sample[0])
        outputs = session.run(["boxes", "scores", "labels"], {"input": sample})
        response = object_detection.respond(outputs, [index], {"image_size": scenes_net.IMAGE_SIZE})
        lines.append({"seq_id": index, "qsl_idx": index, "data": response.data.tobytes().hex().upper()})
    log = folder / "mlperf_log_accuracy.json"
    log.write_text("[\n" + ",\n".join(json.dumps(line) for line in lines) + "\n]\n")
    return object_detection.score(log, folder / scenes.LABELS, {}).value


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
