"""What the tests of the commands share."""

import pytest

from tests.support import quick_tensorflow


@pytest.fixture(scope="package", autouse=True)
def blank_curves():
    """In the quick tests nobody looks at the pictures of the commands' runs."""
    with pytest.MonkeyPatch.context() as patch:
        if quick_tensorflow.is_chosen():
            quick_tensorflow.blank_curves(patch.setattr)
        yield
