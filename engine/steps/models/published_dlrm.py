"""The rules' DLRM as it is published in ONNX: a graph with its tables in files beside it, which are never loaded."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import onnx
from google.protobuf.message import DecodeError

from engine.errors import DataError
from engine.formats import onnx_files
from engine.networks.dlrm_checkpoint import common_facts
from engine.step import Options, Step
from engine.steps.download import download
from engine.tasks.dlrm_form import Form, published_form
from engine.text import clean

_WHOLE = "give the published files, whole: fetch them again"


class PublishedOptions(Options, frozen=True, kw_only=True):
    """Where the ONNX files are."""

    max_ind_range: int
    path: str | None
    url: tuple[str, ...]


def published(step: Step) -> dict[str, Any]:
    """Fetch and unpack the ONNX files, or use those of option `path` in place.

    Facts beside the usual: `shared_bytes`. Raises DataError where there is no such graph, a file beside it is missing
    or cut, or it has other tables than the model of `max_ind_range`.
    """
    options = step.read_options(PublishedOptions)
    if options.path:
        found = Path(options.path).expanduser().absolute()
    else:
        download(step)
        found = step.output
    path = _graph(found)
    tables = _checked(path, published_form(options.max_ind_range))
    return {
        "model": str(path) if options.path else path.relative_to(step.output).as_posix(),
        "sha256": onnx_files.checksum(path),
        "outputs": [],
        "starting_weights_filename": options.url[0],
        "weight_transformations": "none",
        "shared_bytes": tables,
        **common_facts(),
    }


def _graph(found: Path) -> Path:
    """Return the one ONNX file that is given, or in the folder."""
    if found.is_file():
        return found
    graphs = sorted(found.rglob("*.onnx"))
    if len(graphs) != 1:
        names = ", ".join(clean(one.name) for one in graphs[:5])
        what = f"{clean(str(found))} has {len(graphs)} ONNX files{': ' + names if names else ''}"
        raise DataError(what, "give the file of the model, with its tables beside it")
    return graphs[0]


def _checked(path: Path, expected: Form) -> int:
    """Return the bytes of the tables beside a graph. Raises DataError if they are not those of a form."""
    files = onnx_files.files(path)
    try:
        graph = onnx.load(str(path), load_external_data=False).graph
    except DecodeError:
        raise DataError(f"{clean(str(path))} is not an ONNX model", _WHOLE) from None
    shapes = [tuple(one.dims) for one in graph.initializer]
    missing = [(rows, expected.width) for rows in expected.tables if (rows, expected.width) not in shapes]
    if missing:
        what = f"{clean(str(path))} has no table of {missing[0][0]:,} rows of {missing[0][1]} numbers"
        raise DataError(f"{what}: it is not the model of this max_ind_range", _WHOLE)
    beside = sum(one.stat().st_size for one in files[1:])
    return min(beside, expected.table_bytes)
