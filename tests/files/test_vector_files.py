"""Vector files: read by row number across files, their mean, and files that are none."""

import numpy as np
import pytest

from albert.base.errors import UserError
from albert.files.vector_files import JoinedVectors, joined_center, map_vectors, statistics_of

RANDOM = np.random.RandomState(5)


def saved(folder, name, array):
    path = str(folder / name)
    np.save(path, array)
    return path


def test_rows_of_several_files_are_read_by_their_number(tmp_path):
    arrays = [
        RANDOM.randn(rows, 3).astype(dtype) for rows, dtype in ((4, np.float16), (1, np.float32), (5, np.float16))
    ]
    parts = [map_vectors(saved(tmp_path, "{}.npy".format(number), array)) for number, array in enumerate(arrays)]
    joined = JoinedVectors(parts)
    everything = np.concatenate([array.astype(np.float32) for array in arrays])
    assert joined.shape == (10, 3)
    numbers = np.array([9, 0, 4, 4, 3, 5])
    np.testing.assert_array_equal(joined[numbers], everything[numbers])
    assert joined[numbers].dtype == np.float32


def test_the_mean_of_all_rows_is_taken_away():
    parts = [RANDOM.randn(7, 4).astype(np.float32) + 2, RANDOM.randn(2, 4).astype(np.float32)]
    center = joined_center(parts, [statistics_of(part).mean for part in parts])
    everything = np.concatenate(parts).astype(np.float64)
    np.testing.assert_allclose(center, everything.mean(axis=0), rtol=1e-6)
    np.testing.assert_allclose(JoinedVectors(parts, center)[np.arange(9)].mean(axis=0), np.zeros(4), atol=1e-6)


@pytest.mark.parametrize("fault", [np.nan, np.inf, -np.inf, 0.0])
def test_the_first_faulty_row_is_found_behind_the_first_block(fault):
    vectors = np.ones([20000, 2], np.float16)
    vectors[17000] = fault
    vectors[17001] = np.nan
    assert statistics_of(vectors).faulty_row == 17000


def test_a_zero_among_other_numbers_is_no_fault():
    assert statistics_of(np.array([[0.0, 1.0]], np.float32)).faulty_row is None


@pytest.mark.parametrize(
    "array, words",
    [
        (np.ones([3, 2], np.int64), "no array of numbers with a fraction"),
        (np.ones([3], np.float32), "rows of equal width"),
        (np.ones([3, 2, 2], np.float32), "rows of equal width"),
    ],
)
def test_arrays_that_are_no_vectors(tmp_path, array, words):
    with pytest.raises(UserError, match=words):
        map_vectors(saved(tmp_path, "v.npy", array))


def test_a_file_that_is_cut_off_and_one_that_is_no_array(tmp_path):
    path = saved(tmp_path, "v.npy", np.ones([50, 8], np.float32))
    with open(path, "rb") as file:
        content = file.read()
    no_array = "it is no .npy file, as numpy.save writes them"
    for damaged, reason in ((content[:-1], ""), (content[:60], ""), (b"", "it is empty"), (b"text", no_array)):
        with open(path, "wb") as file:
            file.write(damaged)
        with pytest.raises(UserError, match="cannot read the vectors .*v.npy: " + reason):
            map_vectors(path)
    with pytest.raises(UserError, match="cannot read the vectors"):
        map_vectors(str(tmp_path / "missing.npy"))
