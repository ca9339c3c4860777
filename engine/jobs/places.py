"""Names of the files in a job's folder."""

from typing import Final

PLAN: Final = "plan.json"
"""The job's specification (engine.jobs.job_spec), written once."""
EVENTS: Final = "events.jsonl"
"""The event log (engine.events): one writer, any number of readers."""
LOCK: Final = "run.lock"
"""Locked for as long as the job lives."""
LOG: Final = "job.log"
"""Output of the job's process itself, mainly tracebacks."""
FINISHED: Final = "finished.json"
"""In the folder of a step that belongs to the job: marks it as finished, with its facts."""
NOW = "now"
"""Created in the folder of a job that waits for another one's measurement, to make it measure at once."""
