"""Worker of benchmarks.tflite: runs a TFLite classifier row by row and prints the measurement as JSON.

It needs only NumPy and an interpreter, so that its memory is that of a program which only classifies.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import inspect
import json
import os
import resource
import sys
import time

import numpy as np

TENSORFLOW = "tensorflow"
STANDALONE = ("ai_edge_litert", "tflite_runtime")
_WARM_UP_ROWS = 5


def installed():
    """Lists the standalone interpreters that this Python has."""
    return [name for name in STANDALONE if importlib.util.find_spec(name)]


def open_interpreter(library, path, threads):
    """Opens a model in a library's interpreter; returns the library's version and the interpreter.

    The interpreter of TensorFlow 1.15 has no number of threads: the process is limited to `threads` cores instead.
    """
    package = importlib.import_module(library)
    if library == TENSORFLOW:
        interpreter_class = package.lite.Interpreter
    else:
        interpreter_class = importlib.import_module(library + ".interpreter").Interpreter
    if "num_threads" in inspect.signature(interpreter_class.__init__).parameters:
        interpreter = interpreter_class(model_path=path, num_threads=threads)
    else:
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads])
        interpreter = interpreter_class(model_path=path)
    interpreter.allocate_tensors()
    return package.__version__, interpreter


def resident_bytes():
    """Resident memory of this process (Linux)."""
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * resource.getpagesize()


def run(interpreter, inputs):
    """Classifies each row of int32 [rows, S] inputs by name; returns labels and seconds."""
    places = {tensor["name"].split(":")[0]: tensor["index"] for tensor in interpreter.get_input_details()}
    output = interpreter.get_output_details()[0]["index"]
    labels, seconds = [], []
    for row in range(len(inputs["input_ids"])):
        start = time.perf_counter()
        for name, place in places.items():
            interpreter.set_tensor(place, inputs[name][row : row + 1])
        interpreter.invoke()
        labels.append(int(interpreter.get_tensor(output)[0].argmax()))
        seconds.append(time.perf_counter() - start)
    return labels, seconds


def main():
    """Measures; without --library it prints the libraries that this Python has."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--library", choices=STANDALONE + (TENSORFLOW,))
    parser.add_argument("--model", help="the .tflite file")
    parser.add_argument("--inputs", help="an .npz file of the model's inputs")
    parser.add_argument("--rows", type=int, help="number of rows to run")
    parser.add_argument("--threads", type=int)
    options = parser.parse_args()
    if not options.library:
        sys.stdout.write(json.dumps(installed()))
        return
    with np.load(options.inputs) as archive:
        inputs = {name: archive[name][: options.rows] for name in archive.files}
    importlib.import_module(options.library)
    before = resident_bytes()
    version, interpreter = open_interpreter(options.library, options.model, options.threads)
    run(interpreter, {name: values[:_WARM_UP_ROWS] for name, values in inputs.items()})
    labels, seconds = run(interpreter, inputs)
    result = {
        "version": version,
        "median": float(np.median(seconds)),
        "p90": float(np.percentile(seconds, 90)),
        "bytes_before": before,
        "labels": labels,
    }
    sys.stdout.write("\n" + json.dumps(result))


if __name__ == "__main__":
    main()
