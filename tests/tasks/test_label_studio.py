"""Label Studio's exports: whose annotation counts, cancelled and empty ones, controls, and units of a browser."""

import logging

import pytest

from tests.support.own_tasks import choice, fault, read, region, studio

TEXT = {"text": "我在北京"}
PLACE = region(2, 4, "北京", "LOC")
OTHER = region(1, 4, "在北京", "LOC")


def entities(sentences):
    return [[(s.text[e.start : e.end], e.type) for e in s.entities] for s in sentences]


def test_an_annotation_without_a_result_marks_nothing_and_a_task_without_one_is_left_out(tmp_path, caplog):
    caplog.set_level(logging.INFO)
    cancelled = studio((TEXT, [PLACE]))[0]
    cancelled["annotations"][0]["was_cancelled"] = True
    tasks = studio((TEXT, [PLACE]), (TEXT, []), (TEXT,)) + [cancelled]
    assert entities(read(tmp_path, "a.json", tasks, kind="tags")) == [[("北京", "LOC")], []]
    assert "a.json: 2 records without an annotation that counts left out." in caplog.text


def test_tasks_that_nobody_has_annotated_are_texts_of_a_test_file(tmp_path):
    tasks = studio((TEXT,), (TEXT,))
    assert [s.entities for s in read(tmp_path, "a.json", tasks, "test", kind="tags")] == [None, None]
    assert (
        fault(tmp_path, "a.json", tasks, kind="tags")
        == "a.json record 1 has no tags: only the test split may have none"
    )


def test_annotations_that_differ_must_be_chosen_from(tmp_path):
    tasks = studio((TEXT, [PLACE], [OTHER]))
    assert fault(tmp_path, "a.json", tasks, kind="tags") == (
        "a.json record 1 has 2 annotations that differ (annotators: 1, 2): choose whose count with the key 'annotator' "
        'in the task file, by id or e-mail address, or "first" for the first of each task'
    )
    for annotator, name in ((2, "在北京"), ("1", "北京"), ("first", "北京")):
        assert entities(read(tmp_path, "a.json", tasks, kind="tags", annotator=annotator)) == [[(name, "LOC")]]
    tasks[0]["annotations"][1]["completed_by"] = {"id": 5, "email": "li@example.org"}
    assert entities(read(tmp_path, "a.json", tasks, kind="tags", annotator="li@example.org")) == [[("在北京", "LOC")]]
    tasks[0]["annotations"][0]["ground_truth"] = True
    assert entities(read(tmp_path, "a.json", tasks, kind="tags")) == [[("北京", "LOC")]]


def test_annotations_that_say_the_same_are_one(tmp_path):
    tasks = studio((TEXT, [PLACE], [dict(PLACE, id="another")]))
    assert entities(read(tmp_path, "a.json", tasks, kind="tags")) == [[("北京", "LOC")]]


def test_json_min_has_a_record_for_each_annotation(tmp_path):
    records = [
        {"id": 9, "text": "我在北京", "label": [found["value"]], "annotator": number, "annotation_id": number}
        for number, found in enumerate((PLACE, OTHER), start=1)
    ]
    assert "has 2 annotations that differ (annotators: 1, 2)" in fault(tmp_path, "a.json", records, kind="tags")
    found = read(tmp_path, "a.json", records, kind="tags", annotator=2, id="id")
    assert entities(found) == [[("在北京", "LOC")]] and found[0].own_id == 9


def test_only_one_control_is_read(tmp_path):
    tasks = studio((TEXT, [PLACE, region(0, 1, "我", "PRON", control="pos"), choice("good")]))
    assert fault(tmp_path, "a.json", tasks, kind="tags") == (
        "a.json has spans of the controls label, pos: name one with the key 'label'"
    )
    assert entities(read(tmp_path, "a.json", tasks, kind="tags", label="pos")) == [[("我", "PRON")]]
    assert fault(tmp_path, "a.json", tasks, kind="tags", label="ner") == (
        "a.json has nothing of the control 'ner': its controls are label, pos"
    )
    two_texts = studio((TEXT, [PLACE, dict(region(0, 1, "我", "A"), to_name="title")]))
    assert "has spans of the texts text, title, of which only one is read" in fault(
        tmp_path, "a.json", two_texts, kind="tags"
    )


@pytest.mark.parametrize("start, end", [(3, 5), (4, 6)])
def test_either_unit_is_told_by_the_text(tmp_path, start, end):
    tasks = studio(({"text": "😀我在北京"}, [region(start, end, "北京", "LOC")]))
    assert entities(read(tmp_path, "a.json", tasks, kind="tags")) == [[("北京", "LOC")]]


def test_what_is_the_same_in_both_units_is_read_as_the_rest_of_the_file(tmp_path):
    text = {"text": "😀哈哈哈"}
    clear = {"text": "😀北京"}
    unclear = region(2, 4, "哈哈", "A")  # the first two in UTF-16 units, the last two in characters
    for sure, start in (((3, 4), 1), ((2, 3), 2)):
        tasks = studio((text, [unclear]), (clear, [region(*sure, "京", "A")]))
        assert read(tmp_path, "a.json", tasks, kind="tags")[0].entities[0].start == start


@pytest.mark.parametrize(
    "result, expected",
    [
        (
            region(1, 3, "北京", "A"),
            "has a span from 1 to 3 (A), which should be '北京', but the text has '在北' there",
        ),
        (region(2, 9, "北京", "A"), "has a span from 2 to 9 (A), but its text has 4 characters"),
        (region(2, 4, "北京"), "has no type in the span {"),
        (region(2, 4, "北京", "A", "B"), "has several types in the span {"),
        (
            {"type": "hypertextlabels", "value": {"start": "/p[1]", "end": "/p[1]", "hypertextlabels": ["A"]}},
            "has a span of HTML ({",
        ),
        (dict(PLACE, value={"start": 2, "end": 4}), "has no type in the span {"),
    ],
)
def test_a_fault_is_named_with_its_record(tmp_path, result, expected):
    tasks = studio((TEXT, [PLACE]), (TEXT, [dict({"from_name": "label"}, **result)]))
    assert fault(tmp_path, "a.json", tasks, kind="tags").startswith("a.json record 2 " + expected)


def test_a_cut_emoji_is_a_fault(tmp_path):
    tasks = studio(({"text": "😀京"}, [dict(PLACE, value={"start": 1, "end": 3, "labels": ["A"], "text": "?京"})]))
    assert "record 1 has a span from 1 to 3 (A), but its text has 2 characters" in fault(
        tmp_path, "a.json", tasks, kind="tags"
    )


def test_an_export_is_told_by_its_keys(tmp_path):
    tasks = studio((TEXT, [PLACE]))
    assert fault(tmp_path, "a.json", tasks, kind="tags", format="doccano").startswith(
        'a.json is an export of Label Studio, as its keys tell (id, data, annotations, predictions), but "format" is "'
    )
    assert fault(tmp_path, "a.json", [{"text": "好", "label": []}], kind="tags", format="label_studio").startswith(
        'a.json is not an export of Label Studio, as its keys tell (text, label), but "format" is "label_studio"'
    )
