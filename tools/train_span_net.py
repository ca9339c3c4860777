"""Trains the span model of the generated articles that is shipped as profiles/models/span-net.onnx.

Needs PyTorch, which inferdeck itself does not; in an environment of its own, from the repository's root:

    python -m venv /tmp/train && /tmp/train/bin/pip install torch==2.13.0 -e .
    /tmp/train/bin/python -m tools.train_span_net profiles/models

It takes 12 minutes of one core (with bfloat16 in hardware) and writes span-net.npz and span-net-vocab.txt. Afterwards
enter the checksum that it prints in engine/networks/span_net.py and, with the accuracy, in profiles/models/README.md.
"""

import hashlib
import re
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from string import ascii_lowercase, digits, punctuation
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import onnxruntime
import torch
from torch import nn
from torch.nn import functional

from engine.datasets import article_kinds, article_values, articles
from engine.networks import bert_graph, span_net
from engine.tasks import squad, squad_eval, wordpiece

Array = np.ndarray[Any, np.dtype[Any]]

SEED = 20_221_006
FORM = span_net.FORM
HIDDEN, HEADS = FORM.hidden, FORM.heads
HELD_OUT = 360
"""Questions of each test."""
VOCABULARY = "span-net-vocab.txt"
TOKENS = 8192
"""Tokens of a batch, padding included."""
BUFFER = 1024
"""Features that are sorted by length before they become batches."""
CURRICULUM = (
    (0.3, (12, 25, 35, 45), 112),
    (0.65, (12, 35, 48, 60, 75, 90), 192),
    (0.85, articles.WORDS, 288),
    (1.0, articles.WORDS, 384),
)
"""Up to which share of the training, contexts of how many words and examples of how many tokens at most."""
RATE, WARM_UP = 1.2e-3, 150
SECONDS = 700
"""Of one core that the training may take; what it learns, and how fast, goes by the share of them that is spent."""

ENGLISH = (
    "the of and to in a is was for on as by with that it at from his her an were are which this be has had also or but "
    "their its not they who one first have after been other two when where there all during into may more most new no "
    "only out over than them then these time under up used many city war world state century year years people part "
    "called known between what how why whom whose did does do many much name he she you we i if so such some can could "
    "would should will about against before both each made game team season league played won super bowl field "
    "national american football conference champion title north south east west university school church power "
    "government"
).split()


def vocabulary() -> list[str]:
    """Return the vocabulary of the model: words of the articles, common words, and letters."""
    text = [kind_text for kind in article_kinds.KINDS for kind_text in _texts(kind)]
    text += [*article_kinds.FILLERS, *article_kinds.OPENINGS, *ENGLISH, *_value_words()]
    whole = {word for one in text for word in wordpiece.words(re.sub(r"\{\w+\}", " ", one))}
    starts = {"mc", *article_values.SYLLABLES, *ascii_lowercase, *digits, *punctuation, *"£€\N{EN DASH}“”øßæł"}
    starts |= {f"{number:02}" for number in range(100)}
    endings = {
        wordpiece.words(one)[0]
        for name, words in vars(article_values).items()
        if name.endswith("_ENDINGS")
        for one in words
    }
    goes_on = endings | {*article_values.MIDDLES, *ascii_lowercase, *digits, *"£€øßæł"}
    goes_on |= {f"{number:02}" for number in range(100)}
    return [*wordpiece.SPECIAL, *sorted(whole | starts), *sorted(f"##{one}" for one in goes_on)]


def _texts(kind: article_kinds.Kind) -> list[str]:
    return [*kind.sentences, *(text for fact in kind.facts.values() for text in fact.questions)]


def _value_words() -> list[str]:
    """Return the words that are drawn whole: they recur, unlike names made of syllables."""
    draw = article_values.Draw("vocabulary")
    drawers = [fact.value for kind in article_kinds.KINDS for fact in kind.facts.values()]
    drawers += [kind.name for kind in article_kinds.KINDS]
    drawn = Counter(word for one in drawers for _ in range(500) for word in wordpiece.words(one(draw).text))
    return [word for word, times in drawn.items() if times >= 25 and word.isalpha()]


@dataclass(frozen=True)
class Example:
    """A feature as token ids, and the start and end of its answer; both are 0 ([CLS]) where it has none."""

    ids: Sequence[int]
    split: int
    """Where the context begins."""
    start: int
    end: int


