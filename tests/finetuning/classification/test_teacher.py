"""Files of a teacher's predictions: text, arrays of probabilities and of logits, and what does not fit."""

import numpy as np
import pytest

from albert.base.errors import UserError
from albert.finetuning.classification.answers import write_probabilities
from albert.finetuning.classification.teacher import read_teacher

LABELS = ("bad", "fair", "good")
LOGITS = np.random.RandomState(1).standard_normal([7, 3]) * 4
PROBABILITIES = np.exp(LOGITS) / np.exp(LOGITS).sum(axis=1, keepdims=True)


def read(path, num_rows=7):
    return read_teacher(str(path), num_rows=num_rows, labels=LABELS)


def saved(folder, values):
    path = folder / "teacher.npy"
    np.save(str(path), values)
    return path


def written(folder, text):
    path = folder / "teacher.tsv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode("utf-8"))
    return path


def softmax(logits, temperature=1.0):
    """In float64."""
    powers = np.exp(np.asarray(logits, np.float64) / temperature)
    return powers / powers.sum(axis=1, keepdims=True)


def test_what_the_commands_write_is_read(tmp_path):
    path = tmp_path / "train_results.tsv"
    write_probabilities(str(path), PROBABILITIES.astype(np.float32))
    teacher = read(path)
    assert not teacher.has_logits
    np.testing.assert_allclose(np.exp(teacher.log_probabilities), PROBABILITIES, rtol=1e-5)


@pytest.mark.parametrize(
    "values,has_logits,tolerance",
    [
        (PROBABILITIES, False, 1e-6),
        (PROBABILITIES.astype(np.float16), False, 1e-3),
        (np.eye(3)[[0, 2, 1, 1, 0, 0, 2]].astype(np.int64), False, 1e-6),
        (LOGITS, True, 1e-6),
        (LOGITS.astype(np.float16), True, 5e-3),
        (np.round(LOGITS).astype(np.int8), True, 1e-6),
        (np.abs(LOGITS), True, 1e-6),
    ],
)
def test_arrays_are_told_apart_by_what_they_hold(tmp_path, values, has_logits, tolerance):
    teacher = read(saved(tmp_path, values))
    assert teacher.has_logits == has_logits
    expected = softmax(values) if has_logits else values
    np.testing.assert_allclose(np.exp(teacher.log_probabilities), expected, atol=tolerance)


def test_logits_and_their_probabilities_are_one_teacher(tmp_path):
    of_logits, of_probabilities = (read(saved(tmp_path, values)).softened(3.0) for values in (LOGITS, PROBABILITIES))
    np.testing.assert_allclose(of_logits, of_probabilities, atol=1e-6)


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.0, 20.0])
def test_softened_probabilities_are_the_softmax_at_the_temperature(tmp_path, temperature):
    softened = read(saved(tmp_path, LOGITS + 1000)).softened(temperature)  # float32 has 0.0001 of it
    assert softened.dtype == np.float32
    np.testing.assert_allclose(softened, softmax(LOGITS, temperature), atol=1e-4)


def test_a_probability_of_0_stays_0(tmp_path):
    softened = read(written(tmp_path, "1\t0\t0\n0.25\t0.75\t0\n"), num_rows=2).softened(2.0)
    np.testing.assert_allclose(softened, [[1, 0, 0], [1 / (1 + 3**0.5), 3**0.5 / (1 + 3**0.5), 0]], atol=1e-6)


def test_tiny_probabilities_are_written_and_read_whole(tmp_path):
    logits = np.array([[0.0, -25.0, -60.0]], np.float32)
    path = tmp_path / "train_results.tsv"
    write_probabilities(str(path), np.exp(logits))
    np.testing.assert_allclose(read(path, num_rows=1).log_probabilities, logits, rtol=1e-5, atol=1e-6)


GOOD = "0.1\t0.2\t0.7\n"


