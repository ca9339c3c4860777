"""A task for tests whose samples are padded into batches: each is answered with the outputs of its own length."""

from collections.abc import Mapping, Sequence

import numpy as np

from engine.backends.base import Array
from engine.backends.graph import Graph
from engine.tasks.base import Responses, Samples, TaskOptions
from engine.tasks.programs import MODEL, Padded


class BucketOptions(TaskOptions, frozen=True):
    """How a batch is padded."""

    bucket: int = 4


OPTIONS = BucketOptions


def program(graphs: Mapping[str, Graph], samples: Samples, model: BucketOptions) -> Padded:
    """Return the program of a session."""
    return Padded(graphs[MODEL], samples, respond, bucket=model.bucket)


def respond(outputs: Sequence[Array], indices: Sequence[int], lengths: Sequence[int]) -> Responses:
    """Answer with the first numbers of each row."""
    rows = [row[:length] for row, length in zip(outputs[0], lengths, strict=True)]
    return Responses(np.concatenate(rows), [4 * length for length in lengths])
