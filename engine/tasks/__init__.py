"""One file per task: preprocess a raw sample, turn outputs into a response, score an accuracy log."""
