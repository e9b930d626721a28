"""Published models and data sets: their names, addresses and mirrors.

A mirror replaces the part of the address before the file's path. The environment variables that name mirrors:
ALBERT_ZH_MIRROR for the models, CLUE_MIRROR for the tasks of CLUE, LCQMC_MIRROR for LCQMC, and HF_ENDPOINT, as for
Hugging Face's own programs, for the models on its hub and the vocabulary.
"""

from __future__ import annotations

import os
from typing import Dict, List, NamedTuple, Optional, Tuple

from albert.base.paths import shell_word


class Source(NamedTuple):
    """Place from which files are downloaded.

    Attributes:
      variable: the environment variable that names a mirror of it.
      address: what stands before the path of a file.
      mirrors: public mirrors, which can be reached where the address cannot.
    """

    variable: str
    address: str
    mirrors: Tuple[str, ...] = ()

    def url_of(self, path: str) -> str:
        """The address of a file, on the mirror that the environment names or at the source."""
        return (os.environ.get(self.variable) or self.address).rstrip("/") + "/" + path


MODELS_SOURCE = Source("ALBERT_ZH_MIRROR", "https://storage.googleapis.com/albert_zh")
CLUE_SOURCE = Source("CLUE_MIRROR", "https://storage.googleapis.com/cluebenchmark/tasks")
LCQMC_SOURCE = Source("LCQMC_MIRROR", "https://raw.githubusercontent.com/pengming617/text_matching/master/data")
HUB_SOURCE = Source("HF_ENDPOINT", "https://huggingface.co", ("https://hf-mirror.com",))
SOURCES = (MODELS_SOURCE, CLUE_SOURCE, LCQMC_SOURCE, HUB_SOURCE)


class PublishedModel(NamedTuple):
    """A model to download.

    Attributes:
      family: "zh" or "google".
      what: its size, and how it differs from others of that size.
      lcqmc_test_accuracy: as published for its size, in percent (docs/en/models.md); None if none was published.
    """

    family: str
    what: str
    lcqmc_test_accuracy: Optional[float]


# Name of a model (its archive is NAME.zip) → the model.
MODELS: Dict[str, PublishedModel] = {
    "albert_tiny_489k": PublishedModel("zh", "tiny, trained longer", 85.4),
    "albert_tiny": PublishedModel("zh", "tiny", 85.4),
    "albert_base_zh": PublishedModel("zh", "base", 86.3),
    "albert_base_zh_additional_36k_steps": PublishedModel("zh", "base, 36,000 steps more", 86.3),
    "albert_large_zh": PublishedModel("zh", "large", 87.1),
    "albert_xlarge_zh_177k": PublishedModel("zh", "xlarge, 177,000 steps", 87.7),
    "albert_xlarge_zh_183k": PublishedModel("zh", "xlarge, 183,000 steps", 87.7),
    "albert_tiny_zh_google": PublishedModel("google", "tiny", None),
    "albert_small_zh_google": PublishedModel("google", "small", 86.0),
}

# Folders that the published instructions give to models under other names than their own.
MODEL_FOLDERS = {"albert_tiny_489k": "albert_tiny_zh"}

# Name of a model in the format of transformers -> its repository on the hub of Hugging Face, and what it is. They were
# made of published models of the google family (docs/en/published.md), and can be reached over a mirror of the hub.
HUB_MODELS: Dict[str, Tuple[str, str]] = {
    "albert_chinese_tiny": ("voidful/albert_chinese_tiny", "albert_tiny_google_zh"),
    "albert_chinese_small": ("voidful/albert_chinese_small", "albert_small_google_zh"),
    "albert_chinese_base": ("voidful/albert_chinese_base", "albert_base_zh (from Google)"),
    "albert_chinese_large": ("voidful/albert_chinese_large", "albert_large_zh (from Google)"),
    "albert_chinese_xlarge": ("voidful/albert_chinese_xlarge", "albert_xlarge_zh (from Google)"),
    "albert_chinese_xxlarge": ("voidful/albert_chinese_xxlarge", "albert_xxlarge_zh (from Google)"),
}
HUB_FILES = ("config.json", "vocab.txt")
HUB_WEIGHTS = ("model.safetensors", "pytorch_model.bin")  # the first that is there; reading the second needs torch
_HUB_FILE = "{}/resolve/main/{}"
_VOCABULARY_REPOSITORY = "bert-base-chinese"

# Name of a task of CLUE (its archive is NAME_public.zip) → its content.
CLUE_TASKS: Dict[str, str] = {
    "afqmc": "question pairs of a bank's customers",
    "cluewsc2020": "what a pronoun stands for (the task wsc)",
    "cluener": "names of people, places and eight more kinds",
    "cmnli": "inference, translated",
    "cmrc2018": "reading comprehension",
    "copa": "causes and effects",
    "csl": "keywords of abstracts",
    "drcd": "reading comprehension, traditional characters",
    "iflytek": "descriptions of apps",
    "ocnli": "inference",
    "tnews": "headlines of news",
}

LCQMC = "lcqmc"
LCQMC_FILES = ("train.txt", "dev.txt", "test.txt")


class PublishedFile(NamedTuple):
    """One file to download: its name in the folder, and its address."""

    name: str
    url: str


def known_names() -> List[str]:
    """All names that can be downloaded, data sets first."""
    return [LCQMC] + list(CLUE_TASKS) + list(MODELS) + list(HUB_MODELS)


def archive_of(name: str) -> PublishedFile:
    """The archive of a model in `MODELS` or of a task in `CLUE_TASKS`."""
    source, archive = (MODELS_SOURCE, name + ".zip") if name in MODELS else (CLUE_SOURCE, name + "_public.zip")
    return PublishedFile(archive, source.url_of(archive))


def lcqmc_files() -> List[PublishedFile]:
    """The three files of LCQMC."""
    return [PublishedFile(name, LCQMC_SOURCE.url_of(name)) for name in LCQMC_FILES]


def hub_file(name: str, file_name: str) -> PublishedFile:
    """A file of a model in `HUB_MODELS`."""
    return PublishedFile(file_name, HUB_SOURCE.url_of(_HUB_FILE.format(HUB_MODELS[name][0], file_name)))


def vocabulary_address() -> str:
    """The address of BERT-Base Chinese's vocabulary on the hub."""
    return HUB_SOURCE.url_of(_HUB_FILE.format(_VOCABULARY_REPOSITORY, "vocab.txt"))


def mirror_advice(url: str) -> str:
    """Names the environment variable for a mirror of the source of an address; empty for other addresses."""
    for source in SOURCES:
        if url.startswith(source.address):
            example = " (for example {}={})".format(source.variable, source.mirrors[0]) if source.mirrors else ""
            return "name a mirror by the environment variable {}{}".format(source.variable, example)
    return ""


def download_advice(path: str) -> str:
    """Words behind a message on a file that is not there: the command that brings it; empty where none is known."""
    command = download_command(path)
    return " (`{}` brings the published model)".format(command) if command else ""


def download_command(path: str) -> Optional[str]:
    """The command that brings a published model to where a path expects it; None where the path names none.

    Args:
      path: of a folder, or of a file or a checkpoint in a folder.
    """
    for folder in (path, os.path.dirname(path)):
        name = os.path.basename(os.path.normpath(folder))
        for published in list(MODELS) + list(HUB_MODELS):
            if name == MODEL_FOLDERS.get(published, published):
                return "python -m albert.downloads.download {} --to={}".format(published, shell_word(folder))
    return None
