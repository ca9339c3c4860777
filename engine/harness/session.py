"""One copy of the model at work: samples in, answers to LoadGen out. The same for every scenario and mode."""

from collections.abc import Callable, Mapping, Sequence
from itertools import accumulate, chain, repeat
from typing import Any

import mlperf_loadgen as lg

from engine.backends.base import Array, Binding, Runner
from engine.errors import InferdeckError, RunError
from engine.harness.samples import SampleLibrary
from engine.tasks.base import Responses

Respond = Callable[[Sequence[Array], Sequence[int], Mapping[str, Any]], Responses]

WARM_UP_RUNS = 3


class Session:
    """A runner, its bindings by batch size, and what turns its outputs into answers. For one thread only."""

    def __init__(
        self, runner: Runner, library: SampleLibrary, respond: Respond, options: Mapping[str, Any], max_batch: int
    ) -> None:
        """Bind the largest batch. Raises DataError where the samples or the batch do not fit the model."""
        library.check(runner.inputs)
        self._runner = runner
        self._library = library
        self._respond = respond
        self._options = options
        self._fixed = runner.inputs[0].shape[0]
        self._of_batch = tuple(spec.shape[:1] in {(None,), (self._fixed,)} for spec in runner.outputs)
        self._bindings: dict[int, Binding] = {}
        self._binding(max_batch)

    def warm_up(self, batches: Sequence[int]) -> None:
        """Run batches of these sizes, all of the first sample that is loaded, without telling LoadGen."""
        for size in batches:
            for _ in range(WARM_UP_RUNS):
                self._infer([0] * size)

    def answer(self, ids: Sequence[int], indices: Sequence[int]) -> None:
        """Infer a batch of samples (QSL indices) and give LoadGen the responses under their ids.

        Raises the backend's error with the samples named, RunError where the task's responses do not fit them.
        """
        try:
            responses = self._infer(indices)
        except InferdeckError as error:
            raise type(error)(f"{_named(indices)}: {error.what}", error.remedy) from error.__cause__
        complete(ids, responses)

    def close(self) -> None:
        """Give the model's memory and threads back."""
        self._bindings.clear()
        self._runner.close()

    def _infer(self, indices: Sequence[int]) -> Responses:
        count = len(indices)
        binding = self._bindings.get(count) or self._binding(count)
        self._library.gather(indices, binding.inputs)
        outputs: Sequence[Array] = binding.run()
        if self._fixed is not None and self._fixed != count:
            # The model takes one batch size only: the rows past `count` are left over from an earlier batch.
            outputs = [array[:count] if cut else array for array, cut in zip(outputs, self._of_batch, strict=True)]
        return self._respond(outputs, indices, self._options)

    def _binding(self, count: int) -> Binding:
        size = count if self._fixed is None or count > self._fixed else self._fixed
        self._bindings[count] = self._bindings.get(size) or self._runner.bind(size)
        return self._bindings[count]


def complete(ids: Sequence[int], responses: Responses) -> None:
    """Hand responses to LoadGen. It has copied what it wants to keep when this returns.

    Raises RunError where the bytes are not one response for each id.
    """
    data, sizes = responses.data, responses.sizes
    total = sizes * len(ids) if isinstance(sizes, int) else sum(sizes)
    if total != data.nbytes or not data.flags.c_contiguous or (not isinstance(sizes, int) and len(sizes) != len(ids)):
        raise RunError(
            f"the task answered {len(ids)} samples with {data.nbytes} bytes in sizes of {sizes}",
            "this is a fault of the task or of the model's outputs: check the names of the outputs",
        )
    first = data.ctypes.data
    if isinstance(sizes, int):
        made = map(
            lg.QuerySampleResponse, ids, range(first, first + total, sizes) if sizes else repeat(first), repeat(sizes)
        )
    else:
        made = map(lg.QuerySampleResponse, ids, accumulate(chain((first,), sizes)), sizes)
    lg.QuerySamplesComplete(list(made))


def _named(indices: Sequence[int]) -> str:
    shown = ", ".join(map(str, indices[:8])) + (", ..." if len(indices) > 8 else "")
    return f"sample{'s' if len(indices) > 1 else ''} {shown}"
