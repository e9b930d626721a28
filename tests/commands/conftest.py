"""What the tests of the commands share."""

import pytest

from albert.base import pictures
from tests.support import quick_tensorflow


@pytest.fixture(scope="package", autouse=True)
def blank_curves():
    """In the quick tests the pictures of runs are blank: tests/monitor/test_curves.py looks at what they show."""
    from albert.monitor import curves

    with pytest.MonkeyPatch.context() as patch:
        if quick_tensorflow.is_chosen():
            patch.setattr(curves, "_figure", lambda records, name: pictures.new_figure(figsize=(1.0, 1.0)))
        yield
