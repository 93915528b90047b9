"""Errors of the package. Each text says what to do next, because an operator reads it at a prompt."""

from __future__ import annotations


class KnowledgeError(Exception):
    """Something in `knowledge` could not be done; the text names the fix."""


class SettingsError(KnowledgeError):
    """A setting is missing or wrong. The text names the variable and what it is for."""


class CatalogueFileError(KnowledgeError):
    """A content file cannot be used. Carries every problem found, not only the first.

    Each problem is one line: file, line, id, field, what is wrong, the fix.
    """

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class ModelNotTrusted(KnowledgeError):
    """The sentence encoder is missing, or its files are not the ones whose hashes we know."""


class StoreError(KnowledgeError):
    """The catalogue database cannot be used."""


class IndexMissing(KnowledgeError):
    """There is no usable index snapshot. `python -m knowledge index` builds one."""


class ImportRefused(KnowledgeError):
    """A source cannot or must not be read. Nothing of it was used; the text says why and what to do."""
