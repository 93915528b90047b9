"""`make bench`: reply time through the whole stack against Rasa alone, and acknowledgement with Rasa stopped.

Both arms run in turns in the same run, on the same machine, with the same model and action server:

- whole stack: a signed webhook arrives, the reply arrives at the provider's API. Store, stream, concern check, Rasa,
  action, search, fitting, ledger, sending: everything that a person waits for.
- bare Rasa: the same words to a second Rasa with its stock REST channel.

Then Rasa is stopped and webhooks are acknowledged. Figures are milliseconds; trust the ratio more than the figures.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import secrets
import signal
import statistics
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route
from twilio.request_validator import RequestValidator

from tests.e2e.conftest import ROOT, Product, spare_port, start_product, stop_product

MESSAGES = (
    "cant pay my rent this month",
    "is there a food bank near me",
    "i feel so low and i dont sleep",
    "my landlord wont fix the boiler",
    "looking for people to walk with",
    "how do i claim pip",
    "been drinking too much lately",
    "lost my job on friday",
)
PEOPLE = 9
"""One more than messages: nobody writes the same thing again and again, which is not answered for ever."""
UNLIMITED = {"NWD_PERSON_PER_MINUTE": "0", "NWD_REPLIES_PER_HOUR": "0"}
"""A few people write as much here as many would."""
OUR_NUMBER = "+441632960000"
BESIDE_THE_PRODUCT = 12
"""Away from the ten ports that a copy of the product uses."""


class ProviderApi:
    """Twilio's Messages resource, as far as sending needs it; notes when each reply arrived."""

    def __init__(self) -> None:
        self.arrived: dict[str, asyncio.Queue[float]] = {}

    def queue(self, number: str) -> asyncio.Queue[float]:
        return self.arrived.setdefault(number, asyncio.Queue())

    async def create(self, request: Request) -> JSONResponse:
        form = await request.form()
        self.queue(str(form["To"])).put_nowait(time.perf_counter())
        sid = "SM" + secrets.token_hex(16)
        return JSONResponse({"sid": sid, "status": "queued", "to": form["To"], "body": form["Body"]}, status_code=201)

    async def listing(self, request: Request) -> JSONResponse:
        return JSONResponse({"messages": [], "page": 0, "page_size": 50, "next_page_uri": None})

    def app(self) -> Starlette:
        path = "/2010-04-01/Accounts/{sid}/Messages.json"
        return Starlette(
            routes=[Route(path, self.create, methods=["POST"]), Route(path, self.listing, methods=["GET"])]
        )


class Provider:
    """Sends signed webhooks, as Twilio does."""

    def __init__(self, product: Product, client: httpx.AsyncClient) -> None:
        secrets_file = json.loads((product.data_dir / "demo-secrets.json").read_text())
        self.account = secrets_file["NWD_TWILIO_ACCOUNT_SID"]
        self.validator = RequestValidator(secrets_file["NWD_TWILIO_AUTH_TOKEN"])
        self.address = f"{product.url}/hooks/twilio/message"
        self.client = client

    async def deliver(self, number: str, text: str) -> float:
        """Posts one text; gives the seconds until it was acknowledged."""
        form = {"MessageSid": "SM" + secrets.token_hex(16), "AccountSid": self.account, "NumMedia": "0"}
        form |= {"From": number, "To": OUR_NUMBER, "Body": text}
        signature = self.validator.compute_signature(self.address, form)
        began = time.perf_counter()
        answer = await self.client.post(self.address, data=form, headers={"X-Twilio-Signature": signature})
        answer.raise_for_status()
        return time.perf_counter() - began


