"""Twilio's own library for JavaScript as an independent judge of our signatures, and as a client of our fake Twilio.

Only with NWD_TEST_NPM=1. It signs and checks with SHA-1 alone (version 6.2.0); SHA-256 is checked by hand in
tests/unit/test_twilio_signature.py.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import random
import subprocess
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode

import pytest
from starlette.datastructures import FormData
from twilio.request_validator import RequestValidator

from channels.ledger import Ledger
from channels.settings import Settings
from channels.sms.twilio import Twilio
from channels.streams import Streams
from tests.npm import fetch
from tests.phone_builders import OUR_NUMBER, PHONE, open_world, with_phones

PACKAGE = "twilio@6.2.0"
COUNT = 2000
TOKEN, BASE = "auth-token-of-the-tests", "https://help.example"
ALPHABETS = (
    "abc XYZ 019", "'\"&=+%;,/?:@#[]()~*!", "Zażółć gęślą jaźń", "мне нужна помощь",
    "مساعدة 助けて", "😀💩👍🏽", "\n\t ",
)  # fmt: skip
NAMES = (
    "Body",
    "From",
    "To",
    "MessageSid",
    "NumMedia",
    "MediaUrl0",
    "FutureField",
    "a",
    "A",
    "a b",
    "Überraschung",
    "0",
)
QUERIES = ("", "?a=b", "?name=O'Neil&x=%20y", "?empty=", "?q=a+b&q=c", "?u=%C3%A9")

SIGN = """
const { getExpectedTwilioSignature } = require("twilio/lib/webhooks/webhooks");
const { token, cases } = JSON.parse(require("fs").readFileSync(0, "utf8"));
console.log(JSON.stringify(cases.map((one) => getExpectedTwilioSignature(token, one.url, one.params))));
"""
VALIDATE = """
const { validateRequest } = require("twilio");
const { token, cases } = JSON.parse(require("fs").readFileSync(0, "utf8"));
console.log(JSON.stringify(cases.map((one) => validateRequest(token, one.signature, one.url, one.params))));
"""
WITH_BODY = """
const { validateRequestWithBody } = require("twilio");
const { token, cases } = JSON.parse(require("fs").readFileSync(0, "utf8"));
console.log(JSON.stringify(cases.map((one) => validateRequestWithBody(token, one.signature, one.url, one.body))));
"""
SEND = """
const { account, token, base, from, to, words } = JSON.parse(require("fs").readFileSync(0, "utf8"));
const client = require("twilio")(account, token);
client.api.baseUrl = base;
(async () => {
  const sent = await client.messages.create({ from, to, body: words });
  const fetched = await client.messages(sent.sid).fetch();
  const listed = await client.messages.list({ to, limit: 5 });
  const refused = await client.messages.create({ from, to, body: "x".repeat(1601) }).catch((error) => error);
  console.log(JSON.stringify({
    sid: sent.sid, body: fetched.body, listed: listed.map((one) => one.sid), code: refused.code, status: refused.status,
  }));
})();
"""


@pytest.fixture(scope="module")
def modules(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return fetch(PACKAGE, tmp_path_factory.mktemp("twilio"))


@pytest.fixture(scope="module")
def twilio() -> Twilio:
    return Twilio(Settings(twilio_account_sid="AC1", twilio_auth_token=TOKEN, public_url=BASE))


def run(modules: Path, script: str, given: object) -> Any:
    done = subprocess.run(
        ["node", "-e", script], cwd=modules, input=json.dumps(given), capture_output=True, text=True, check=True
    )
    return json.loads(done.stdout)


def forms() -> list[tuple[str, list[tuple[str, str]]]]:
    """Path and fields: blank, repeated, unknown, in many alphabets; queries as Twilio would have them."""
    chance = random.Random(20261123)
    found = []
    for number in range(COUNT):
        pairs = []
        for name in chance.sample(NAMES, chance.randint(0, 8)):
            for _ in range(chance.choice((1, 1, 1, 2, 3))):
                letters = chance.choice(ALPHABETS)
                pairs.append((name, "".join(chance.choices(letters, k=chance.choice((0, 1, 5, 160))))))
        found.append((f"/hooks/twilio/message{QUERIES[number % len(QUERIES)]}", pairs))
    return found


def params(pairs: list[tuple[str, str]]) -> dict[str, str | list[str]]:
    """As a web framework for JavaScript hands them over: a list where a name repeats."""
    found: dict[str, list[str]] = {}
    for name, value in pairs:
        found.setdefault(name, []).append(value)
    return {name: values[0] if len(values) == 1 else values for name, values in found.items()}


def arrived(pairs: list[tuple[str, str]]) -> FormData:
    return FormData(parse_qsl(urlencode(pairs), keep_blank_values=True))


def test_what_it_signs_we_accept_and_not_with_a_letter_more(modules: Path, twilio: Twilio) -> None:
    given = forms()
    cases = [{"url": BASE + path, "params": params(pairs)} for path, pairs in given]
    signatures = run(modules, SIGN, {"token": TOKEN, "cases": cases})
    refused = [case for case, signature in zip(given, signatures, strict=True)
               if not twilio.verify(case[0], arrived(case[1]), signature)]  # fmt: skip
    assert not refused, f"{len(refused)} of {COUNT}, such as {refused[0]!r}"
    changed = [twilio.verify(path, arrived([*pairs, ("z", "more")]), signature)
               for (path, pairs), signature in zip(given, signatures, strict=True)]  # fmt: skip
    assert not any(changed)


def test_of_what_is_true_and_what_is_forged_both_think_the_same(modules: Path, twilio: Twilio) -> None:
    chance, cases, ours = random.Random(1), [], []
    for number, (path, pairs) in enumerate(forms()):
        signature = RequestValidator(TOKEN).compute_signature(BASE + path, arrived(pairs))
        if number % 2:
            place = chance.randrange(20)
            signature = f"{signature[:place]}{'A' if signature[place] != 'A' else 'B'}{signature[place + 1 :]}"
        if number % 10 == 1:
            signature = base64.b64encode(chance.randbytes(20)).decode()
        cases.append({"url": BASE + path, "params": params(pairs), "signature": signature})
        ours.append(twilio.verify(path, arrived(pairs), signature))
    assert run(modules, VALIDATE, {"token": TOKEN, "cases": cases}) == ours
    assert sum(ours) == COUNT // 2


def test_a_request_whose_body_is_signed_by_its_hash_carries_a_signature_that_both_accept(
    modules: Path, twilio: Twilio
) -> None:
    """The kind with a JSON body, which no webhook of ours is: the gateway turns the content type away afterwards."""
    body = '{"words": "cant pay my rent"}'
    path = f"/hooks/twilio/status?bodySHA256={hashlib.sha256(body.encode()).hexdigest()}"
    signature = RequestValidator(TOKEN).compute_signature(BASE + path, {})
    cases = [
        {"url": BASE + path, "signature": signature, "body": body},
        {"url": BASE + path, "signature": signature, "body": body + " "},
        {"url": BASE + path, "signature": signature[::-1], "body": body},
    ]
    assert run(modules, WITH_BODY, {"token": TOKEN, "cases": cases}) == [True, False, False]
    assert twilio.verify(path, FormData(), signature)
    assert not twilio.verify(path, FormData(), signature[::-1])


async def test_its_client_sends_through_our_fake(
    modules: Path, settings: Settings, ledger: Ledger, streams: Streams
) -> None:
    """What the simulator answers is what Twilio's own client expects."""
    given = with_phones(settings)
    async with open_world(given, ledger, streams) as world:
        request = {
            "account": given.twilio_account_sid, "token": given.twilio_auth_token.get_secret_value(),
            "base": given.twilio_api_url, "from": OUR_NUMBER, "to": PHONE.address, "words": "hello from node 😀",
        }  # fmt: skip
        answer = await asyncio.to_thread(run, modules, SEND, request)
        await world.shows("hello from node 😀")
    assert answer["sid"].startswith("SM")
    assert (answer["body"], answer["listed"]) == ("hello from node 😀", [answer["sid"]])
    assert (answer["code"], answer["status"]) == (21617, 400)
