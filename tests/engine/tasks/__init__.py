"""Each task preprocesses, responds and scores as the rules' reference does."""
