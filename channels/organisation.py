"""An organisation's own sign-in for its staff: OpenID Connect, authorization code with PKCE and nonce.

What the issuer says is believed only when its id token carries a signature of the issuer's keys, our client id, our
nonce and a time that fits (OpenID Connect Core 1.0, 3.1.3.7).
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import httpx2
from authlib.common.errors import AuthlibBaseError
from authlib.integrations.httpx_client import AsyncOAuth2Client
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from channels.errors import ChannelsError
from channels.settings import Settings

SCOPE: Final = "openid email profile"
ALGORITHMS: Final = ("RS256", "ES256", "PS256", "EdDSA")
"""Never none, never one with a shared secret."""
PATIENCE: Final = 10.0
"""Seconds for each answer of the issuer."""


class OrganisationSilent(ChannelsError):
    """The organisation's sign-in did not answer, or what it answered proves nothing."""


@dataclass(frozen=True, kw_only=True)
class Leave:
    """Where to send the browser, and what has to be remembered until it comes back."""

    address: str
    kept: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Identity:
    """Who the issuer says it is. `email` is empty unless the issuer vouches for it."""

    issuer: str
    subject: str
    email: str


class Organisation:
    """One issuer."""

    def __init__(self, settings: Settings, transport: httpx2.AsyncBaseTransport | None = None) -> None:
        self._issuer = settings.oidc_issuer.rstrip("/")
        self._client_id = settings.oidc_client_id
        self._secret = settings.oidc_client_secret.get_secret_value()
        self._back = f"{settings.base_url}/desk/sign-in/organisation/back"
        self._transport = transport

    async def leave(self) -> Leave:
        """Raises OrganisationSilent."""
        nonce, verifier = secrets.token_urlsafe(24), secrets.token_urlsafe(48)
        async with self._client() as client:
            facts = await self._discover(client)
            address, state = client.create_authorization_url(
                facts["authorization_endpoint"], code_verifier=verifier, nonce=nonce
            )
        return Leave(address=address, kept={"state": state, "nonce": nonce, "verifier": verifier})

    async def identify(self, code: str, kept: Mapping[str, str]) -> Identity:
        """Who came back with `code`. Raises OrganisationSilent."""
        async with self._client() as client:
            facts = await self._discover(client)
            try:
                token = await client.fetch_token(
                    facts["token_endpoint"], code=code, code_verifier=kept["verifier"], grant_type="authorization_code"
                )
                keys = (await client.request("GET", facts["jwks_uri"], withhold_token=True)).raise_for_status().json()
                said = self._read(str(token.get("id_token", "")), keys, kept["nonce"])
            except (httpx2.HTTPError, AuthlibBaseError, JoseError, ValueError, KeyError, TypeError) as problem:
                raise OrganisationSilent(type(problem).__name__) from problem
        email = str(said.get("email", "")).lower() if said.get("email_verified") is True else ""
        return Identity(issuer=self._issuer, subject=str(said["sub"]), email=email)

    def _read(self, token: str, keys: Any, nonce: str) -> dict[str, Any]:
        """The claims. Raises JoseError, ValueError."""
        claims: dict[str, Any] = jwt.decode(token, KeySet.import_key_set(keys), algorithms=list(ALGORITHMS)).claims
        expected = jwt.JWTClaimsRegistry(
            leeway=60,
            iss={"essential": True, "value": str(claims.get("iss"))},
            aud={"essential": True, "value": self._client_id},
            sub={"essential": True},
            exp={"essential": True},
            nonce={"essential": True, "value": nonce},
        )
        expected.validate(claims)
        if str(claims["iss"]).rstrip("/") != self._issuer:
            raise ValueError("another issuer")
        return claims

    async def _discover(self, client: AsyncOAuth2Client) -> dict[str, Any]:
        try:
            address = f"{self._issuer}/.well-known/openid-configuration"
            answer = await client.request("GET", address, withhold_token=True)
            facts: dict[str, Any] = answer.raise_for_status().json()
        except (httpx2.HTTPError, ValueError) as problem:
            raise OrganisationSilent(type(problem).__name__) from problem
        if str(facts.get("issuer", "")).rstrip("/") != self._issuer:
            raise OrganisationSilent("another issuer")
        return facts

    def _client(self) -> AsyncOAuth2Client:
        return AsyncOAuth2Client(
            self._client_id,
            self._secret or None,
            scope=SCOPE,
            redirect_uri=self._back,
            code_challenge_method="S256",
            timeout=PATIENCE,
            trust_env=False,
            transport=self._transport,
        )
