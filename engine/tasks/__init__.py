"""One file per task: prepare raw samples, turn outputs into a response, score an accuracy log."""
