"""Browser page: an int8 ONNX export, the page beside this file and onnxruntime-web in one folder; needs no network.

npm install onnxruntime-web@1.30.0
python export_model.py --checkpoint=data/starter_model --format=onnx --onnx_type=int8 --output_dir=starter_onnx
python examples/browser/make_page.py starter_onnx page_folder
python -m http.server --directory=page_folder
"""

from __future__ import annotations

import argparse
import json
import pathlib
import shutil
import sys

HERE = pathlib.Path(__file__).resolve().parent
PAGE = ("index.html", "page.js", "model.js", "word_pieces.js")
STYLE = HERE.parent.parent / "albert" / "serving" / "page" / "page.css"
EXPORT = ("model.onnx", "export.json", "vocab.txt")
RUNTIME = ("ort.wasm.min.mjs", "ort-wasm-simd-threaded.mjs", "ort-wasm-simd-threaded.wasm")
RUNTIME_VERSION = "1.30.0"
HEADS = ("sentence_vector", "classifier")


def make_page(export, folder, runtime):
    """Copies all that a page needs into a new folder.

    Raises:
      ValueError: a file is missing, or the page cannot ask this model; the message says what to do.
    """
    check(export, EXPORT, "export_model.py --format=onnx makes it")
    check(runtime, RUNTIME, "`npm install onnxruntime-web@{}` brings it".format(RUNTIME_VERSION))
    settings = json.loads((export / "export.json").read_text("utf-8"))
    if settings.get("head") not in HEADS or (settings["head"] == "classifier" and not settings.get("similar_label")):
        raise ValueError("{} is no model of sentence vectors or of pairs: this page compares sentences".format(export))
    if folder.exists() and any(folder.iterdir()):
        raise ValueError("{} holds something: give a new folder".format(folder))
    folder.mkdir(parents=True, exist_ok=True)
    files = [(HERE, PAGE), (STYLE.parent, (STYLE.name,)), (export, EXPORT), (runtime, RUNTIME)]
    for source, names in files:
        for name in names:
            shutil.copyfile(str(source / name), str(folder / name))
    return sum(path.stat().st_size for path in folder.iterdir())


def check(folder, names, advice):
    """Checks that a folder holds files."""
    for name in names:
        if not (folder / name).is_file():
            raise ValueError("{} is missing: {}".format(folder / name, advice))


def main():
    """Makes the folder and says how to open it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("export", type=pathlib.Path, help="what export_model.py --format=onnx wrote")
    parser.add_argument("folder", type=pathlib.Path, help="a new folder for the page")
    parser.add_argument(
        "--runtime",
        type=pathlib.Path,
        default=pathlib.Path("node_modules/onnxruntime-web/dist"),
        help="the files of onnxruntime-web (default: node_modules/onnxruntime-web/dist)",
    )
    options = parser.parse_args()
    try:
        size = make_page(options.export, options.folder, options.runtime)
    except ValueError as error:
        sys.exit("error: {}".format(error))
    print(
        "{} has {:.1f} MB. Open it by: python -m http.server --directory={}".format(
            options.folder, size / 1e6, options.folder
        )
    )


if __name__ == "__main__":
    main()
