"""python -m common.live."""

from common.live.command import main
from common.runs.script import run_module

run_module(main)
