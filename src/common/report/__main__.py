"""python -m common.report."""

from common.report.command import main

main()
