import pytest

from errors import UserError
from metrics import METRICS, accuracy
from tasks import TASKS, get_task


@pytest.mark.parametrize("name", sorted(TASKS))
def test_a_declaration_is_complete(name):
    task = TASKS[name]
    assert task.name == name == name.lower()
    assert len(set(task.labels)) == len(task.labels) >= 2
    assert set(task.files) == {"train", "dev", "test"}
    assert all(names for names in task.files.values())
    assert task.metric in METRICS


def test_the_labels_of_the_pair_tasks_are_in_the_order_of_their_ids():
    assert all(TASKS[name].labels == ("0", "1") for name in ("lcqmc", "lcqmc_pair", "sentence_pair"))


def test_the_files_are_those_of_the_specification():
    assert TASKS["lcqmc"].files == TASKS["lcqmc_pair"].files
    assert TASKS["lcqmc"].files == {"train": ("train.txt",), "dev": ("dev.txt",), "test": ("test.txt",)}
    assert TASKS["sentence_pair"].files["dev"] == ("dev.tsv", "dev.txt")


def test_columns_differ_between_the_tasks(tmp_path):
    path = tmp_path / "rows"
    path.write_bytes(b"0\t1\t1\n")
    lcqmc, sentence_pair = (list(get_task(name).read_rows(str(path)))[0] for name in ("lcqmc", "sentence_pair"))
    assert lcqmc[1:4] == ("0", "1", "1")
    assert sentence_pair[1:4] == ("1", "1", "0")


@pytest.mark.parametrize("name", ["lcqmc", "LCQMC", "Lcqmc_Pair", "sentence_PAIR"])
def test_a_task_is_found_in_upper_and_lower_case(name):
    assert get_task(name).name == name.lower()


def test_an_unknown_task_names_the_nearest_and_all():
    with pytest.raises(UserError) as error:
        get_task("Lcqmc_pairs")
    assert str(error.value) == (
        "unknown task 'Lcqmc_pairs': the nearest known one is lcqmc_pair (known: lcqmc, lcqmc_pair, sentence_pair)"
    )
    with pytest.raises(UserError, match="unknown task ''"):
        get_task("")


def test_accuracy():
    assert accuracy([1, 0, 1], [1, 1, 1]) == pytest.approx(2 / 3)
    assert accuracy([2], [2]) == 1.0
    assert accuracy([0], [2]) == 0.0


@pytest.mark.parametrize("predicted, gold", [([], []), ([1], [1, 1]), ([1, 1, 0], [1, 1])])
def test_accuracy_of_nothing_or_of_unequal_lengths_is_refused(predicted, gold):
    with pytest.raises(ValueError, match="{} predictions for {} gold".format(len(predicted), len(gold))):
        accuracy(predicted, gold)
