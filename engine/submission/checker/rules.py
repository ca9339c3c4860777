"""Every rule of the checker in one place, for documents, tests and screens.

The severity of a violation is defined by the round (`severity` in its file): what is a warning in one may be an error
in the next.
"""

from __future__ import annotations

from typing import NamedTuple


class Rule(NamedTuple):
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

RULES: dict[str, Rule] = {
    # The tree
    "layout.no_results": Rule(
        "a tree holds at least one result", "give the folder that holds closed/, open/ or network/"
    ),
    "layout.division": Rule("the top folders are divisions", "rename it to closed, open or network, or move it away"),
    "layout.root_file": Rule("only folders and documents are beside the divisions", "move it away"),
    "layout.division_file": Rule("a division holds folders of submitters only", "move it away"),
    "layout.submitter": Rule("a submitter's folder holds results", "add results/ or remove the folder"),
    "layout.unused": Rule("descriptions, measurements and compliance belong to results", "remove what has no results"),
    "layout.unreadable": Rule("every file and folder can be read", "fix its permissions or copy it again"),
    "layout.special_file": Rule("only plain files and folders can be submitted", _RENAME),
    "layout.symlink": Rule("a tree holds no symbolic links", "put the file itself in the link's place"),
    "layout.name": Rule("every name is UTF-8, without blanks, not __pycache__, and begins with no dot", _RENAME),
    "layout.empty_folder": Rule("no folder is empty", "fill or remove it"),
    "layout.large_file": Rule("no file is over 50 MB", "leave it out, or truncate the accuracy log"),
    "layout.calibration": Rule(
        "a submitter describes the calibration", "write calibration.md, from which closed can be repeated"
    ),
    # System description
    "system.missing": Rule(
        "every system with results has a description", "write systems/<system>.json: inferdeck system new"
    ),
    "system.json": Rule("a description is a JSON object", "fix the file: it must be one JSON object"),
    "system.status": Rule("the status is known", "write available, preview or rdi"),
    "system.type": Rule(
        "the system type is known, letter by letter",
        'write "datacenter", "edge" or "datacenter,edge", without a blank after the comma',
    ),
    "system.submitter": Rule("the submitter is the folder's", "write the name of the submitter's folder"),
    "system.division": Rule("the division is the folder's", "write the name of the division's folder"),
    "system.network": Rule(
        "only the network division takes network systems", "fix is_network, a string, or move the system"
    ),
    "system.field_missing": Rule("every required field is there", "add the fields; an empty value is accepted"),
    "system.field_text": Rule("text fields are strings", "put the value in quotes"),
    "system.field_unknown": Rule("every field is one of the rules'", "correct its spelling or remove it"),
    "system.field_empty": Rule("no required field is empty", "fill it in; N/A where it does not apply"),
    "system.field_meaningful": Rule("fields that have to mean something are not empty", 'fill them in, a 0 as "0"'),
    "system.field_number": Rule("counts are whole numbers", "write a whole number, 0 where there is none"),
    # Model and scenario folders
    "model.unknown": Rule("a model folder belongs to a benchmark of the round", "name the folder after its benchmark"),
    "model.category": Rule("the benchmark exists in the system's category", "fix system_type or leave this model out"),
    "model.alias": Rule("a model folder has its benchmark's own name", "name the folder as the rules do"),
    "model.mapping": Rule("a submitter's own model mapping can be read", "write a JSON object: folder to benchmark"),
    "scenario.unknown": Rule(
        "a scenario folder has a scenario's name", "name it Offline, Server, SingleStream or MultiStream"
    ),
    "scenario.extra": Rule(
        "closed and network hold the required scenarios only", "remove the folder or fix system_type"
    ),
    "scenario.missing": Rule(
        "closed and network hold every required scenario", "run it, or infer it from SingleStream on edge"
    ),
    # Measurements
    "measurements.missing": Rule("every result has measurements", "add the folder, spelled as under results/"),
    "measurements.file_missing": Rule(
        "the configuration files and README are there", "copy in the files that the run used"
    ),
    "measurements.file_empty": Rule("no measurements file is empty", "copy in the files that the run used"),
    "measurements.json_missing": Rule(
        "a JSON file describes the measured model", "write <system>_<implementation>_<scenario>.json"
    ),
    "measurements.json": Rule("that file is JSON", "fix the file: it must be one JSON object"),
    "measurements.field_missing": Rule("it has every required field", "add the fields"),
    "measurements.field_empty": Rule("none of its fields is empty", "fill them in"),
    "measurements.code": Rule("the code of the implementation is there", "add code/<model>/<implementation>"),
    "measurements.calibration": Rule("the calibration process is described", "add calibration_process.adoc"),
    "measurements.power": Rule(
        "the power meter's settings are there", "add analyzer_table.* and power_settings.* to the measurements"
    ),
    # Accuracy
    "accuracy.missing": Rule("accuracy.txt is there", _ACCURACY_AGAIN),
    "accuracy.text": Rule("accuracy.txt is text in UTF-8", "rewrite it: score the full accuracy log"),
    "accuracy.value_missing": Rule("accuracy.txt has the accuracy at the beginning of a line", _ACCURACY_AGAIN),
    "accuracy.value": Rule("the accuracy is a number", _ACCURACY_AGAIN),
    "accuracy.target": Rule("closed and network reach the accuracy target", "use weights that do, or submit to open"),
    "accuracy.hash_missing": Rule(
        "accuracy.txt has the hash of the full log, on a separate line", "truncate: inferdeck submission truncate"
    ),
    "accuracy.hash_twice": Rule("accuracy.txt gives one hash", "keep the line of the full log"),
    "accuracy.hash_wrong": Rule("the hash is the SHA-256 of the full log", _WHOLE),
    "accuracy.log_missing": Rule("the accuracy log is there", _ACCURACY_AGAIN),
    "accuracy.log_size": Rule("the accuracy log is truncated", "truncate: inferdeck submission truncate"),
    "accuracy.log_empty": Rule("the accuracy log holds responses", _ACCURACY_AGAIN),
    "accuracy.detail_missing": Rule("the accuracy run's detail log is there", _ACCURACY_AGAIN),
    "accuracy.no_messages": Rule("that log holds LoadGen's messages", "put the log there as LoadGen wrote it"),
    "accuracy.detail_line": Rule("every message of that log can be read", "copy the log again, or " + _ACCURACY_AGAIN),
    "accuracy.detail_error": Rule("LoadGen reported no error in the accuracy run", _ACCURACY_AGAIN),
    "accuracy.files": Rule(
        "the accuracy folder holds exactly its files", "add what is missing, remove what is not expected"
    ),
    "accuracy.mode": Rule("the accuracy log is of an accuracy run", _ACCURACY_AGAIN),
    "accuracy.scenario": Rule("the accuracy log is of the folder's scenario", "put the log of that scenario there"),
    "accuracy.samples": Rule("the accuracy run covers the full data set", _ACCURACY_AGAIN),
    "accuracy.data_set": Rule("the data set is the benchmark's", "name the data set in the README"),
    "accuracy.build": Rule("both modes ran with the same LoadGen", "run both modes with one build"),
    "accuracy.samples_shown": Rule("the outputs for the given samples are there", "add these files to the folder"),
    # Performance, also of compliance runs
    "performance.missing": Rule("the performance run is there", _AGAIN),
    "performance.no_messages": Rule(
        "the detail log holds LoadGen's messages",
        "put the log there as LoadGen wrote it: unpacked, in its own encoding",
    ),
    "performance.line": Rule("every message of the detail log can be read", "copy the log again, or " + _AGAIN),
    "performance.value": Rule("the detail log holds every required message", _AGAIN),
    "performance.validity": Rule("LoadGen calls the run valid", "read result_invalid_reason and run again"),
    "performance.validity_twice": Rule("LoadGen's verdicts on validity agree", "give each run a folder of its own"),
    "performance.error_message": Rule("LoadGen reported no error", "fix what the message says and run again"),
    "performance.sample_count": Rule("a run draws from enough samples", "raise performance_sample_count"),
    "performance.sample_count_above": Rule(
        "a run draws from no more samples than there are", "lower performance_sample_count"
    ),
    "performance.seed": Rule("the seeds are the round's", "use the round's mlperf.conf"),
    "performance.early_stopping": Rule("the early stopping test is met", "run longer, or at a lower target"),
    "performance.target_latency": Rule(
        "Server's latency target is within the latency constraint", "use the round's mlperf.conf"
    ),
    "performance.latency": Rule(
        "Server's measured 99th percentile is within the latency constraint", "lower target_qps"
    ),
    "performance.min_query_count": Rule("Offline issues a query", "use the round's mlperf.conf"),
    "performance.samples_per_query": Rule(
        "Offline's query has enough samples", "use the round's mlperf.conf; raise target_qps"
    ),
    "performance.min_duration": Rule("the run must last at least the minimum duration", "use the round's mlperf.conf"),
    "performance.network_name": Rule("a network system's SUT name says so", "name the SUT '... (Network SUT)'"),
    "performance.files": Rule(
        "a run's folder holds exactly its files", "add what is missing, remove what is not expected"
    ),
    "performance.scenario": Rule(
        "a log is of the folder's scenario, or of one that it can be inferred from",
        "put the log of that scenario there",
    ),
    "performance.test_mode": Rule("a performance log is of a performance run", _AGAIN),
    "performance.extra_run": Rule("there is one run", "remove the others: only run_1 counts"),
    "performance.summary": Rule("the summary agrees with the detail log", "put both files of the same run there"),
    "performance.metric": Rule("the result is a number above zero", _AGAIN),
    "performance.inferred_samples": Rule(
        "SingleStream ran long enough to infer MultiStream",
        "run more queries, so that LoadGen estimates the 99th percentile",
    ),
    "performance.inferred_category": Rule("only edge systems infer results", "run the scenario itself"),
    "performance.refused": Rule(
        "the official checker can judge this scenario of the benchmark", "leave the scenario out: it will be refused"
    ),
    "performance.equal_issue": Rule(
        "every sample is issued equally often", "use the round's mlperf.conf: sample_concatenate_permutation = 1"
    ),
    "performance.no_token_latencies": Rule(
        "LoadGen measured the latencies of tokens", "use the round's mlperf.conf: use_token_latencies = 1"
    ),
    "performance.token_latency": Rule("the latencies of tokens are within their constraints", "lower target_qps"),
    "performance.warning": Rule("LoadGen had no warnings", "read them in the detail log"),
    "performance.other_line": Rule("a detail log holds LoadGen's messages only", "write other output elsewhere"),
    # Compliance
    "compliance.missing": Rule(
        "closed and network results have compliance runs", "run the tests; spell the folder as under results/"
    ),
    "compliance.test_missing": Rule("every required test is there", "run the test"),
    "compliance.verify_performance": Rule(
        "verify_performance.txt says TEST PASS", "verify the run, or run the test again"
    ),
    "compliance.run_missing": Rule("the test's run is there", "run the test"),
    "compliance.files": Rule(
        "the run's folder holds exactly its files", "add what is missing, remove what is not expected"
    ),
    "compliance.verify_accuracy": Rule("TEST01 has verify_accuracy.txt", "verify the run, or run the test again"),
    "compliance.accuracy_missing": Rule("TEST01 has an accuracy folder", "verify the run, or run the test again"),
    "compliance.accuracy_files": Rule(
        "TEST01's accuracy folder holds exactly its files", "add what is missing, remove what is not expected"
    ),
    "compliance.accuracy_value": Rule(
        "both accuracies can be read where the responses differ", "score both logs again"
    ),
    "compliance.accuracy_differs": Rule(
        "both accuracies are close to each other", "find why responses differ between modes"
    ),
    "compliance.log_size": Rule("TEST01's accuracy log is truncated", "truncate: inferdeck submission truncate"),
    "compliance.hash_missing": Rule(
        "TEST01's accuracy.txt has the hash of the full log", "truncate: inferdeck submission truncate"
    ),
    "compliance.hash_wrong": Rule("that hash is the SHA-256 of the full log", _WHOLE),
    "compliance.settings": Rule("the run was made with the test's audit.config", "run the test with its audit.config"),
    "compliance.performance_differs": Rule(
        "the test's score is close to the result's", "run the test again on an idle system"
    ),
    "compliance.output": Rule("the test's script printed that it passed", "run the test and its script again"),
    # Power
    "power.files": Rule(
        "the folders of a power run hold exactly their files", "add what is missing, remove what is not expected"
    ),
    "power.ranging_missing": Rule("the ranging run is there", "add performance/ranging"),
    "power.window": Rule("the detail log has the times of the power measurement", "run again with the power client"),
    "power.sample_line": Rule("every line of spl.txt is a sample", "copy the file again"),
    "power.no_samples": Rule("power was measured during the run", "check that both clocks are in UTC"),
    "power.query_count": Rule("the detail log has the number of queries for the energy", "run again"),
}
"""Rules by id. The part before the dot is the concern, which is the module that applies the rule."""
