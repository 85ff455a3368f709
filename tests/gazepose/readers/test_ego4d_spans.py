import json

import pytest
from builders.small_ego4d import clip, default_clips, write_annotations

from gazepose.readers.ego4d.spans import ClipSpan, iterate_clips, read_clip


def _path(tmp_path, clips, **dump):
    write_annotations(tmp_path, clips, **dump)
    return tmp_path / "v2/annotations/av_train.json"


@pytest.mark.parametrize("dump", [{}, {"indent": 2}])
def test_clips_come_as_from_the_whole_file_and_their_places_hold_them(tmp_path, dump):
    path = _path(tmp_path, default_clips(), **dump)
    whole = json.loads(path.read_text())
    expected = [clip for video in whole["videos"] for clip in video["clips"]]
    found = list(iterate_clips(path))
    assert [content for _, content in found] == expected
    assert [read_clip(span) for span, _ in found] == expected


def test_places_are_bytes_whatever_the_text(tmp_path):
    words = [{"transcription": 'Grüße, 世界 "}]{[" \\', "person_id": "1"}]
    clips = {"train": [clip("a", transcriptions=words), clip("b")]}
    path = _path(tmp_path, clips, ensure_ascii=False)
    found = [read_clip(span) for span, _ in iterate_clips(path)]
    assert [content["clip_uid"] for content in found] == ["a", "b"]
    assert found[0]["transcriptions"] == words


def test_byte_order_mark_is_passed_over(tmp_path):
    path = _path(tmp_path, default_clips())
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert len(list(iterate_clips(path))) == 2


@pytest.mark.parametrize("text", ['{"videos": []}', '{"videos": [{"clips": null}, {}]}', "[]"])
def test_files_without_clips_give_none(tmp_path, text):
    path = tmp_path / "av_train.json"
    path.write_text(text)
    assert list(iterate_clips(path)) == []


@pytest.mark.parametrize("share", [0.1, 0.5])
def test_file_cut_short_is_named_with_the_place(tmp_path, share):
    path = _path(tmp_path, default_clips())
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(ValueError, match=r"av_train\.json.*byte \d+ of"):
        list(iterate_clips(path))


def test_clips_before_the_damage_are_handed_out(tmp_path):
    path = _path(tmp_path, default_clips())
    path.write_bytes(path.read_bytes()[:-40])
    clips = iterate_clips(path)
    assert next(clips)[1]["clip_uid"] == "aaa"


def test_missing_comma_is_damage(tmp_path):
    path = tmp_path / "av_train.json"
    path.write_text('{"videos": [{"clips": [{"clip_uid": "a"} {"clip_uid": "b"}]}]}')
    with pytest.raises(ValueError, match=r"av_train\.json.*','"):
        list(iterate_clips(path))


def test_file_that_changed_is_noticed(tmp_path):
    path = _path(tmp_path, default_clips())
    with pytest.raises(ValueError, match=r"av_train\.json.*byte 3 "):
        read_clip(ClipSpan(path, 3, 50))


# Python 3.13 parses 9,999 deep.
DEEP = "[" * 20_000 + "]" * 20_000


@pytest.mark.parametrize("deep", [DEEP, '{"a\\"]":' * 20_000 + "1" + "}" * 20_000, "1" * 5000])
def test_deep_nesting_in_a_member_nobody_reads_costs_nothing(tmp_path, deep):
    path = _path(tmp_path, default_clips())
    whole = path.read_text()
    path.write_text(whole.replace('"date":', f'"odd": {deep}, "date":'))
    assert [clip["clip_uid"] for _, clip in iterate_clips(path)] == ["aaa", "bbb"]


def test_deep_nesting_in_a_clip_costs_the_clip(tmp_path):
    path = _path(tmp_path, default_clips())
    whole = path.read_text()
    path.write_text(whole.replace('"clip_uid": "aaa"', f'"x": {DEEP}, "clip_uid": "aaa"'))
    found = list(iterate_clips(path))
    assert [clip and clip["clip_uid"] for _, clip in found] == [None, "bbb"]
    with pytest.raises(ValueError, match=r"av_train\.json.*byte \d+ "):
        read_clip(found[0][0])


@pytest.mark.parametrize("deep", [DEEP[:-1], DEEP[:-9], '{"a": "]"' * 5000])
def test_deep_nesting_that_does_not_end_is_damage(tmp_path, deep):
    path = tmp_path / "av_train.json"
    path.write_text('{"odd": ' + deep + ', "videos": []}')
    with pytest.raises(ValueError, match=r"av_train\.json.*byte \d+ of"):
        list(iterate_clips(path))
