"""Runs of frames as events, and which of two lists are the same."""

from common.evaluation.events import events_of, matched


def test_an_event_is_a_run_of_judged_frames() -> None:
    assert events_of([]) == []
    assert events_of([4]) == [(4, 4)]
    assert events_of([1, 2, 3, 5, 6, 9]) == [(1, 3), (5, 6), (9, 9)]
    assert events_of([3, 6, 9, 15], stride_frames=3) == [(3, 9), (15, 15)]


def test_events_match_from_half_their_common_time_on() -> None:
    # Frames 0 to 9 and 5 to 9 share 5 of 10; a frame less is less than half.
    assert matched([(0, 9)], [(5, 9)]) == [((0, 9), (5, 9))]
    assert matched([(0, 9)], [(6, 9)]) == []
    assert matched([(0, 9)], [(10, 19)]) == []
    # A judged frame stands for as many as the stride: 0 to 11 and 6 to 11 share 6 of 12.
    assert matched([(0, 9)], [(6, 9)], stride_frames=3) == [((0, 9), (6, 9))]
    assert matched([(0, 9)], [(6, 12)], stride_frames=3) == []


def test_each_event_is_in_one_pair_the_best_ones_first() -> None:
    # Cut in two equal halves: one of them is right.
    assert len(matched([(0, 9)], [(0, 4), (5, 9)])) == 1
    true, said = [(0, 9), (20, 29)], [(1, 9), (21, 29)]
    assert sorted(matched(true, said)) == [((0, 9), (1, 9)), ((20, 29), (21, 29))]
    assert matched(said, true) == [(b, a) for a, b in matched(true, said)]