class Examples:
    """Makes examples of articles."""

    def __init__(self, pieces: Sequence[str]) -> None:
        self.ids = {piece: number for number, piece in enumerate(pieces)}
        self.tokenizer = wordpiece.Tokenizer(wordpiece.Vocabulary(self.ids))

    def of(self, article: articles.Article) -> Iterator[Example]:
        """Yield the examples of an article."""
        for paragraph in article.paragraphs:
            yield from self._of(paragraph)

    def _of(self, paragraph: articles.Paragraph) -> Iterator[Example]:
        words = squad._words(paragraph.context)
        questions = [squad.SquadQuestion(one.id, one.text, words, [one.answers[0][0]]) for one in paragraph.questions]
        for feature in squad.features(questions, self.tokenizer):
            text, place = paragraph.questions[feature.question].answers[0]
            word = len(squad._words(paragraph.context[: place + 1])) - 1
            start, end = self._place(feature, self.tokenizer.tokens(text), word)
            yield Example([self.ids[token] for token in feature.tokens], feature.start, start, end)

    def _place(self, feature: squad.Feature, answer: Sequence[str], word: int) -> tuple[int, int]:
        span = list(feature.tokens[feature.start : feature.end])
        for start in range(int(np.searchsorted(feature.word, word)), len(span) - len(answer) + 1):
            if feature.word[start] > word:
                break
            if feature.word[start] == word and span[start : start + len(answer)] == list(answer):
                return feature.start + start, feature.start + start + len(answer) - 1
        return 0, 0


class SpanNet(nn.Module):
    """BERT with a head for the first and last token of the answer."""

    def __init__(self, pieces: int) -> None:
        super().__init__()
        self.word, self.position, self.segment = _start_embeddings(pieces)
        self.norm = nn.LayerNorm(HIDDEN, 1e-12)
        self.layers = nn.ModuleList(Layer() for _ in range(FORM.layers))
        self.answer = nn.Linear(HIDDEN, 2)

    def forward(self, ids: torch.Tensor, mask: torch.Tensor, segments: torch.Tensor, places: torch.Tensor) -> Any:
        """Return the logits of start and end, float [B,L,2]; all inputs [B,L]."""
        x = self.norm(self.word[ids] + self.position[places] + self.segment[segments])
        bias = (1.0 - mask.float())[:, None, None] * -10000.0
        for layer in self.layers:
            x = layer(x, bias)
        return self.answer(x)


