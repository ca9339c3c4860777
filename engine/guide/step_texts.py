"""Titles and explanations of the guide's steps."""

from __future__ import annotations

from typing import NamedTuple


class Text(NamedTuple):
    """Texts of a step."""

    title: str
    what: str
    why: str
    long: str
    """Full explanation, shown for `w`."""


TEXTS = {
    "offer": Text(
        "What will you submit",
        "Choose what goes through the steps. The first practice shows all of them in about two minutes.",
        "Division and category decide what the rules ask for: scenarios, accuracy, compliance tests.",
        "MLPerf compares systems by fixed rules. The division closed compares machines: same model, same data, an "
        "accuracy to reach, and compliance tests. The division open shows ideas: another model, fewer bits, no "
        "accuracy to reach. The category says where such a system works: edge answers single requests, a datacenter "
        "answers many at a time. Each category has its own scenarios.\n\nA practice does everything for real, with a "
        "model so small that it runs in seconds. It can't be submitted, and every file of it says so.",
    ),
    "describe": Text(
        "Describe the system",
        "A form with the fields of the rules. What can be detected on this machine is filled in.",
        "Readers of a result want to know what was measured. The checker rejects a few empty fields.",
        "Every result belongs to a description: the submitter, the machine, the software. Fields that "
        "can be read off this machine are read; nothing is invented. Four fields only you know, and the form shows "
        "at once whether the checker would accept them. Any other field may stay empty: the checker prints a warning "
        "and accepts. Write N/A where a field does not apply.\n\nThe form writes a file of your own, "
        "profiles/systems/NAME.yaml. Edit it with anything you like.",
    ),
    "get": Text(
        "Get model and data",
        "Fetches, builds and converts what the runs need, and caches it. Nothing is measured yet.",
        "A run that waits for a download measures nothing; and a broken file is found now, not after an hour.",
        "Model, data set and preprocessed data are kept in the store under a checksum of all they were made from. The "
        "next job finds them there. If this is interrupted, it resumes where it stopped.",
    ),
    "try": Text(
        "Try it",
        "One scenario, Offline, for a few seconds, with its accuracy.",
        "What is wrong with the model or the data shows in seconds rather than at the end of the long runs.",
        "Offline issues all samples at once; it shows the throughput of a machine most directly. "
        "The accuracy run runs every sample once. If that accuracy is far from what it should be, the "
        "preprocessing or the labels do not belong to the model.",
    ),
    "preflight": Text(
        "Preflight",
        "Lists what the checker would reject, as far as it can be predicted.",
        "The runs are long. Fix now what the checker would reject later.",
        "An error is what the official checker would reject, a warning what it accepts and prints, a note is good to "
        "know. A practice shows errors here that are expected; there is nothing to fix.",
    ),
    "runs": Text(
        "The runs",
        "Every scenario in performance and accuracy mode, and compliance tests where the division requires them.",
        "These are the numbers. LoadGen, the load generator of the rules, decides which of them are valid.",
        "One job does it all, one run after another, since parallel runs would disturb each other. The job does "
        "not depend on this window: close it, lose the connection, come back. If it stops, the same key resumes it "
        "where it stopped, and what is finished is kept.",
    ),
    "check": Text(
        "Check",
        "Checks the tree, as it would be submitted, against the rules of the round.",
        "What the official checker rejects is not published. This checker also finds what that one misses.",
        "The job has built a folder in the layout of the rules: results, measurements, descriptions, code. Accuracy "
        "logs are cut to what the rules allow; full copies are kept outside. Error: rejected. Warning: accepted and "
        "printed. Note: worth knowing. Each finding shows the key that fixes it, where that can be done here, "
        "or why it is expected.",
    ),
    "pack": Text(
        "Pack",
        "One zip file with the checked tree. The same tree always gives the same bytes.",
        "It is what you submit, or give to a colleague to repeat: commands, versions and checksums are inside.",
        "A demonstration, synthetic weights and a short run go only into a tree marked as such at its root, so that "
        "nobody takes it for a result. A description of another machine, or another's name, stops the packing.",
    ),
    "send": Text(
        "Send it to MLCommons",
        "You do this yourself: inferdeck never sends anything.",
        "Results are published after a review by the other submitters.",
        "Submitters are members of MLCommons or have signed its agreement. Submitting goes through the page of the "
        "working group of MLPerf Inference: you upload the tree, the official checker runs on it, and a review "
        "follows, in which other submitters may ask and object. Only then is a number an MLPerf result. See "
        "mlcommons.org, Inference working group.",
    ),
}
"""Texts by step, in order."""

STEPS = tuple(TEXTS)
