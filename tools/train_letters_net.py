"""Trains the transducer of the generated speech that is shipped as profiles/models/letters-net.npz.

Needs PyTorch, which inferdeck itself does not; in an environment of its own, from the repository's root:

    python -m venv /tmp/train && /tmp/train/bin/pip install torch==2.13.0 -e .
    /tmp/train/bin/python -m tools.train_letters_net profiles/models/letters-net.npz

It takes about six minutes of one core, to itself. Afterwards enter the checksum that it prints in
engine/networks/letters_net.py and, with the word error rate, in profiles/models/README.md.
"""

import hashlib
import sys
import time
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from engine.datasets.utterances import UtteranceSet
from engine.networks.letters_net import FORM
from engine.networks.transducer import STACK, build
from engine.tasks.speech_features import Features
from engine.tasks.word_errors import distance
from tools import plain_transducer as plain

Array = np.ndarray[Any, np.dtype[Any]]
Example = tuple[Array, list[int]]
"""Features float32 [T,240], and symbols."""

SEED = 20_220_607
TRAINING = UtteranceSet(SEED, 5_120, "training")
TESTS = tuple(UtteranceSet(seed, 256, "test") for seed in (0, 1, 2))
EPOCHS = 11
BATCH = 32
RATE = 6e-3
NOISE = 0.15
"""Deviation of what is added to the features, whose own deviation is 1."""


class Network(nn.Module):
    """The transducer, its tensors named as in the rules' checkpoint."""

    def __init__(self) -> None:
        super().__init__()
        form = FORM
        self.encoder = nn.ModuleDict(
            {
                "pre_rnn": _Lstm(form.features, form.encoder, form.before),
                "post_rnn": _Lstm(STACK * form.encoder, form.encoder, form.after),
            }
        )
        self.prediction = nn.ModuleDict(
            {
                "embed": nn.Embedding(form.symbols - 1, form.prediction),
                "dec_rnn": _Lstm(form.prediction, form.prediction, form.prediction_layers),
            }
        )
        layers = (nn.Linear(form.encoder + form.prediction, form.joint), nn.ReLU(), nn.Identity())
        self.joint = nn.ModuleDict({"net": nn.Sequential(*layers, nn.Linear(form.joint, form.symbols))})

    def forward(self, features: Tensor, lengths: Tensor, symbols: Tensor) -> Tensor:
        """Return logits [B,T/2,U+1,S] of features [B,T,F] (T even), lengths [B] and symbols [B,U]."""
        x = self.encoder["pre_rnn"](features)
        x = x * (torch.arange(x.shape[1]) < lengths[:, None])[..., None]
        encoded = self.encoder["post_rnn"](x.reshape(len(x), -1, STACK * x.shape[2]))
        embedded = functional.pad(self.prediction["embed"](symbols), (0, 0, 1, 0))
        predicted = self.prediction["dec_rnn"](embedded)
        first, *rest = self.joint["net"]
        # The first layer of the joint is linear in both parts: each goes through it once, not once for each pair.
        width = encoded.shape[2]
        ours = functional.linear(encoded, first.weight[:, :width], first.bias)[:, :, None]
        theirs = functional.linear(predicted, first.weight[:, width:])[:, None]
        return nn.Sequential(*rest)(ours + theirs)


class _Lstm(nn.Module):
    def __init__(self, inputs: int, width: int, layers: int) -> None:
        super().__init__()
        self.lstm = nn.LSTM(inputs, width, layers, batch_first=True)
        for name, values in self.lstm.named_parameters():
            if "bias_ih" in name:
                nn.init.constant_(values[width : 2 * width], 1.0)  # forgets little at first

    def forward(self, x: Tensor) -> Tensor:
        return self.lstm(x)[0]


def transducer_loss(logits: Tensor, frames: Tensor, symbols: Tensor, counts: Tensor) -> Tensor:
    """Return minus the log-likelihood of the symbols, summed over all alignments: [B] (Graves 2012, section 2.4).

    logits [B,T,U+1,S], the last symbol the blank; frames [B] in T, symbols [B,U], counts [B] in U. Within a frame, the
    sum over the ways to reach a symbol is a running sum in logarithms, so only frames are gone through one by one.
    """
    chances = functional.log_softmax(logits, -1)
    blank = chances[..., -1]
    emit = chances[:, :, :-1].gather(3, symbols[:, None, :, None].expand(-1, logits.shape[1], -1, 1))[..., 0]
    along = functional.pad(emit.cumsum(2), (1, 0))
    alpha = along[:, 0]
    each = [alpha]
    for frame in range(1, logits.shape[1]):
        arrived = alpha + blank[:, frame - 1]
        alpha = along[:, frame] + torch.logcumsumexp(arrived - along[:, frame], 1)
        each.append(alpha)
    rows = torch.arange(len(frames))
    return -(torch.stack(each, 1)[rows, frames - 1, counts] + blank[rows, frames - 1, counts])


