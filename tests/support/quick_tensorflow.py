"""Quicker runs for the default tests: what is computed stays, what it costs to prepare goes.

The graphs of the tests are small and run a few times, so that most time goes into preparing them.
`bash run_tests.sh --all` (pytest with any other -m) leaves all as it is.
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
        _leave_python_as_it_is()


def blank_curves(set_attribute):
    """Makes the pictures of runs blank: tests/monitor/test_curves.py looks at what they show."""
    from albert.base import pictures
    from albert.monitor import curves

    pictures.new_figure()  # imports what draws, once for all processes that are forked
    set_attribute(curves, "_figure", lambda records, name: pictures.new_figure(figsize=(1.0, 1.0)))


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
        options = {name: value for name, value in options.items() if value or name != "float_format"}
        return original(message, *arguments, **options) if arguments or options else str(message)

    text_format.MessageToString = to_string


def _leave_python_as_it_is():
    """Functions of data sets are taken as they are: none has Python conditions on tensors, which AutoGraph rewrites."""
    from tensorflow.python.autograph.core import ag_ctx

    def disabled():
        return ag_ctx.ControlStatusCtx(status=ag_ctx.Status.DISABLED)

    ag_ctx._default_control_status_ctx = disabled
    ag_ctx._control_ctx()[:] = [disabled()]
