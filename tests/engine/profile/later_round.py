"""A synthetic round with features of rounds after v2.1, made of v2.1 by changing a few lines."""

from __future__ import annotations

from pathlib import Path

import profiles
from engine.profile.round_file import load_round
from engine.profile.rounds import Round

V2_1 = profiles.FOLDER / "rounds" / "v2.1.yaml"

CHANGES = {
    "name: v2.1": "name: later",
    """      datacenter: [Server, Offline]
      edge: [SingleStream, MultiStream, Offline]
    dataset: OpenImages v6 MLPerf validation""": """      datacenter: [Offline]
      edge: [Offline]
    one_of: {edge: [SingleStream, MultiStream], datacenter: [Server, SingleStream]}
    optional: {edge: [Server]}
    in_scenario:
      Offline: {min_sample_count: 5000, min_duration_ms: 60000}
      Server: {accuracy: [{metric: mAP, reference: 40, share: 0.5}]}
    dataset: OpenImages v6 MLPerf validation""",
    "    accuracy: [{metric: mAP, reference: 37.55, share: 0.99}]\n    compliance: [TEST01, TEST05]": """    accuracy:
      - {metric: mAP, reference: 37.55, share: 0.99}
      - {metric: BOXES, reference: 20, share: 0.9, upper_share: 1.1, baseline_percent: 2}
    compliance: [TEST01, TEST06]""",
    "accuracy_lines:\n": "accuracy_lines:\n  BOXES: {line: 'boxes=([\\d.]+)', unit: ' per image'}\n",
    "  TEST04:\n": "  TEST06: {title: the responses are whole, accuracy: true}\n  TEST04:\n",
}
"""Text of v2.1 → text of the later round."""


def later_round(folder: Path, **changes: str) -> Round:
    """Load the round from a file in `folder`; `changes` are made to its text as well."""
    return load_round(write(folder, **changes))


def write(folder: Path, **changes: str) -> Path:
    """Write the round's file."""
    text = V2_1.read_text()
    for old, new in (*CHANGES.items(), *changes.items()):
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    path = folder / "later.yaml"
    path.write_text(text)
    return path
