"""One run: fitted, tested, recorded in run.json, and run again."""
