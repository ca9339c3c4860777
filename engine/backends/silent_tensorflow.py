"""Import TensorFlow without its output on stderr.

Its libraries print messages while they are loaded, at any log level, none of which is actionable; errors also raise
exceptions.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["config_pb2", "saved_model_pb2", "tf"]


@contextmanager
def _silence() -> Iterator[None]:
    """Discard everything that this process writes to stderr."""
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
# Read when the first session is made: without it all sessions share one thread pool, sized by the first.
os.environ.setdefault("TF_OVERRIDE_GLOBAL_THREADPOOL", "1")
with _silence():
    import tensorflow as tf
    from tensorflow.core.protobuf import config_pb2, saved_model_pb2
tf.get_logger().setLevel("ERROR")