@contextmanager
def bare_rasa(product: Product, folder: Path) -> Iterator[str]:
    """A second Rasa with the stock REST channel, the same model and the same action server."""
    port = spare_port() + BESIDE_THE_PRODUCT
    credentials = folder / "rest.yml"
    credentials.write_text("rest:\n")
    tokens = json.loads((product.data_dir / "demo-secrets.json").read_text())
    endpoints = folder / "endpoints.yml"
    endpoints.write_text(
        f"action_endpoint:\n  url: http://127.0.0.1:{product.port + 6}/webhook\n"
        f"  headers:\n    Authorization: Bearer {tokens['NWD_ACTIONS_TOKEN']}\n"
    )
    env = {**os.environ, "NWD_ENCODER_DIR": str(ROOT / ".build" / "minilm"), "OMP_NUM_THREADS": "1",
           "SQLALCHEMY_SILENCE_UBER_WARNING": "1", "TF_CPP_MIN_LOG_LEVEL": "3", "LOG_LEVEL": "ERROR"}  # fmt: skip
    words = f".venv-rasa/bin/python -m rasa run --model .build/rasa/current.tar.gz --interface 127.0.0.1 --port {port}"
    command = [*words.split(), "--credentials", str(credentials), "--endpoints", str(endpoints)]
    process = subprocess.Popen(command, cwd=ROOT, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    url = f"http://127.0.0.1:{port}/webhooks/rest/webhook"
    try:
        for _ in range(600):
            try:
                if httpx.post(url, json={"sender": "warm-up", "message": "hello"}, trust_env=False, timeout=20).json():
                    break
            except httpx.HTTPError:
                time.sleep(0.1)
        yield url
    finally:
        process.terminate()
        process.wait(timeout=20)


def number_of(person: int) -> str:
    return f"+4477009001{person:02}"


async def reply_times(provider: Provider, api: ProviderApi, rest: str, rounds: int) -> tuple[list[float], list[float]]:
    """Milliseconds for both arms, measured in turns. Every person's first exchange is not counted."""
    for person in range(PEOPLE):
        await provider.deliver(number_of(person), "hello")
        await asyncio.wait_for(api.queue(number_of(person)).get(), 30)
    await asyncio.sleep(2)
    stack, bare = [], []
    for turn in range(rounds):
        words, number = MESSAGES[turn % len(MESSAGES)], number_of(turn % PEOPLE)
        queue = api.queue(number)
        while not queue.empty():
            queue.get_nowait()
        began = time.perf_counter()
        await provider.deliver(number, words)
        stack.append((await asyncio.wait_for(queue.get(), 30) - began) * 1000)
        await asyncio.sleep(0.05)
        began = time.perf_counter()
        answer = await provider.client.post(rest, json={"sender": f"bench-{turn // 8}", "message": words})
        assert answer.json(), "bare Rasa gave nothing"
        bare.append((time.perf_counter() - began) * 1000)
    return stack, bare


async def acknowledgement_times(product: Product, provider: Provider, count: int) -> list[float]:
    """Milliseconds until a webhook is acknowledged while Rasa is stopped (SIGSTOP: the worst kind of away)."""
    pid = product.pid_of("rasa")
    os.kill(pid, signal.SIGSTOP)
    try:
        return [await provider.deliver(f"+4477009002{turn % 40:02}", "hello there") * 1000 for turn in range(count)]
    finally:
        os.kill(pid, signal.SIGCONT)


def row(name: str, values: list[float]) -> str:
    cuts = statistics.quantiles(values, n=100, method="inclusive")
    return f"{name:<44} {cuts[49]:8.1f} {cuts[94]:8.1f} {cuts[98]:8.1f}   {len(values):5}"


async def measure(product: Product, api: ProviderApi, folder: Path, rounds: int) -> None:
    async with httpx.AsyncClient(trust_env=False, timeout=30) as client:
        provider = Provider(product, client)
        print("starting a second Rasa with its stock REST channel ...", flush=True)
        with bare_rasa(product, folder) as rest:
            stack, bare = await reply_times(provider, api, rest, rounds)
        acknowledged = await acknowledgement_times(product, provider, rounds)
    print(f"\n{'milliseconds':<44} {'p50':>8} {'p95':>8} {'p99':>8}   {'n':>5}")
    print(row("reply through the whole stack", stack))
    print(row("reply of bare Rasa (stock REST channel)", bare))
    print(row("acknowledgement of a webhook, Rasa stopped", acknowledged))
    ratio = statistics.median(s / b for s, b in zip(stack, bare, strict=True))
    print(f"\nwhole stack / bare Rasa, median of pairs: {ratio:.2f}")


async def run(rounds: int) -> None:
    api = ProviderApi()
    port = spare_port() + BESIDE_THE_PRODUCT
    server = uvicorn.Server(uvicorn.Config(api.app(), host="127.0.0.1", port=port, log_level="error"))
    serving = asyncio.create_task(server.serve())
    with tempfile.TemporaryDirectory() as scratch:
        api_url = f"http://127.0.0.1:{port}"
        product = await asyncio.to_thread(start_product, Path(scratch), NWD_TWILIO_API_URL=api_url, **UNLIMITED)
        try:
            await asyncio.to_thread(product.wait_ready)
            await measure(product, api, Path(scratch), rounds)
        finally:
            await asyncio.to_thread(stop_product, product)
    server.should_exit = True
    await serving


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=200, help="messages in each arm")
    asyncio.run(run(parser.parse_args().rounds))


if __name__ == "__main__":
    main()
