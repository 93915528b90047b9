"""Whether a listing can be given to people: what must be put right before it goes for review, and advice. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from typing import Final

import phonenumbers

from knowledge.catalogue import Organisation, Service
from knowledge.checks import SENDS_AWAY, check_service
from knowledge.editing.forms import Form, Problem, write_service
from knowledge.editing.readability import READING_AGE, reading_age
from knowledge.editing.words import Words

READ: Final = ("name", "summary", "description", "how_to", "eligibility", "cost", "alert")
"""The texts that people read."""
_FOUND: Final = re.compile(r"([a-z_]+): (.*)", re.DOTALL)


def check_form(
    form: Form, service_id: str, owners: Mapping[str, Organisation], known_needs: Mapping[str, str], words: Words
) -> tuple[Service, tuple[Problem, ...]]:
    """The listing that a form describes, and everything to be said about it, errors first."""
    service, problems = write_service(form, service_id, owners, known_needs)
    phrases = list(_phrases(form, words))
    named = {problem.field for problem in phrases if problem.error}
    found = [*problems, *_from_checks(service, named), *phrases, *_hard_texts(form), *_odd_numbers(service)]
    unique = {(problem.field, problem.text): problem for problem in found}
    return service, tuple(sorted(unique.values(), key=lambda problem: not problem.error))


def _from_checks(service: Service, named: Collection[str]) -> Iterator[Problem]:
    """`named` are fields with a phrase that cannot stay; the phrases of the form hold all that the checks refuse."""
    for text in check_service(service):
        found = _FOUND.fullmatch(text)
        assert found is not None
        field, words = found[1], found[2]
        if field == "needs" and not service.needs:
            continue  # said already, in the words of the form
        if field in named and SENDS_AWAY in words:
            continue
        # Without coordinates somewhere can still be found by its town; a public catalogue often has none.
        yield Problem(field=field, text=words[0].upper() + words[1:], error="add latitude" not in words)


def _phrases(form: Form, words: Words) -> Iterator[Problem]:
    for field in READ:
        for phrase in words.phrases:
            found = phrase.pattern.search(form[field])
            if found and phrase.never:
                yield Problem(field=field, text=f'"{found.group()}" cannot stay. {phrase.instead}')
            elif found:
                yield Problem(field=field, text=f'Instead of "{found.group()}": {phrase.instead}.', error=False)


def _hard_texts(form: Form) -> Iterator[Problem]:
    for field in READ:
        age = reading_age(form[field])
        if age is not None and age > READING_AGE:
            text = f"Reading age {age:.0f}; aim for {READING_AGE} at most. Shorter sentences and shorter words help."
            yield Problem(field=field, text=text, error=False)


def _odd_numbers(service: Service) -> Iterator[Problem]:
    """Numbers that nobody can have. Short ones (116 123, 85258) are not in the tables of ordinary numbers."""
    for place, phone in enumerate(service.phones):
        digits = re.sub(r"\D", "", phone.number)
        if len(digits) < 9 or phone.sms:
            continue
        try:
            possible = phonenumbers.is_possible_number(phonenumbers.parse(phone.number, "GB"))
        except phonenumbers.NumberParseException:
            possible = False
        if not possible:
            text = f"{phone.number} does not look whole. Ring it, or count its digits."
            yield Problem(field=f"phones-{place}-number", text=text, error=False)