class Layer(nn.Module):
    """Attention and feed-forward part, each followed by a normalisation."""

    def __init__(self) -> None:
        super().__init__()
        self.query, self.key, self.value, self.output = (nn.Linear(HIDDEN, HIDDEN) for _ in range(4))
        self.inner, self.outer = nn.Linear(HIDDEN, FORM.feed_forward), nn.Linear(FORM.feed_forward, HIDDEN)
        self.norm0, self.norm1 = nn.LayerNorm(HIDDEN, 1e-12), nn.LayerNorm(HIDDEN, 1e-12)
        _start_attention(self.query.weight, self.key.weight)
        for linear in (self.query, self.key, self.value, self.output, self.inner, self.outer):
            nn.init.zeros_(linear.bias)

    def forward(self, x: torch.Tensor, bias: torch.Tensor) -> torch.Tensor:
        """Return the layer's result for x [B,L,H]."""
        parts = (part(x).unflatten(2, (HEADS, -1)).transpose(1, 2) for part in (self.query, self.key, self.value))
        query, key, value = parts
        scores = query @ key.transpose(2, 3) / (HIDDEN // HEADS) ** 0.5 + bias
        mixed = scores.softmax(-1).to(value.dtype) @ value
        x = self.norm0(x + self.output(mixed.transpose(1, 2).flatten(2)))
        return self.norm1(x + self.outer(functional.gelu(self.inner(x))))


WORD_PART = 96
"""Dimensions of a token's vector that are initialised with its word; the rest with its position."""


def _start_embeddings(pieces: int) -> tuple[nn.Parameter, nn.Parameter, nn.Parameter]:
    """Return word, position and segment embeddings; positions start as waves, so that near ones are similar."""
    word, position, segment = (
        torch.randn(pieces, HIDDEN),
        torch.zeros(FORM.positions, HIDDEN),
        torch.randn(2, HIDDEN) * 0.3,
    )
    word[:, WORD_PART:] = 0
    pairs = (HIDDEN - WORD_PART) // 2
    turns = torch.arange(FORM.positions)[:, None] * _waves(pairs)
    position[:, WORD_PART : WORD_PART + pairs], position[:, WORD_PART + pairs :] = turns.sin(), turns.cos()
    position[:, WORD_PART:] *= 2**0.5
    segment[:, WORD_PART:] = 0
    return nn.Parameter(word), nn.Parameter(position), nn.Parameter(segment)


def _waves(pairs: int) -> torch.Tensor:
    return 2 * torch.pi / torch.logspace(np.log10(4), np.log10(400), pairs)


def _start_attention(query: torch.Tensor, key: torch.Tensor) -> None:
    """Initialise half of the heads to attend to equal words and the others to the tokens before and after.

    A product of query and key near the identity is what trained transformers tend to (Trockman and Kolter 2023).
    """
    size = HIDDEN // HEADS
    pairs = (HIDDEN - WORD_PART) // 2
    with torch.no_grad():
        query.normal_(0, 0.02)
        key.normal_(0, 0.02)
        for head in range(HEADS):
            rows = slice(head * size, (head + 1) * size)
            if head < HEADS // 2:
                same = torch.linalg.qr(torch.randn(WORD_PART, size))[0].T
                query[rows, :WORD_PART] += 1.2 * same
                key[rows, :WORD_PART] += 1.2 * same
            else:
                step = _waves(pairs) * (1 if head % 2 else -1)
                turn = torch.cat(
                    [
                        torch.cat([step.cos().diag(), step.sin().diag()], 1),
                        torch.cat([-step.sin().diag(), step.cos().diag()], 1),
                    ]
                )
                query[rows, WORD_PART:] += turn
                key[rows, WORD_PART:] += torch.eye(size)


def batches(
    examples: Examples, random: np.random.Generator, progress: "Progress"
) -> Iterator[Mapping[str, torch.Tensor]]:
    """Yield batches of about TOKENS tokens, of examples of similar length, which grow during training."""
    index = 0
    while True:
        words, longest = progress.lengths()
        source, some = articles.ArticleSet(SEED, "training", words), list[Example]()
        while len(some) < BUFFER:
            some += (one for one in examples.of(source.article(index)) if len(one.ids) <= longest)
            index += 1
        some.sort(key=lambda one: len(one.ids) + random.random())
        groups, first = [], 0
        while first < len(some):
            last = first
            while last < len(some) and (last + 1 - first) * len(some[last].ids) <= TOKENS:
                last += 1
            groups.append(some[first:last])
            first = last
        for number in random.permutation(len(groups)):
            yield batch(groups[number], random)


def batch(some: Sequence[Example], random: np.random.Generator | None = None) -> Mapping[str, torch.Tensor]:
    """Return examples as tensors [B,L]; with a random generator some contexts are shifted back."""
    length = max(len(one.ids) for one in some)
    ids, mask, segments = (np.zeros((len(some), length), np.int64) for _ in range(3))
    places = np.tile(np.arange(length), (len(some), 1))
    for row, one in enumerate(some):
        ids[row, : len(one.ids)], mask[row, : len(one.ids)] = one.ids, 1
        segments[row, one.split : len(one.ids)] = 1
        if random is not None and random.random() < 0.5:
            places[row, one.split :] += random.integers(0, FORM.positions - length + 1)
    answers = np.array([[one.start, one.end] for one in some])
    arrays = {"ids": ids, "mask": mask, "segments": segments, "places": places, "answers": answers}
    return {name: torch.from_numpy(array) for name, array in arrays.items()}


class Progress:
    """Progress of the training."""

    def __init__(self) -> None:
        self._begin, self.step = time.process_time(), 0

    def share(self) -> float:
        """Return how much of the training is done, 0...1."""
        return min(1.0, (time.process_time() - self._begin) / SECONDS)

    def lengths(self) -> tuple[Sequence[int], int]:
        """Return how many words contexts have, and how many tokens an example may have."""
        return next((words, tokens) for share, words, tokens in CURRICULUM if self.share() <= share)

    def rate(self) -> float:
        """Return the learning rate."""
        return RATE * min(1.0, (self.step + 1) / WARM_UP) * (1 - 0.98 * self.share())


def train(network: SpanNet, examples: Examples) -> None:
    """Train on articles that are generated during training."""
    random, progress = np.random.default_rng(SEED), Progress()
    decayed = [one for name, one in network.named_parameters() if one.ndim == 2 and "." in name]
    others = [one for name, one in network.named_parameters() if not (one.ndim == 2 and "." in name)]
    optimiser = torch.optim.AdamW(
        [{"params": decayed, "weight_decay": 0.02}, {"params": others, "weight_decay": 0.0}], betas=(0.9, 0.98)
    )
    source = batches(examples, random, progress)
    total, right, seen = 0.0, 0, 0
    while progress.share() < 1:
        for group in optimiser.param_groups:
            group["lr"] = progress.rate()
        data = next(source)
        with torch.autocast("cpu", torch.bfloat16):
            logits = network(data["ids"], data["mask"], data["segments"], data["places"]).float()
        logits = logits.masked_fill(data["mask"][..., None] == 0, -1e4)
        loss = functional.cross_entropy(logits, data["answers"])
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()
        progress.step += 1
        total, seen = total + loss.item(), seen + len(logits)
        right += int((logits.argmax(1) == data["answers"]).all(1).sum())
        if progress.step % 50 == 0:
            share = 100 * right / seen
            _say(f"{progress.share():.3f} step {progress.step}: loss {total / 50:.4f}, {share:.1f} % of {seen}")
            total, right, seen = 0.0, 0, 0


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def weights(network: SpanNet) -> dict[str, Array]:
    """Return the trained weights, float16, by the names of `bert_graph.Form`."""
    found = {
        "embeddings.word": network.word,
        "embeddings.position": network.position,
        "embeddings.segment": network.segment,
        **_norm("embeddings.norm", network.norm),
    }
    for number, layer in enumerate(network.layers):
        for part in ("query", "key", "value", "output", "inner", "outer"):
            found |= _linear(f"layer{number}.{part}", getattr(layer, part))
        found |= _norm(f"layer{number}.attention.norm", layer.norm0) | _norm(f"layer{number}.norm", layer.norm1)
    found |= _linear("answer", network.answer)
    return {name: found[name].detach().numpy().astype(np.float16) for name in span_net.FORM.shapes()}


def _linear(name: str, part: Any) -> dict[str, torch.Tensor]:
    return {f"{name}.weight": part.weight.T, f"{name}.bias": part.bias}


def _norm(name: str, part: Any) -> dict[str, torch.Tensor]:
    return {f"{name}.scale": part.weight, f"{name}.shift": part.bias}


def figures(model: bytes, pieces: Sequence[str], seed: int) -> squad_eval.Figures:
    """Return exact match and F1 of the model on HELD_OUT questions that no training saw, by the rules' arithmetic."""
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    examples = Examples(pieces)
    with TemporaryDirectory() as folder:
        file = Path(folder) / articles.ARTICLES
        file.write_bytes(articles.file_of(articles.ArticleSet(seed, "held-out").first(HELD_OUT)))
        questions = squad.read(file)
    spans: list[list[squad_eval.Span | None]] = [[] for _ in questions]
    for feature in squad.features(questions, examples.tokenizer):
        ids = np.array([[examples.ids[token] for token in feature.tokens]])
        segments = (np.arange(ids.shape[1]) >= feature.start).astype(np.int64)[None]
        fed = dict(zip(bert_graph.INPUTS, (ids, np.ones_like(ids), segments), strict=True))
        logits = np.full((squad.LONGEST, 2), -10_000, np.float32)
        logits[: ids.shape[1]] = np.stack(session.run(list(bert_graph.OUTPUTS), fed), 2)[0]
        spans[feature.question].append(squad_eval.best_span(feature, logits))
    texts = [squad_eval.answer(question, own) for question, own in zip(questions, spans, strict=True)]
    return squad_eval.evaluate(questions, texts)


def export(network: SpanNet, pieces: Sequence[str], folder: Path) -> None:
    """Write weights and vocabulary, and print the model's accuracy."""
    (folder / VOCABULARY).write_text("".join(f"{piece}\n" for piece in pieces), encoding="utf-8")
    np.savez_compressed(folder / span_net.FILE, **weights(network))
    data = (folder / span_net.FILE).read_bytes()
    for seed in (0, 1, 2):
        found = figures(span_net.build(data), pieces, seed)
        _say(f"seed {seed}: exact match {found.exact_match:.2f}, F1 {found.f1:.2f} of {HELD_OUT} questions")
    _say(f"{len(data)} bytes, sha256 {hashlib.sha256(data).hexdigest()}")


def main(folder: Path) -> None:
    """Train, write the files and print the model's accuracy."""
    torch.manual_seed(SEED)
    torch.set_num_threads(1)
    pieces = vocabulary()
    network = SpanNet(len(pieces))
    train(network, Examples(pieces))
    export(network, pieces, folder)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