@pytest.mark.parametrize(
    "text,message",
    [
        (b"", "teacher.tsv is empty: give a teacher's predictions of the train split"),
        ("\n\n", "teacher.tsv is empty"),
        (GOOD, r"teacher.tsv has 1 rows, the train split has 2: predict that split with .* --predict_split=train"),
        (GOOD * 3, "teacher.tsv has 3 rows, the train split has 2"),
        (GOOD + "0.3\t0.7\n", r"teacher.tsv line 2 has 2 columns: give .* of the 3 labels \(bad, fair, good\)"),
        (GOOD + "0.1 0.2 0.7\n", "teacher.tsv line 2 has 1 column: give .* separated by tabs"),
        ("bad\tfair\tgood\n" + GOOD, "teacher.tsv line 1 column 1 is 'bad': give a number"),
        (GOOD + "0.1\t\t0.9\n", "teacher.tsv line 2 column 2 is '': give a number"),
        (GOOD + "0.1\t" + 99 * "x" + "\t0\n", "line 2 column 2 is '" + 30 * "x" + "…': give a number"),
        (GOOD + "0.1\tnan\t0.9\n", "teacher.tsv line 2 column 2 is nan: give a number"),
        (GOOD + "0.1\t0.9\tinf\n", "teacher.tsv line 2 column 3 is inf: give a number"),
        (
            GOOD + "-0.5\t0.7\t0.8\n",
            r"teacher.tsv line 2 holds -0.5: probabilities are 0 or more \(logits are read from",
        ),
        (GOOD + "0.5\t0.7\t0.8\n", "teacher.tsv line 2 sums to 2: the probabilities of a row sum to 1 "),
        ("\n" + GOOD, "teacher.tsv line 1 is blank"),
        (b"\xff\xff\n", "teacher.tsv line 1 is not UTF-8"),
        (b"PK\x03\x04....", "teacher.tsv is an archive"),
    ],
)
def test_a_text_that_does_not_fit_is_one_sentence(tmp_path, text, message):
    with pytest.raises(UserError, match=message) as error:
        read(written(tmp_path, text), num_rows=2)
    assert "\n" not in str(error.value)


def changed(values, place, value):
    values = values.copy()
    values[place] = value
    return values


@pytest.mark.parametrize(
    "values,message",
    [
        (PROBABILITIES[:6], "teacher.npy has 6 rows, the train split has 7"),
        (PROBABILITIES[:, :2], r"an array of the shape \[7, 2\]: give one of \[rows of the train split, 3\]"),
        (PROBABILITIES[0], r"an array of the shape \[3\]: give"),
        (PROBABILITIES.astype(str), "holds values of the type <U32: give real numbers"),
        (PROBABILITIES.astype(complex), "holds values of the type complex128: give real numbers"),
        (changed(LOGITS, (4, 1), np.nan), "teacher.npy row 5 column 2 is nan: give a number"),
        (changed(LOGITS, (4, 1), 1e300), "teacher.npy row 5 column 2 is inf: give a number"),
        (changed(PROBABILITIES, (2, 0), -1), "teacher.npy row 3 holds -1: probabilities are 0 or more"),
        (changed(PROBABILITIES, 2, 0.5), "teacher.npy row 3 sums to 1.5: the probabilities of a row sum to 1$"),
        (np.array([{}, {}]), "teacher.npy is no whole array of numbers: write it again with numpy.save"),
    ],
)
def test_an_array_that_does_not_fit_is_one_sentence(tmp_path, values, message):
    with pytest.raises(UserError, match=message) as error:
        read(saved(tmp_path, values))
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("num_bytes", [20, 100, 200])
def test_an_array_that_is_cut_off_is_said(tmp_path, num_bytes):
    path = saved(tmp_path, LOGITS)
    path.write_bytes(path.read_bytes()[:num_bytes])
    with pytest.raises(UserError, match="teacher.npy is no whole array of numbers"):
        read(path)


def test_a_missing_file_is_said(tmp_path):
    with pytest.raises(UserError, match="cannot read .*none.tsv: No such file"):
        read(tmp_path / "none.tsv")
