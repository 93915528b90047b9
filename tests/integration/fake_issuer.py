"""An OpenID Connect issuer in memory: discovery, keys and tokens, and whatever a test wants it to claim."""

from __future__ import annotations

import base64
import hashlib
import time
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
from joserfc import jwt
from joserfc.jwk import RSAKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

ADDRESS = "https://sign-in.example"


@dataclass
class FakeIssuer:
    """`claims` change what it says of the one person it knows; `key` what it signs with."""

    claims: dict[str, Any] = field(default_factory=dict)
    key: RSAKey = field(default_factory=lambda: RSAKey.generate_key(2048, {"kid": "one"}))
    published: RSAKey | None = None
    asked: dict[str, str] = field(default_factory=dict)

    def consent(self, address: str) -> str:
        """As somebody who was sent here and pressed Continue: the query they are sent back with."""
        self.asked = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
        assert self.asked["code_challenge_method"] == "S256"
        return f"code=the-code&state={self.asked['state']}"

    async def discover(self, _request: Request) -> JSONResponse:
        names = {"authorization_endpoint": "authorize", "token_endpoint": "token", "jwks_uri": "keys"}
        return JSONResponse({"issuer": ADDRESS, **{name: f"{ADDRESS}/{path}" for name, path in names.items()}})

    async def keys(self, _request: Request) -> JSONResponse:
        return JSONResponse({"keys": [(self.published or self.key).as_dict(private=False)]})

    async def token(self, request: Request) -> JSONResponse:
        form = await request.form()
        digest = hashlib.sha256(str(form["code_verifier"]).encode()).digest()
        if base64.urlsafe_b64encode(digest).rstrip(b"=").decode() != self.asked["code_challenge"]:
            return JSONResponse({"error": "invalid_grant"}, 400)
        now = int(time.time())
        said = {"iss": ADDRESS, "aud": self.asked["client_id"], "sub": "42", "iat": now, "exp": now + 60}
        said |= {"nonce": self.asked["nonce"], "email": "Jo@charity.example", "email_verified": True, **self.claims}
        id_token = jwt.encode({"alg": "RS256", "kid": "one"}, said, self.key)
        return JSONResponse({"access_token": "opaque", "token_type": "Bearer", "id_token": id_token})

    def transport(self) -> httpx2.ASGITransport:
        routes = [
            Route("/.well-known/openid-configuration", self.discover),
            Route("/keys", self.keys),
            Route("/token", self.token, methods=["POST"]),
        ]
        return httpx2.ASGITransport(Starlette(routes=routes))
