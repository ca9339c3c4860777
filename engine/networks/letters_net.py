"""A small transducer of the generated speech: its sizes, and the trained weights that come with inferdeck.

With it speech recognition runs anywhere at once: nothing to fetch, nothing to train. It is built as the rules' RNN-T
is, of the same parts with the same alphabet and blank, only narrower. `tools/train_letters_net.py` trains it.
"""

from io import BytesIO
from typing import Any

import numpy as np

from engine.networks.shipped import contents
from engine.networks.transducer import TransducerConfig, build, checked, save
from engine.step import Step

FORM = TransducerConfig(encoder=112, before=1, after=1, prediction=48, prediction_layers=2, joint=96)

FILE = "letters-net.npz"
SHA256 = "ab38350fc96c4ae3a7f8f70c0588ad0796b68c33d39e6198482be6ad997bbb83"


def shipped(step: Step) -> dict[str, Any]:
    """Write the three graphs of engine.networks.transducer, their weights float32 from the float16 that is shipped.

    Raises DataError where the installed file is not the one that was shipped.
    """
    with np.load(BytesIO(contents(FILE, SHA256)), allow_pickle=False) as file:
        weights = checked(dict(file), FORM)
    return {
        **save(build(FORM, weights, name="letters-net"), step.output),
        "starting_weights_filename": FILE,
        "weight_data_types": "fp32",
        "input_data_types": "fp32",
        "retraining": "no",
        "weight_transformations": "none",
    }
