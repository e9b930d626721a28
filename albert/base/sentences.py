"""Sentences for people that can be translated: they know the template and the values of which they are made."""

from __future__ import annotations

from typing import Any, Mapping, Tuple


class Sentence(str):
    """English sentence made of a template; anything that wants a text takes it as one.

    Attributes:
      template: as of `str.format`, with values in order; by it a translation is found.
      values: of the template; sentences among them are translated, too, and other texts are names.
    """

    template: str
    values: Tuple[Any, ...]

    def __new__(cls, template: str, *values: Any) -> Sentence:
        """Makes the sentence."""
        made = super().__new__(cls, template.format(*values))
        made.template, made.values = template, values
        return made


def translated(text: str, templates: Mapping[str, str]) -> str:
    """Translates a sentence, and those among its values; a text without a translation stays as it is.

    Args:
      text: a `Sentence`, or a text that is its own template.
      templates: translations by English template, with the same values, in any order ("{1} {0}").
    """
    if not isinstance(text, Sentence):
        return templates.get(text, text)
    template = templates.get(text.template)
    if template is None:
        return str(text)
    return template.format(
        *(translated(value, templates) if isinstance(value, Sentence) else value for value in text.values)
    )
