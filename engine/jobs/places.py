"""Names of the files in a job's folder."""

from typing import Final

PLAN: Final = "plan.json"
"""What the job is told (engine.jobs.job_spec), written once."""
EVENTS: Final = "events.jsonl"
"""What it says (engine.events), one writer and any number of readers."""
LOCK: Final = "run.lock"
"""Held for as long as the job lives."""
LOG: Final = "job.log"
"""What its process writes by itself: a traceback, in the main."""
FINISHED: Final = "finished.json"
"""In the folder of a step that belongs to the job: it has ended, and this came of it."""
NOW = "now"
"""A file in the folder of a job that waits for another one's measurement: a person has it measure at once."""
