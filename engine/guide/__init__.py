"""The guided submission: nine steps, derived from what is on the disk, so that any terminal goes on where one left."""
