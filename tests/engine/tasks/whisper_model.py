"""A small Whisper of random weights in the form of CTranslate2, and what it says, computed plainly with numpy."""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping, Sequence
from math import erf, sqrt
from pathlib import Path

import numpy as np

from engine.backends.base import Array
from engine.formats.ctranslate2_file import DTYPES, VERSION
from engine.networks.whisper_checkpoint import _ENDS, _PARTS, _PLACES
from engine.tasks.whisper_features import FRAMES

BANDS, WIDTH, HEADS, VOCABULARY, TEXT = 80, 16, 2, 50, 448
WORDS = {chr(97 + one): one for one in range(26)} | {"\u0120": 26, "<|endoftext|>": 27}


def weights(seed: int) -> dict[str, Array]:
    """Return one layer of encoder and decoder each, float16."""
    random = np.random.default_rng(seed)
    shapes: dict[str, tuple[int, ...]] = {
        "encoder/conv1/weight": (WIDTH, BANDS, 3),
        "encoder/conv2/weight": (WIDTH, WIDTH, 3),
        "encoder/position_encodings/encodings": (FRAMES // 2, WIDTH),
        "decoder/position_encodings/encodings": (TEXT, WIDTH),
        "decoder/embeddings/weight": (VOCABULARY, WIDTH),
    }
    linear = {
        "encoder/layer_0/self_attention": (3 * WIDTH, WIDTH),
        "decoder/layer_0/self_attention": (3 * WIDTH, WIDTH),
        "decoder/layer_0/attention": (WIDTH, 2 * WIDTH, WIDTH),
    }
    for name, sizes in linear.items():
        shapes |= {f"{name}/linear_{place}/weight": (size, WIDTH) for place, size in enumerate(sizes)}
    for part in ("encoder", "decoder"):
        shapes |= {f"{part}/layer_0/ffn/linear_0/weight": (4 * WIDTH, WIDTH)}
        shapes |= {f"{part}/layer_0/ffn/linear_1/weight": (WIDTH, 4 * WIDTH)}
    found = {name: random.standard_normal(shape) / sqrt(shape[-1]) for name, shape in shapes.items()}
    found |= {
        name.replace("weight", "bias"): random.standard_normal(shape[0]) / 4
        for name, shape in shapes.items()
        if "linear" in name or "conv" in name
    }
    norms = [f"{name}/layer_norm" for name in (*linear, "encoder/layer_0/ffn", "decoder/layer_0/ffn")]
    for name in (*norms, "encoder/layer_norm", "decoder/layer_norm"):
        found[f"{name}/gamma"] = 1 + random.standard_normal(WIDTH) / 8
        found[f"{name}/beta"] = random.standard_normal(WIDTH) / 8
    made: dict[str, Array] = {name: values.astype(np.float16) for name, values in found.items()}
    for name, place, parts in (("self_attention/linear_0", 1, 3), ("attention/linear_1", 0, 2)):
        for bias in (one for one in made if one.endswith(f"/{name}/bias")):
            np.split(made[bias], parts)[place][:] = 0  # keys have none
    return made | {"decoder/num_heads": np.array(HEADS, np.int16)}


def write(folder: Path, found: Mapping[str, Array], kind: str = "WhisperSpec") -> None:
    """Write model.bin and tokenizer.json as a package has them."""
    numbers = {np.dtype(name): number for number, name in DTYPES.items()}
    data = struct.pack("<I", VERSION) + _text(kind) + struct.pack("<II", 3, len(found))
    for name, values in found.items():
        data += _text(name) + struct.pack(f"<B{values.ndim}I", values.ndim, *values.shape)
        data += struct.pack("<BI", numbers[values.dtype], values.nbytes) + values.tobytes()
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model.bin").write_bytes(data + struct.pack("<I", 0))
    tokens = {"model": {"vocab": WORDS}, "added_tokens": [{"id": 27, "content": "<|endoftext|>"}]}
    (folder / "tokenizer.json").write_text(json.dumps(tokens))


def write_published(folder: Path, found: Mapping[str, Array]) -> None:
    """Write model.safetensors and tokenizer.json in the form of the rules' model; keys have no bias there."""
    write(folder, found)
    named: dict[str, Array] = {}
    for name, values in found.items():
        place, _, end = name.rpartition("/")
        if name in _PLACES or place in _PLACES:
            named[_PLACES.get(name) or f"{_PLACES[place]}.{_ENDS.get(end, end)}"] = values
        elif name != "decoder/num_heads":
            part, layer, rest = place.split("/", 2)
            for one, piece in zip(_PARTS[rest], np.split(values, len(_PARTS[rest])), strict=True):
                named[f"model.{part}.layers.{layer[6:]}.{one}.{_ENDS.get(end, end)}"] = piece
    header, data = {}, b""
    for name, values in named.items():
        offsets = [len(data), len(data) + values.nbytes]
        header[name] = {"dtype": "F16", "shape": list(values.shape), "data_offsets": offsets}
        data += values.tobytes()
    head = json.dumps(header).encode()
    (folder / "model.safetensors").write_bytes(struct.pack("<Q", len(head)) + head + data)


def _text(name: str) -> bytes:
    return struct.pack("<H", len(name) + 1) + name.encode() + b"\0"


class Plain:
    """The same network, one sample at a time, everything computed anew for each token."""

    def __init__(self, found: Mapping[str, Array]) -> None:
        self.weights = {name: values.astype(np.float32) for name, values in found.items()}

    def said(self, mel: Array, prompt: Sequence[int], end: int, most: int) -> list[int]:
        """Return the tokens after the prompt, without the end."""
        heard, tokens = self._heard(mel), list(prompt)
        for _ in range(most):
            tokens.append(self._next(heard, tokens))
            if tokens[-1] == end:
                return tokens[len(prompt) : -1]
        return tokens[len(prompt) :]

    def _heard(self, mel: Array) -> Array:
        x = self._convolved(mel, "encoder/conv1", 1)
        x = self._convolved(x, "encoder/conv2", 2).T + self.weights["encoder/position_encodings/encodings"]
        own = self._norm(x, "encoder/layer_0/self_attention/layer_norm")
        query, key, value = np.split(self._linear(own, "encoder/layer_0/self_attention/linear_0"), 3, axis=1)
        x = x + self._linear(_attended(query, key, value), "encoder/layer_0/self_attention/linear_1")
        return self._norm(self._fed(x, "encoder/layer_0/ffn"), "encoder/layer_norm")

    def _next(self, heard: Array, tokens: Sequence[int]) -> int:
        table = self.weights["decoder/embeddings/weight"]
        x = table[list(tokens)] + self.weights["decoder/position_encodings/encodings"][: len(tokens)]
        name = "decoder/layer_0/self_attention"
        query, key, value = np.split(self._linear(self._norm(x, f"{name}/layer_norm"), f"{name}/linear_0"), 3, axis=1)
        x = x + self._linear(_attended(query, key, value, ahead=False), f"{name}/linear_1")
        name = "decoder/layer_0/attention"
        query = self._linear(self._norm(x, f"{name}/layer_norm"), f"{name}/linear_0")
        key, value = np.split(self._linear(heard, f"{name}/linear_1"), 2, axis=1)
        x = self._fed(x + self._linear(_attended(query, key, value), f"{name}/linear_2"), "decoder/layer_0/ffn")
        return int((self._norm(x, "decoder/layer_norm")[-1] @ table.T).argmax())

    def _fed(self, x: Array, name: str) -> Array:
        hidden = _gelu(self._linear(self._norm(x, f"{name}/layer_norm"), f"{name}/linear_0"))
        return x + self._linear(hidden, f"{name}/linear_1")

    def _linear(self, x: Array, name: str) -> Array:
        return np.asarray(x @ self.weights[f"{name}/weight"].T + self.weights[f"{name}/bias"])

    def _norm(self, x: Array, name: str) -> Array:
        centred = x - x.mean(axis=-1, keepdims=True)
        scaled = centred / np.sqrt(np.square(centred).mean(axis=-1, keepdims=True) + 1e-5)
        return np.asarray(scaled * self.weights[f"{name}/gamma"] + self.weights[f"{name}/beta"])

    def _convolved(self, x: Array, name: str, stride: int) -> Array:
        padded = np.pad(x, ((0, 0), (1, 1)))
        windows = np.lib.stride_tricks.sliding_window_view(padded, 3, axis=1)[:, ::stride]
        found = np.einsum("oik,itk->ot", self.weights[f"{name}/weight"], windows)
        return _gelu(found + self.weights[f"{name}/bias"][:, None])


def _attended(query: Array, key: Array, value: Array, *, ahead: bool = True) -> Array:
    size, parts = WIDTH // HEADS, []
    for head in range(HEADS):
        part = slice(head * size, (head + 1) * size)
        scores = query[:, part] @ key[:, part].T / sqrt(size)
        if not ahead:
            scores[np.triu_indices(len(scores), 1)] = -np.inf
        shares = np.exp(scores - scores.max(axis=1, keepdims=True))
        parts.append(shares / shares.sum(axis=1, keepdims=True) @ value[:, part])
    return np.concatenate(parts, axis=1)


def _gelu(x: Array) -> Array:
    return np.asarray(x * (1 + np.vectorize(erf)(x / sqrt(2))) / 2).astype(np.float32)
