"""What many jobs say together: their runs, what differs between them, and the next ones worth making."""
