"""The submission checker: all rules of the official one of a round, and checks that it lacks.

check       entry point: a tree and the rules of a round in, a report out
rules       every rule: its meaning and the remedy
findings    the resulting frozen records
file_system safe access to directories      log         detail logs, fast
walk        divisions, submitters, systems       pool        several processes for a large tree
system, measurements, performance, accuracy, compliance, power, summary: one concern each
report      the same as JSON and as the official summary's CSV
"""
