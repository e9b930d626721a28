"""What the tests of checkpoints share."""

import pytest

from tests.support import model_fixtures
from tests.support.published_checkpoints import published_values, save


@pytest.fixture(scope="session")
def prefixes(tmp_path_factory):
    """The prefix of a published checkpoint, slots included, by the fixture's name."""
    folder = tmp_path_factory.mktemp("published")
    return {
        name: save(folder / name / "albert_model.ckpt", published_values(name)) for name in model_fixtures.FAMILY_OF
    }
