"""The laws of the repository's layout (docs/en/architecture.md): what may import what, and what needs no TensorFlow."""

import ast
import glob
import os

import pytest

from albert.base.paths import ROOT

# Bottom to top. A module imports only what stands before its own place; modules of the root that stand between two
# packages are named without a dot.
ORDER = (
    "albert.base albert.files albert.downloads tokenization albert.text albert.pretraining_data albert.tasks "
    "albert.batches albert.model modeling modeling_google albert.checkpoints albert.devices albert.inference "
    "albert.search albert.export albert.optimizers lamb_optimizer optimization albert.monitor albert.training "
    "albert.pretraining albert.finetuning albert.memory albert.serving albert.clue"
).split()
WITHOUT_TENSORFLOW = (
    "albert.base albert.files albert.downloads tokenization albert.text albert.pretraining_data albert.tasks "
    "albert.serving"
).split()
MAY_SILENCE_TENSORFLOW = "albert.base.quiet_tensorflow"
# Flags stop at the door: these modules declare them and build settings from them; commands run as modules are doors.
DOORS = ("albert.downloads.download", "albert.downloads.fetch_vocab", "albert.clue.benchmark", "albert.clue.plan")
FLAGS = "albert.base.flags.Flags"
ROOT_MODULES = {os.path.basename(path)[:-3] for path in glob.glob(os.path.join(glob.escape(ROOT), "*.py"))}
LIBRARY = [
    os.path.relpath(path, ROOT)
    for path in sorted(glob.glob(os.path.join(glob.escape(ROOT), "albert", "**", "*.py"), recursive=True))
] + [name + ".py" for name in ORDER if "." not in name]


def module_of(path):
    return os.path.splitext(path)[0].replace(os.sep, ".").replace(".__init__", "")


def place_of(module):
    """The number of a module's place in the order; None for what is none of ours."""
    place = ".".join(module.split(".")[:2]) if module.startswith("albert.") else module.split(".")[0]
    return ORDER.index(place) if place in ORDER else None


def imports_of(source):
    """Every module that a source names in an import, at any depth, or as a string given to an import function."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            for alias in node.names:
                yield node.module + "." + alias.name
        elif isinstance(node, ast.Call) and called(node.func) in ("import_module", "__import__"):
            for argument in node.args:
                value = getattr(argument, "value", getattr(argument, "s", None))  # `s`: Python 3.7
                if isinstance(value, str):
                    yield value


def called(function):
    """The name of what a call calls, without what stands before its last dot."""
    return getattr(function, "attr", getattr(function, "id", None))


def faults_of(module, source):
    """What a module may not import, each as a sentence."""
    own = place_of(module)
    for name in imports_of(source):
        other = place_of(name)
        is_root_command = name.split(".")[0] in ROOT_MODULES and other is None
        if is_root_command or (other is not None and other > own) or (other == own and "." not in ORDER[own]):
            yield "{} imports {}".format(module, name)
        is_tensorflow = name.split(".")[0] == "tensorflow" or name.startswith(MAY_SILENCE_TENSORFLOW)
        if is_tensorflow and ORDER[own] in WITHOUT_TENSORFLOW and module != MAY_SILENCE_TENSORFLOW:
            yield "{} imports {}, which loads TensorFlow".format(module, name)
        if name == FLAGS and not module.endswith(".flags") and module not in DOORS:
            yield "{} knows flags: take settings".format(module)


def source_of(path):
    with open(os.path.join(ROOT, path), encoding="utf-8") as file:
        return file.read()


def test_every_package_has_its_place():
    packages = {"albert." + path.split(os.sep)[1] for path in LIBRARY if path.count(os.sep) > 1}
    assert packages == {name for name in ORDER if "." in name}


@pytest.mark.parametrize("path", LIBRARY)
def test_a_module_imports_only_what_stands_before_it(path):
    assert list(faults_of(module_of(path), source_of(path))) == []


@pytest.mark.parametrize(
    "module, source",
    [
        ("albert.base.errors", "from albert.files import lock"),
        ("albert.text.corpus", "def f():\n    import modeling"),
        ("albert.tasks.task", "import tensorflow.compat.v1 as tf"),
        ("albert.serving.app", "from albert.base import quiet_tensorflow"),
        ("albert.clue.run", "import run_classifier"),
        ("albert.model.heads", "import importlib\nimportlib.import_module('albert.checkpoints.files')"),
        ("modeling", "import modeling_google"),
        ("albert.training.run", "from albert.base.flags import Flags"),
    ],
)
def test_a_fault_is_found(module, source):
    assert len(list(faults_of(module, source))) == 1


@pytest.mark.parametrize(
    "module, source",
    [
        ("albert.clue.run", "import optimization"),
        ("albert.text.corpus", "from albert.text import arrays\nimport tokenization, numpy"),
        ("albert.training.flags", "from albert.base.flags import Flags"),
        ("albert.model.heads", "import tensorflow.compat.v1 as tf\nfrom albert.model import layers"),
    ],
)
def test_what_is_allowed_is_no_fault(module, source):
    assert list(faults_of(module, source)) == []
