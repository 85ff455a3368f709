"""Studies of fabricated runs, and the tables that the report makes of them."""

import json

from builders.fabricated_runs import write_lam_job
from common.report.reading import read_results
from common.report.study.comparison import compare
from common.report.study.study import find_studies
from common.report.study.tables import comparison_table

ROWS = {"off": 0.2, "head": 0.3, "both": 0.4}
PRIORS = {"off": "none", "head": "head", "both": "all"}


def write_study(runs, plan, skip=(), **run_options):
    for row in plan["rows"]:
        for seed in plan["seeds"]:
            if (row, seed) not in skip:
                options = {"skill": ROWS[row], "priors": PRIORS[row]} | run_options
                write_lam_job(runs / plan["name"], plan, row, seed, **options)
    return runs


def only_outcome(runs_dir):
    (study,) = find_studies(read_results(runs_dir))
    return compare(study)


def only_table(runs_dir):
    (table,) = only_outcome(runs_dir).tables
    return table


def cells(runs_dir, column):
    table = comparison_table(only_table(runs_dir))
    return [row[list(table.columns).index(column)] for row in table.rows]


def values_of(runs_dir, row):
    paths = sorted(runs_dir.glob(f"*/{row}_seed*/test/*.json"))
    return [json.loads(path.read_text())["map"] for path in paths]
