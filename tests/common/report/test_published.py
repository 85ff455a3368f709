"""The published numbers: complete, in range, and fit for the studies that name them."""

from builders.study_configs import STUDIES, study_of

from common.report.kinds.registry import kind_named
from common.report.published import published_tables

ROWS = [row for table in published_tables().values() for row in table.rows]
RANGES = {
    **dict.fromkeys(("map", "accuracy", "ap"), (50, 100)),
    **dict.fromkeys(("mean_deg", "std_deg"), (0, 30)),
}


def numbers(name):
    return [
        [(value.mean, value.std) for value in row.values.values()]
        for row in published_tables()[name].rows
    ]


def test_what_the_report_cites_is_there():
    assert (77.02, 0.78) in numbers("gazepose_report_table1")[0]
    assert numbers("gazepose_report_table2") == [
        [(71.92, None), (85.98, None)],
        [(76.31, None), (87.02, None)],
        [(73.85, None), (86.18, None)],
        [(77.51, None), (88.11, None)],
    ]
    assert [means for (means, _), _ in numbers("flame_table")] == [
        *(4.64, 4.62, 5.06, 4.80, 5.88, 5.30, 5.93, 5.32)
    ]
    assert numbers("gazepose_quality") == [[(76.83, None)], [(93.62, None)]]


def test_every_number_has_a_protocol_a_source_and_a_sensible_value():
    for row in ROWS:
        assert row.source, row
        assert row.protocol.words, row
        assert row.protocol.part in ("val", "test"), row
        assert row.evidence in ("read", "excerpt"), row
        kind_named(row.protocol.kind)
        assert row.values, row
        for key, value in row.values.items():
            low, high = RANGES[key]
            assert low < value.mean < high, row
            assert value.std is None or 0 < value.std < 10, row
            assert value.std is None or row.trainings > 1, row


def test_a_table_names_a_study_row_once_a_protocol():
    for table in published_tables().values():
        named = [(name, row.protocol.data) for row in table.rows for name in row.ablations]
        assert len(named) == len(set(named))


def test_studies_name_tables_that_are_there():
    named = {study_of(name)["published"] for name in STUDIES}
    assert {"gazepose_report_table1", "gazepose_report_table2", "flame_table"} <= named
    assert named - {None} <= set(published_tables())


def test_named_rows_are_rows_of_studies():
    rows = {row for name in STUDIES for row in study_of(name)["rows"]}
    assert {name for row in ROWS for name in row.ablations} <= rows
