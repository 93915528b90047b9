"""Passkeys (WebAuthn level 2): what the browser is asked, and whether what it answers is true. No I/O."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import webauthn
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)


class PasskeyRefused(Exception):
    """What the browser answered does not prove anything here."""


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where we are to a browser. A passkey belongs to the host name and opens nothing elsewhere."""

    origin: str
    host: str

    @classmethod
    def of(cls, address: str) -> Place:
        parts = urlsplit(address)
        return cls(origin=f"{parts.scheme}://{parts.netloc}", host=parts.hostname or "")


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What goes to the browser, and the challenge that its answer must carry."""

    options: str
    challenge: str


@dataclass(frozen=True, kw_only=True)
class Made:
    """A new passkey: id and public key as base64url."""

    credential_id: str
    public_key: str
    count: int


def ask_to_register(place: Place, service: str, person: tuple[str, str, str], known: Sequence[str]) -> Asked:
    """`person` is id, login and name; `known` the ids of the passkeys they have, which are not made again."""
    peer_id, login, name = person
    options = webauthn.generate_registration_options(
        rp_id=place.host,
        rp_name=service,
        user_id=peer_id.encode(),
        user_name=login,
        user_display_name=name,
        exclude_credentials=[PublicKeyCredentialDescriptor(id=base64url_to_bytes(each)) for each in known],
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED, user_verification=UserVerificationRequirement.REQUIRED
        ),
    )
    return Asked(options=webauthn.options_to_json(options), challenge=bytes_to_base64url(options.challenge))


def read_registration(place: Place, challenge: str, answer: str) -> Made:
    """Raises PasskeyRefused."""
    try:
        made = webauthn.verify_registration_response(
            credential=_object(answer),
            expected_challenge=base64url_to_bytes(challenge),
            expected_rp_id=place.host,
            expected_origin=place.origin,
            require_user_verification=True,
        )
    except (WebAuthnException, ValueError, KeyError, TypeError) as problem:
        raise PasskeyRefused from problem
    return Made(
        credential_id=bytes_to_base64url(made.credential_id),
        public_key=bytes_to_base64url(made.credential_public_key),
        count=made.sign_count,
    )


def ask_to_sign_in(place: Place) -> Asked:
    """Without naming anybody: the browser offers the passkeys it has for this place."""
    options = webauthn.generate_authentication_options(
        rp_id=place.host, user_verification=UserVerificationRequirement.REQUIRED
    )
    return Asked(options=webauthn.options_to_json(options), challenge=bytes_to_base64url(options.challenge))


def credential_of(answer: str) -> str:
    """The id of the passkey that answers. Raises PasskeyRefused."""
    try:
        said = _object(answer)["rawId"]
    except (ValueError, KeyError) as problem:
        raise PasskeyRefused from problem
    if not isinstance(said, str):
        raise PasskeyRefused
    return said.rstrip("=")


def read_sign_in(place: Place, challenge: str, answer: str, *, public_key: str) -> int:
    """The passkey's new signature count. Raises PasskeyRefused. That the count moves on is the ledger's to see."""
    try:
        shown = webauthn.verify_authentication_response(
            credential=_object(answer),
            expected_challenge=base64url_to_bytes(challenge),
            expected_rp_id=place.host,
            expected_origin=place.origin,
            credential_public_key=base64url_to_bytes(public_key),
            credential_current_sign_count=0,
            require_user_verification=True,
        )
    except (WebAuthnException, ValueError, KeyError, TypeError) as problem:
        raise PasskeyRefused from problem
    return shown.new_sign_count


def _object(answer: str) -> dict[str, Any]:
    """Raises ValueError."""
    found = json.loads(answer)
    if not isinstance(found, dict):
        raise ValueError("not an object")
    return found