def main(target: Path) -> None:
    """Train, write the weights and say how well they recognise utterances of other seeds."""
    torch.set_num_threads(1)
    torch.manual_seed(SEED)
    network = Network()
    _train(network, _load(TRAINING))
    weights = {name: values.detach().numpy().astype(np.float16) for name, values in network.state_dict().items()}
    np.savez(target, **weights)
    graphs = build(FORM, {name: values.astype(np.float32) for name, values in weights.items()}, name="letters-net")
    decoder = plain.decoder({name: graph.SerializeToString() for name, graph in graphs.items()}, FORM)
    for tests in TESTS:
        _say(f"seed {tests.seed}: {_score(decoder, tests)}")
    data = target.read_bytes()
    parameters = sum(values.size for values in weights.values())
    _say(f"{parameters} parameters, {len(data)} bytes, sha256 {hashlib.sha256(data).hexdigest()}")


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def _load(utterances: UtteranceSet) -> list[Example]:
    features = Features(FORM.features // 3)
    spoken = (utterances.utterance(index) for index in range(utterances.count))
    return [(features.of(one.audio), plain.indices(one.transcript)) for one in spoken]


def _score(decoder: plain.Decoder, tests: UtteranceSet) -> str:
    features, errors, words = Features(FORM.features // 3), 0, 0
    frames: list[int] = []
    for index in range(tests.count):
        spoken = tests.utterance(index)
        found = decoder.symbols(features.of(spoken.audio))
        frames += map(len, found)
        errors += distance(plain.text_of(chain.from_iterable(found)).split(), spoken.transcript.split())
        words += len(spoken.transcript.split())
    share, several = len(frames) / (len(frames) + sum(frames)), sum(count > 1 for count in frames)
    rate = f"word error rate {100 * errors / words:.2f} % ({errors} of {words} words in {tests.count} utterances)"
    return f"{rate}, blank share {share:.3f}, {several} of {len(frames)} frames with several symbols"


def _train(network: Network, examples: list[Example]) -> None:
    optimiser = torch.optim.AdamW(network.parameters(), weight_decay=1e-3)
    steps = EPOCHS * (len(examples) // BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, max_lr=RATE, total_steps=steps, pct_start=0.2)
    began = time.monotonic()
    for epoch in range(EPOCHS):
        total = 0.0
        for features, lengths, symbols, counts in _batches(examples):
            optimiser.zero_grad()
            logits = network(features + NOISE * torch.randn_like(features), lengths, symbols)
            losses = transducer_loss(logits, (lengths + STACK - 1) // STACK, symbols, counts)
            loss = losses.sum() / counts.sum()
            loss.backward()
            nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimiser.step()
            schedule.step()
            total += loss.item()
        seconds = time.monotonic() - began
        _say(f"epoch {epoch + 1}/{EPOCHS}: loss {total / (steps // EPOCHS):.4f} a symbol, {seconds:.0f} s")


def _batches(examples: list[Example]) -> Iterator[tuple[Tensor, Tensor, Tensor, Tensor]]:
    """Yield all examples once in batches of about equal length, in random order."""
    nearly = [len(features) * float(torch.empty(1).uniform_(0.9, 1.1)) for features, _ in examples]
    order = np.argsort(nearly)[: len(examples) // BATCH * BATCH].reshape(-1, BATCH)
    for number in torch.randperm(len(order)):
        chosen = [examples[one] for one in order[number]]
        lengths = torch.tensor([len(features) for features, _ in chosen])
        counts = torch.tensor([len(symbols) for _, symbols in chosen])
        features = torch.zeros(BATCH, -(-int(lengths.max()) // STACK) * STACK, FORM.features)
        symbols = torch.zeros(BATCH, int(counts.max()), dtype=torch.int64)
        for row, (ours, theirs) in enumerate(chosen):
            features[row, : len(ours)] = torch.from_numpy(ours)
            symbols[row, : len(theirs)] = torch.tensor(theirs)
        yield features, lengths, symbols, counts


if __name__ == "__main__":
    main(Path(sys.argv[1]))
