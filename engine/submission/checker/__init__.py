"""The checker: what the official one of a round would say of a submission tree, and what it would not see.

check       the whole of it: a tree and the rules of a round in, a report out
rules       every rule: what it means and how to mend its faults
findings    the frozen records that come out
folders     directories as they are, safely      log         detail logs, fast
walk        divisions, submitters, systems       workers     more than one process for a large tree
system, measurements, performance, accuracy, compliance, power, summary: one concern each
report      the same as JSON and as the official summary's CSV
"""
