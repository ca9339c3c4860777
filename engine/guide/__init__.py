"""The guided submission workflow: nine steps. Progress is derived from files, so any session can resume it."""
