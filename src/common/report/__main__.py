"""python -m common.report."""

from common.report.command import main
from common.runs.script import run_module

run_module(main)
