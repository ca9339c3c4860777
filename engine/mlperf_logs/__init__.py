"""Readers for the files that LoadGen writes, as typed data: the screen, the harness and the checker rely on them."""
