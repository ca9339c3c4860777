"""Every rule of the checker in one place, for documents, tests and screens.

The severity of a violation is defined by the round (`severity` in its file): what is a warning in one may be an error
in the next.
"""

from __future__ import annotations

from typing import NamedTuple


class CheckerRule(NamedTuple):
    """Summary of a rule, and the remedy for its violation."""

    meaning: str
    remedy: str


_AGAIN = "run the performance mode again with the round's settings"
_ACCURACY_AGAIN = "run the accuracy mode again over the full data set and score it"
_RENAME = "rename or remove it"
_WHOLE = "truncate again, with the full copies that it kept: inferdeck submission truncate TREE --backup=DIR"
CUT = (
    "a truncated log can't be hashed: name the folder of the full copies, "
    "inferdeck submission truncate TREE --backup=DIR, or restore the full log and truncate"
)
"""Remedy where the hash is missing next to a truncated log."""

RULES: dict[str, CheckerRule] = {
    # The tree
    "layout.no_results": CheckerRule(
        "a tree holds at least one result", "give the folder that holds closed/, open/ or network/"
    ),
    "layout.division": CheckerRule(
        "the top folders are divisions", "rename it to closed, open or network, or move it away"
    ),
    "layout.root_file": CheckerRule("only folders and documents are beside the divisions", "move it away"),
    "layout.division_file": CheckerRule("a division holds folders of submitters only", "move it away"),
    "layout.submitter": CheckerRule("a submitter's folder holds results", "add results/ or remove the folder"),
    "layout.unused": CheckerRule(
        "descriptions, measurements and compliance belong to results", "remove what has no results"
    ),
    "layout.unreadable": CheckerRule("every file and folder can be read", "fix its permissions or copy it again"),
    "layout.special_file": CheckerRule("only plain files and folders can be submitted", _RENAME),
    "layout.symlink": CheckerRule("a tree holds no symbolic links", "put the file itself in the link's place"),
    "layout.name": CheckerRule("every name is UTF-8, without blanks, not __pycache__, and begins with no dot", _RENAME),
    "layout.empty_folder": CheckerRule("no folder is empty", "fill or remove it"),
    "layout.large_file": CheckerRule("no file is over 50 MB", "leave it out, or truncate the accuracy log"),
    "layout.calibration": CheckerRule(
        "a submitter describes the calibration", "write calibration.md, from which closed can be repeated"
    ),
    # System description
    "system.missing": CheckerRule(
        "every system with results has a description", "write systems/<system>.json: inferdeck system new"
    ),
    "system.json": CheckerRule("a description is a JSON object", "fix the file: it must be one JSON object"),
    "system.status": CheckerRule("the status is known", "write available, preview or rdi"),
    "system.type": CheckerRule(
        "the system type is known, letter by letter",
        'write "datacenter", "edge" or "datacenter,edge", without a blank after the comma',
    ),
    "system.submitter": CheckerRule("the submitter is the folder's", "write the name of the submitter's folder"),
    "system.division": CheckerRule("the division is the folder's", "write the name of the division's folder"),
    "system.network": CheckerRule(
        "only the network division takes network systems", "fix is_network, a string, or move the system"
    ),
    "system.field_missing": CheckerRule("every required field is there", "add the fields; an empty value is accepted"),
    "system.field_text": CheckerRule("text fields are strings", "put the value in quotes"),
    "system.field_unknown": CheckerRule("every field is one of the rules'", "correct its spelling or remove it"),
    "system.field_empty": CheckerRule("no required field is empty", "fill it in; N/A where it does not apply"),
    "system.field_meaningful": CheckerRule(
        "fields that have to mean something are not empty", 'fill them in, a 0 as "0"'
    ),
    "system.field_number": CheckerRule("counts are whole numbers", "write a whole number, 0 where there is none"),
    # Model and scenario folders
    "model.unknown": CheckerRule(
        "a model folder belongs to a benchmark of the round", "name the folder after its benchmark"
    ),
    "model.category": CheckerRule(
        "the benchmark exists in the system's category", "fix system_type or leave this model out"
    ),
    "model.alias": CheckerRule("a model folder has its benchmark's own name", "name the folder as the rules do"),
    "model.mapping": CheckerRule(
        "a submitter's own model mapping can be read", "write a JSON object: folder to benchmark"
    ),
    "scenario.unknown": CheckerRule(
        "a scenario folder has a scenario's name", "name it Offline, Server, SingleStream or MultiStream"
    ),
    "scenario.extra": CheckerRule(
        "closed and network hold the required scenarios only", "remove the folder or fix system_type"
    ),
    "scenario.missing": CheckerRule(
        "closed and network hold every required scenario", "run it, or infer it from SingleStream on edge"
    ),
    # Measurements
    "measurements.missing": CheckerRule("every result has measurements", "add the folder, spelled as under results/"),
    "measurements.file_missing": CheckerRule(
        "the configuration files and README are there", "copy in the files that the run used"
    ),
    "measurements.file_empty": CheckerRule("no measurements file is empty", "copy in the files that the run used"),
    "measurements.json_missing": CheckerRule(
        "a JSON file describes the measured model", "write <system>_<implementation>_<scenario>.json"
    ),
    "measurements.json": CheckerRule("that file is JSON", "fix the file: it must be one JSON object"),
    "measurements.field_missing": CheckerRule("it has every required field", "add the fields"),
    "measurements.field_empty": CheckerRule("none of its fields is empty", "fill them in"),
    "measurements.code": CheckerRule("the code of the implementation is there", "add code/<model>/<implementation>"),
    "measurements.calibration": CheckerRule("the calibration process is described", "add calibration_process.adoc"),
    "measurements.power": CheckerRule(
        "the power meter's settings are there", "add analyzer_table.* and power_settings.* to the measurements"
    ),
    # Accuracy
    "accuracy.missing": CheckerRule("accuracy.txt is there", _ACCURACY_AGAIN),
    "accuracy.text": CheckerRule("accuracy.txt is text in UTF-8", "rewrite it: score the full accuracy log"),
    "accuracy.value_missing": CheckerRule("accuracy.txt has the accuracy at the beginning of a line", _ACCURACY_AGAIN),
    "accuracy.value": CheckerRule("the accuracy is a number", _ACCURACY_AGAIN),
    "accuracy.target": CheckerRule(
        "closed and network reach the accuracy target", "use weights that do, or submit to open"
    ),
    "accuracy.hash_missing": CheckerRule(
        "accuracy.txt has the hash of the full log, on a separate line", "truncate: inferdeck submission truncate"
    ),
    "accuracy.hash_twice": CheckerRule("accuracy.txt gives one hash", "keep the line of the full log"),
    "accuracy.hash_wrong": CheckerRule("the hash is the SHA-256 of the full log", _WHOLE),
    "accuracy.log_missing": CheckerRule("the accuracy log is there", _ACCURACY_AGAIN),
    "accuracy.log_size": CheckerRule("the accuracy log is truncated", "truncate: inferdeck submission truncate"),
    "accuracy.log_empty": CheckerRule("the accuracy log holds responses", _ACCURACY_AGAIN),
    "accuracy.detail_missing": CheckerRule("the accuracy run's detail log is there", _ACCURACY_AGAIN),
    "accuracy.no_messages": CheckerRule("that log holds LoadGen's messages", "put the log there as LoadGen wrote it"),
    "accuracy.detail_line": CheckerRule(
        "every message of that log can be read", "copy the log again, or " + _ACCURACY_AGAIN
    ),
    "accuracy.detail_error": CheckerRule("LoadGen reported no error in the accuracy run", _ACCURACY_AGAIN),
    "accuracy.files": CheckerRule(
        "the accuracy folder holds exactly its files", "add what is missing, remove what is not expected"
    ),
    "accuracy.mode": CheckerRule("the accuracy log is of an accuracy run", _ACCURACY_AGAIN),
    "accuracy.scenario": CheckerRule(
        "the accuracy log is of the folder's scenario", "put the log of that scenario there"
    ),
    "accuracy.samples": CheckerRule("the accuracy run covers the full data set", _ACCURACY_AGAIN),
    "accuracy.data_set": CheckerRule("the data set is the benchmark's", "name the data set in the README"),
    "accuracy.build": CheckerRule("both modes ran with the same LoadGen", "run both modes with one build"),
    "accuracy.samples_shown": CheckerRule(
        "the outputs for the given samples are there", "add these files to the folder"
    ),
    # Performance, also of compliance runs
    "performance.missing": CheckerRule("the performance run is there", _AGAIN),
    "performance.no_messages": CheckerRule(
        "the detail log holds LoadGen's messages",
        "put the log there as LoadGen wrote it: unpacked, in its own encoding",
    ),
    "performance.line": CheckerRule("every message of the detail log can be read", "copy the log again, or " + _AGAIN),
    "performance.value": CheckerRule("the detail log holds every required message", _AGAIN),
    "performance.validity": CheckerRule("LoadGen calls the run valid", "read result_invalid_reason and run again"),
    "performance.validity_twice": CheckerRule(
        "LoadGen's verdicts on validity agree", "give each run a folder of its own"
    ),
    "performance.error_message": CheckerRule("LoadGen reported no error", "fix what the message says and run again"),
    "performance.sample_count": CheckerRule("a run draws from enough samples", "raise performance_sample_count"),
    "performance.sample_count_above": CheckerRule(
        "a run draws from no more samples than there are", "lower performance_sample_count"
    ),
    "performance.seed": CheckerRule("the seeds are the round's", "use the round's mlperf.conf"),
    "performance.early_stopping": CheckerRule("the early stopping test is met", "run longer, or at a lower target"),
    "performance.target_latency": CheckerRule(
        "Server's latency target is within the latency constraint", "use the round's mlperf.conf"
    ),
    "performance.latency": CheckerRule(
        "Server's measured 99th percentile is within the latency constraint", "lower target_qps"
    ),
    "performance.min_query_count": CheckerRule("Offline issues a query", "use the round's mlperf.conf"),
    "performance.samples_per_query": CheckerRule(
        "Offline's query has enough samples", "use the round's mlperf.conf; raise target_qps"
    ),
    "performance.min_duration": CheckerRule(
        "the run must last at least the minimum duration", "use the round's mlperf.conf"
    ),
    "performance.network_name": CheckerRule("a network system's SUT name says so", "name the SUT '... (Network SUT)'"),
    "performance.files": CheckerRule(
        "a run's folder holds exactly its files", "add what is missing, remove what is not expected"
    ),
    "performance.scenario": CheckerRule(
        "a log is of the folder's scenario, or of one that it can be inferred from",
        "put the log of that scenario there",
    ),
    "performance.test_mode": CheckerRule("a performance log is of a performance run", _AGAIN),
    "performance.extra_run": CheckerRule("there is one run", "remove the others: only run_1 counts"),
    "performance.summary": CheckerRule(
        "the summary agrees with the detail log", "put both files of the same run there"
    ),
    "performance.metric": CheckerRule("the result is a number above zero", _AGAIN),
    "performance.inferred_samples": CheckerRule(
        "SingleStream ran long enough to infer MultiStream",
        "run more queries, so that LoadGen estimates the 99th percentile",
    ),
    "performance.inferred_category": CheckerRule("only edge systems infer results", "run the scenario itself"),
    "performance.refused": CheckerRule(
        "the official checker can judge this scenario of the benchmark", "leave the scenario out: it will be refused"
    ),
    "performance.equal_issue": CheckerRule(
        "every sample is issued equally often", "use the round's mlperf.conf: sample_concatenate_permutation = 1"
    ),
    "performance.no_token_latencies": CheckerRule(
        "LoadGen measured the latencies of tokens", "use the round's mlperf.conf: use_token_latencies = 1"
    ),
    "performance.token_latency": CheckerRule(
        "the latencies of tokens are within their constraints", "lower target_qps"
    ),
    "performance.warning": CheckerRule("LoadGen had no warnings", "read them in the detail log"),
    "performance.other_line": CheckerRule("a detail log holds LoadGen's messages only", "write other output elsewhere"),
    # Compliance
    "compliance.missing": CheckerRule(
        "closed and network results have compliance runs", "run the tests; spell the folder as under results/"
    ),
    "compliance.test_missing": CheckerRule("every required test is there", "run the test"),
    "compliance.verify_performance": CheckerRule(
        "verify_performance.txt says TEST PASS", "verify the run, or run the test again"
    ),
    "compliance.run_missing": CheckerRule("the test's run is there", "run the test"),
    "compliance.files": CheckerRule(
        "the run's folder holds exactly its files", "add what is missing, remove what is not expected"
    ),
    "compliance.verify_accuracy": CheckerRule(
        "TEST01 has verify_accuracy.txt", "verify the run, or run the test again"
    ),
    "compliance.accuracy_missing": CheckerRule(
        "TEST01 has an accuracy folder", "verify the run, or run the test again"
    ),
    "compliance.accuracy_files": CheckerRule(
        "TEST01's accuracy folder holds exactly its files", "add what is missing, remove what is not expected"
    ),
    "compliance.accuracy_value": CheckerRule(
        "both accuracies can be read where the responses differ", "score both logs again"
    ),
    "compliance.accuracy_differs": CheckerRule(
        "both accuracies are close to each other", "find why responses differ between modes"
    ),
    "compliance.log_size": CheckerRule("TEST01's accuracy log is truncated", "truncate: inferdeck submission truncate"),
    "compliance.hash_missing": CheckerRule(
        "TEST01's accuracy.txt has the hash of the full log", "truncate: inferdeck submission truncate"
    ),
    "compliance.hash_wrong": CheckerRule("that hash is the SHA-256 of the full log", _WHOLE),
    "compliance.settings": CheckerRule(
        "the run was made with the test's audit.config", "run the test with its audit.config"
    ),
    "compliance.performance_differs": CheckerRule(
        "the test's score is close to the result's", "run the test again on an idle system"
    ),
    "compliance.output": CheckerRule("the test's script printed that it passed", "run the test and its script again"),
    # Power
    "power.files": CheckerRule(
        "the folders of a power run hold exactly their files", "add what is missing, remove what is not expected"
    ),
    "power.ranging_missing": CheckerRule("the ranging run is there", "add performance/ranging"),
    "power.window": CheckerRule(
        "the detail log has the times of the power measurement", "run again with the power client"
    ),
    "power.sample_line": CheckerRule("every line of spl.txt is a sample", "copy the file again"),
    "power.no_samples": CheckerRule("power was measured during the run", "check that both clocks are in UTC"),
    "power.query_count": CheckerRule("the detail log has the number of queries for the energy", "run again"),
}
"""Rules by id. The part before the dot is the concern, which is the module that applies the rule."""
