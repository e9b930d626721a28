"""Plans of the benchmark from a command line, for published models or for the shipped samples."""

from __future__ import annotations

from albert.clue import plan as clue_plan


def plan(*words, **options):
    """The plan for tasks and flags."""
    return clue_plan.plan(words, ["--{}={}".format(name, value) for name, value in options.items()])


def sample(folder, *words, **options):
    """The plan for tasks of the shipped samples, with results in a folder."""
    flags = ["--sample"] + ["--{}={}".format(name, value) for name, value in options.items()]
    return clue_plan.plan(words, flags + ["--output_dir={}".format(folder)])
