import json

import pytest

import check_submission
from albert.base.errors import UserError
from albert.tasks import submission
from albert.tasks.registry import get_task
from albert.tasks.rows import Row

TNEWS, OCNLI = get_task("tnews"), get_task("ocnli")
ROWS = [Row(0, "甲", None, None, 1, 30), Row(1, "乙", None, None, 2, 7), Row(2, "丙", None, None, 3, "x9")]


def test_a_row_is_its_id_and_its_label(tmp_path):
    path = tmp_path / submission.file_name(OCNLI)
    submission.write(str(path), OCNLI, ROWS, [2, 0, 1])
    assert path.name == "ocnli_predict.json"
    assert path.read_text(encoding="utf-8") == (
        '{"id": 30, "label": "neutral"}\n{"id": 7, "label": "contradiction"}\n{"id": "x9", "label": "entailment"}\n'
    )


def test_rows_without_an_id_have_their_number(tmp_path):
    rows = [row._replace(own_id=None) for row in ROWS]
    submission.write(str(tmp_path / "s.json"), OCNLI, rows, [2, 0, 1])
    assert [json.loads(line)["id"] for line in (tmp_path / "s.json").read_text().splitlines()] == [0, 1, 2]


def test_tnews_says_what_its_labels_mean(tmp_path):
    submission.write(str(tmp_path / "s.json"), TNEWS, ROWS[:1], [14])
    assert (tmp_path / "s.json").read_text() == '{"id": 30, "label": "116", "label_desc": "news_game"}\n'


def test_another_number_of_predictions_is_a_mistake_of_the_caller(tmp_path):
    with pytest.raises(ValueError, match="2 predictions for 3 rows"):
        submission.write(str(tmp_path / "s.json"), OCNLI, ROWS, [0, 1])


GOOD = ['{"id": 30, "label": "neutral"}', '{"id": 7, "label": "neutral"}', '{"label": "neutral", "id": "x9"}']


@pytest.mark.parametrize(
    "place, line, expected",
    [
        (1, '{"id": 8, "label": "neutral"}', "line 2 has the id 8, row 2 of the test split has 7"),
        (1, '{"id": "7", "label": "neutral"}', 'line 2 has the id "7", row 2 of the test split has 7'),
        (1, '{"label": "neutral"}', "line 2 has no key 'id' (its keys: label)"),
        (0, '{"id": 30, "label": "maybe"}', "line 1 has the unknown label 'maybe': the labels of the task ocnli are"),
        (0, '{"id": 30, "label": 2}', "line 1 has no text under 'label' but 2"),
        (0, '{"id": 30}', "line 1 has no key 'label' (its keys: id)"),
        (2, '{"id": "x9", "label": "neutral", "x": 1}', 'line 3 must be {"id": "x9", "label": "neutral"}'),
        (2, '{"id": "x9"', "line 3 is not JSON ("),
        (2, None, "ends after 2 rows: the test split has 3"),
        (3, '{"id": 1, "label": "neutral"}', "line 4 is one too many: the test split has 3 rows"),
    ],
)
def test_what_would_not_score_is_named(tmp_path, place, line, expected):
    lines = GOOD[:place] + ([line] if line else []) + GOOD[place + 1 :]
    path = tmp_path / "s.json"
    path.write_text("\n".join(lines) + "\n")
    with pytest.raises(UserError) as error:
        submission.check(str(path), OCNLI, ROWS)
    assert str(error.value).startswith("{} {}".format(path, expected))


def test_what_is_right_is_not_refused(tmp_path):
    (tmp_path / "s.json").write_text("\n".join(GOOD))
    submission.check(str(tmp_path / "s.json"), OCNLI, ROWS)


def test_an_empty_file_is_refused(tmp_path):
    (tmp_path / "s.json").write_text("")
    with pytest.raises(UserError, match="s.json ends after 0 rows: the test split has 3"):
        submission.check(str(tmp_path / "s.json"), OCNLI, ROWS)


def test_a_missing_description_is_refused(tmp_path):
    (tmp_path / "s.json").write_text('{"id": 30, "label": "100"}\n')
    with pytest.raises(UserError, match='line 1 must be {"id": 30, "label": "100", "label_desc": "news_story"}'):
        submission.check(str(tmp_path / "s.json"), TNEWS, ROWS[:1])


def test_the_command(tmp_path, caplog):
    caplog.set_level("INFO")
    (tmp_path / "test.json").write_text('{"id": 4, "sentence1": "a", "sentence2": "b"}\n')
    (tmp_path / "s.json").write_text('{"id": 4, "label": "neutral"}\n')
    flags = check_submission.declare_flags()
    flags.parse(["--task_name=ocnli", "--data_dir={}".format(tmp_path), "--file={}".format(tmp_path / "s.json")])
    check_submission.main(flags)
    assert "s.json answers all rows (1) of the task ocnli." in caplog.text
