"""The lessons: one file each, run as `python -m demos.NAME`."""
