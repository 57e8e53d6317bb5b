"""One file a lesson, each run as `python -m demos.NAME`."""
