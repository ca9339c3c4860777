"""`inferdeck bundle`: write everything that a plan fetches into one archive, for a machine without a network."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from engine.cli import arguments as words
from engine.cli import output
from engine.cli.prepare import prepare_words
from engine.cli.run import follow
from engine.cli.screen import Screen
from engine.errors import JobError
from engine.jobs import bundle, control, preparation
from engine.steps.machine.environment import download_wheels
from engine.store.files import sha256_of
from engine.survey.package_check import STEP
from engine.survey.prepare import Prepared, refuse
from engine.text import shell_line, size, whole_path


def bundle_command(asked: words.Words) -> int:
    """Fetch what is not in the store yet, and write the archive; exit status 0, or that of the job that fetches."""
    prepared = prepare_words(asked)
    refuse(prepared)
    downloads, environments = bundle.fetched_nodes(prepared, STEP)
    prepared = _fetched(prepared, downloads, asked)
    out = whole_path(asked.values.get("out", "bundle.tar"))
    with TemporaryDirectory() as folder:
        for name in environments:
            node = prepared.plan.nodes[name]
            if not asked.flags & {"quiet", "json"}:
                Screen().line(f"fetching the packages of {node.title}", "dim")
            download_wheels(node.values(), node.version_range, Path(folder))
        contents = bundle.write(prepared, downloads, Path(folder), out)
    _report(prepared, contents, out, as_json="json" in asked.flags)
    return 0


def _fetched(prepared: Prepared, downloads: list[str], asked: words.Words) -> Prepared:
    """Run a job that downloads what the store lacks; returns the plan with it. Raises JobError where it fails."""
    missing = [name for name in downloads if prepared.seen.seen[name].state != "cached"]
    if not missing:
        return prepared
    job, _ = control.begin(prepared.workplace.folders, preparation.fetching(prepared, missing))
    quiet = bool(asked.flags & {"quiet", "json"})
    if follow(Screen(), job, attempt=job.attempts, plain="plain" in asked.flags, quiet=quiet, report=False):
        raise JobError(f"{job.id} did not fetch everything", f"inferdeck attach {job.id} shows why")
    return prepare_words(asked)


def _report(prepared: Prepared, contents: bundle.Contents, out: Path, *, as_json: bool) -> None:
    bytes_, sha256, local = out.stat().st_size, sha256_of(out), bundle.local_inputs(prepared)
    if as_json:
        output.write_json(
            {
                "file": str(out),
                "bytes": bytes_,
                "sha256": sha256,
                "entries": list(contents.entries),
                "wheels": contents.wheels,
                "local_inputs": [path for _, path in local],
            }
        )
        return
    screen = Screen()
    parts = [f"{len(contents.entries)} downloads", f"{len(contents.wheels)} wheels"]
    screen.line(f"{out}: {', '.join(parts)}, {size(bytes_)}", "good")
    screen.line(f"sha256 {sha256}", "dim")
    if contents.wheels:
        screen.line(f"its wheels are for {contents.machine}", "dim")
    for title, path in local:
        screen.line(f"not in it, give it there as well: {title}, {path}", "todo")
    screen.line(f"there: {shell_line(('inferdeck', 'run', f'--bundle={out.name}'))}")
