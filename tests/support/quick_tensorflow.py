"""Quicker TensorFlow for the default tests: what is computed stays, what it costs to prepare goes.

The graphs of the tests are small and run a few times, so that most time goes into preparing them.
`bash run_tests.sh --all` (pytest with any other -m) leaves TensorFlow as it is.
"""

import os

_VARIABLE = "ALBERT_ZH_QUICK_TESTS"  # for the processes that tests start


def choose(is_quick):
    """Says to this process, and to the programs of tests/support that it starts, whether they apply this."""
    os.environ[_VARIABLE] = str(int(is_quick))


def is_chosen():
    """Whether the quick tests run."""
    return os.environ.get(_VARIABLE) == "1"


def apply():
    """Changes TensorFlow in this process, if that is chosen."""
    if is_chosen():
        _skip_graph_optimizer()
        _print_graphs_in_c()


def _skip_graph_optimizer():
    """Sessions run their graph as it was built; those that compile it (XLA) are left alone."""
    from tensorflow.core.protobuf import config_pb2
    from tensorflow.python.client import session

    original = session.BaseSession.__init__

    def __init__(self, target="", graph=None, config=None):
        changed = config_pb2.ConfigProto()
        if config is not None:
            changed.CopyFrom(config)
        changed.graph_options.rewrite_options.disable_meta_optimizer = True
        original(self, target, graph, changed)

    session.BaseSession.__init__ = __init__


def _print_graphs_in_c():
    """An Estimator writes each graph as text, by Python; messages print themselves in the same form, but in C."""
    from google.protobuf import text_format

    original = text_format.MessageToString

    def to_string(message, *arguments, **options):
        return original(message, *arguments, **options) if arguments or options else str(message)

    text_format.MessageToString = to_string
