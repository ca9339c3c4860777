"""What each step is, and why it is there: the words of the guide."""

from __future__ import annotations

from typing import NamedTuple


class Text(NamedTuple):
    """The words of a step."""

    title: str
    what: str
    why: str
    long: str
    """For `w`: the whole story."""


TEXTS = {
    "offer": Text(
        "What will you submit",
        "Choose what goes through the steps. The first practice shows all of them in about two minutes.",
        "Division and category decide what the rules ask for: scenarios, accuracy, compliance tests.",
        "MLPerf compares systems by fixed rules. The division closed compares machines: same model, same data, an "
        "accuracy to reach, and compliance tests. The division open shows ideas: another model, fewer bits, no "
        "accuracy to reach. The category says where such a system works: edge answers single requests, a datacenter "
        "answers many at a time. Each category has its own scenarios.\n\nA practice does everything for real, with a "
        "model that is so small that it takes no time. It can't be handed in, and every file of it says so.",
    ),
    "describe": Text(
        "Describe the system",
        "A form with the fields of the rules. What this machine tells of itself is filled in.",
        "Readers of a result want to know what was measured. The checker refuses a few empty fields.",
        "Every result belongs to a description: who hands it in, what machine it is, what software ran. Fields that "
        "can be read off this machine are read; nothing is invented. Four fields are yours to say, and the form says "
        "at once whether the checker would take them. Any other field may stay empty: the checker prints a warning "
        "and accepts. Write N/A where a field does not apply.\n\nThe form writes a file of your own, "
        "profiles/systems/NAME.yaml. Edit it with anything you like.",
    ),
    "get": Text(
        "Get model and data",
        "Fetches, builds and converts what the runs need, and keeps it. Nothing is measured yet.",
        "A run that waits for a download measures nothing; and a broken file is found now, not after an hour.",
        "Model, data set and preprocessed data are kept in the store under a checksum of all they were made from. The "
        "next job finds them there. If this is interrupted, it goes on where it stopped.",
    ),
    "try": Text(
        "Try it",
        "One scenario, Offline, for a few seconds, with its accuracy.",
        "What is wrong with the model or the data shows in seconds rather than at the end of the long runs.",
        "Offline hands all samples over at once; it is the scenario that shows the speed of a machine most plainly. "
        "The accuracy run looks at every sample once. If that accuracy is far from what it should be, the "
        "preprocessing or the labels do not belong to the model.",
    ),
    "preflight": Text(
        "Look ahead",
        "Lists what the checker would refuse and what can be known of it now.",
        "The runs are long. What would be refused afterwards is better mended before.",
        "An error is what the official checker would refuse, a warning what it accepts and prints, a note is good to "
        "know. A practice shows its own reasons here: they are expected, and there is nothing to mend.",
    ),
    "runs": Text(
        "The runs",
        "Every scenario in performance and accuracy mode, and compliance tests where the division wants them.",
        "These are the numbers. LoadGen, the load generator of the rules, decides which of them are valid.",
        "One job does it all, one run after another, for two runs side by side would measure each other. The job does "
        "not depend on this window: close it, lose the connection, come back. If it stops, the same key goes on "
        "where it stopped, and what is finished is kept.",
    ),
    "check": Text(
        "Check",
        "The tree as it would be handed in, looked at by the rules of the round.",
        "What the official checker refuses is not published. This checker also sees what that one misses.",
        "The job has built a folder in the layout of the rules: results, measurements, descriptions, code. Accuracy "
        "logs are cut to what the rules allow; whole copies stay beside. Error: refused. Warning: accepted and "
        "printed. Note: worth knowing. Beside each finding stands the key that mends it, where that can be done here, "
        "or why it is as it must be.",
    ),
    "pack": Text(
        "Pack",
        "One zip file with the checked tree. The same tree always gives the same bytes.",
        "It is what you hand in, or what a colleague can repeat: commands, versions and checksums are inside.",
        "A demonstration, a stand-in and a short run go only into a tree that says so at its root, so that nobody "
        "takes it for a result. A description of another machine, or another's name, stops the packing.",
    ),
    "send": Text(
        "Send it to MLCommons",
        "This one is yours: nothing is ever sent from here.",
        "Results are published after a review by the other submitters.",
        "Submitters are members of MLCommons or have signed its agreement. Submitting goes through the page of the "
        "working group of MLPerf Inference: you upload the tree, the official checker runs on it, and a review "
        "follows, in which other submitters may ask and object. Only then is a number an MLPerf result. See "
        "mlcommons.org, Inference working group.",
    ),
}
"""By step, in their order."""

STEPS = tuple(TEXTS)
