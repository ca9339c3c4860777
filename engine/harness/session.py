"""One instance of the model: samples in, responses to LoadGen out. The same for every scenario and mode."""

from collections.abc import Iterable, Sequence
from itertools import accumulate, chain, repeat

import mlperf_loadgen as lg

from engine.errors import InferdeckError, RunError
from engine.tasks.base import Responses
from engine.tasks.programs import Program


class Session:
    """A program whose responses go to LoadGen. Not thread-safe."""

    def __init__(self, program: Program, max_batch: int) -> None:
        """Allocate buffers of the largest batch. Raises DataError if the model does not accept it."""
        self._infer = program.infer
        self._program = program
        program.prepare(max_batch)

    def warm_up(self, batches: Iterable[tuple[int, int]]) -> None:
        """Run batches of one loaded sample (QSL index), so often each, without reporting to LoadGen."""
        for index, size in batches:
            self._infer([index] * size)

    def answer(self, ids: Sequence[int], indices: Sequence[int]) -> None:
        """Infer a batch of samples (QSL indices) and report the responses to LoadGen under their ids.

        Raises the backend's error with the samples named, RunError if the task's responses do not match them.
        """
        try:
            responses = self._infer(indices)
        except InferdeckError as error:
            raise type(error)(f"{_named(indices)}: {error.what}", error.remedy) from error.__cause__
        complete(ids, responses)

    def close(self) -> None:
        """Free the model's memory and threads."""
        self._program.close()


def complete(ids: Sequence[int], responses: Responses) -> None:
    """Report responses to LoadGen, which copies them before this returns.

    Raises RunError if the bytes are not one response for each id.
    """
    data, sizes = responses.data, responses.sizes
    total = sizes * len(ids) if isinstance(sizes, int) else sum(sizes)
    if total != data.nbytes or not data.flags.c_contiguous or (not isinstance(sizes, int) and len(sizes) != len(ids)):
        raise RunError(
            f"the task answered {len(ids)} samples with {data.nbytes} bytes in sizes of {sizes}",
            "this is a fault of the task or of the model's outputs: check the names of the outputs",
        )
    first = data.ctypes.data
    tokens = (responses.tokens,) if responses.tokens else ()
    if isinstance(sizes, int):
        places = range(first, first + total, sizes) if sizes else repeat(first)
        made = map(lg.QuerySampleResponse, ids, places, repeat(sizes), *tokens)
    else:
        made = map(lg.QuerySampleResponse, ids, accumulate(chain((first,), sizes)), sizes, *tokens)
    lg.QuerySamplesComplete(list(made))


def _named(indices: Sequence[int]) -> str:
    shown = ", ".join(map(str, indices[:8])) + (", ..." if len(indices) > 8 else "")
    return f"sample{'s' if len(indices) > 1 else ''} {shown}"
