"""The report: every run and test under a folder as tables, figures and one page."""
