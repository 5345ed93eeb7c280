"""Answers, as the official clients and curl see them."""

import asyncio
import hashlib
import json
import subprocess
import tempfile

import openai
from langchain_openai import ChatOpenAI

from checks import PATIENCE, check, equal, expect

from .front import ECHO, MODEL, PRICE, PROMPT, Gate, front, question

HASH = hashlib.sha256(PROMPT.encode()).hexdigest()


def sdk(gateway, **options):
    return openai.OpenAI(base_url=gateway.url, api_key="none", timeout=PATIENCE, **options)


@check("the official SDK gets a paid answer, and its headers prove what was paid")
def completion():
    with front() as gateway:
        raw = sdk(gateway).chat.completions.with_raw_response.create(**question())
        answer = raw.parse()
        equal(answer.choices[0].message.content, HASH + ECHO, "the answer")
        equal(answer.choices[0].finish_reason, "stop", "the reason")
        equal((answer.model, answer.object), (MODEL, "chat.completion"), "the answer's frame")
        usage = answer.usage
        equal((usage.prompt_tokens, usage.completion_tokens), (6, 22), "the estimate")
        headers = raw.headers
        job = gateway.payments()[0]
        equal(headers["x-lcp-job-id"], job["job_id"], "the job")
        equal(headers["x-lcp-peer-id"], gateway.theirs.pubkey, "the peer")
        equal(headers["x-lcp-terms-hash"], job["terms_hash"], "the terms")
        equal(
            (headers["x-lcp-price-msat"], headers["x-lcp-fee-msat"]), (str(PRICE), "0"), "the price"
        )
        equal(headers["x-lcp-usage"], "approx.v1", "whose count the usage is")
        expect(headers["x-request-id"].startswith("req_"), "the request's name")
        equal(gateway.spent(), PRICE, "what was spent")
        models = sdk(gateway).models.list().data
        equal([m.id for m in models], [MODEL], "the models")
        equal(sdk(gateway).models.retrieve(MODEL).owned_by, gateway.theirs.pubkey, "the owner")


@check("a stream has its role, its content, its end and its usage")
def stream():
    with front() as gateway:
        chunks = list(
            sdk(gateway).chat.completions.create(
                **question(), stream=True, stream_options={"include_usage": True}
            )
        )
        equal(chunks[0].choices[0].delta.role, "assistant", "who speaks")
        text = "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)
        equal(text, HASH + ECHO, "the content")
        equal([c.choices[0].finish_reason for c in chunks if c.choices][-1], "stop", "the end")
        equal((chunks[-1].choices, chunks[-1].usage.prompt_tokens), ([], 6), "the usage")
        equal(len({c.id for c in chunks}), 1, "the names of the chunks")
        equal(gateway.spent(), PRICE, "what was spent")


@check("the asynchronous SDK and LangChain talk to it, roles and all")
def others():
    async def ask(gateway):
        async with openai.AsyncOpenAI(base_url=gateway.url, api_key="none") as client:
            return await client.chat.completions.create(**question("async"))

    with front() as gateway:
        equal(asyncio.run(ask(gateway)).choices[0].message.content[-5:], "async", "the answer")
        chat = ChatOpenAI(base_url=gateway.url, api_key="none", model=MODEL, max_tokens=64)
        answer = chat.invoke([("system", "Be brief."), ("human", "Hello?")])
        expect(
            answer.content.endswith("\nSystem: Be brief.\n\nUser: Hello?\n\nAssistant:"),
            f"the prompt: {answer.content}",
        )
        pieces = "".join(piece.text for piece in chat.stream("Hello?"))
        expect(pieces.endswith("\nHello?"), f"the stream: {pieces}")


@check("curl sees an event stream with signs of life, and [DONE]")
def curl():
    with tempfile.TemporaryDirectory() as directory:
        gate = Gate(directory)
        with front(gate=gate) as gateway:
            process = subprocess.Popen(
                ["curl", "-sN", f"{gateway.url}/chat/completions",
                 "-H", "content-type: application/json",
                 "-d", json.dumps({**question(), "stream": True})],
                stdout=subprocess.PIPE, text=True,
            )
            lines = iter(process.stdout.readline, "")
            expect('"role":"assistant"' in next(lines), "the first event is no role")
            expect(any(line == ": ping\n" for line in lines), "there was no sign of life")
            gate.open()
            rest = list(lines)
            equal(process.wait(PATIENCE), 0, "curl's exit code")
            data = [line for line in rest if line.startswith("data: ")]
            expect(PROMPT in data[0], f"the content: {data[0]}")
            equal(data[-1], "data: [DONE]\n", "the end")


@check("two hundred clients at the same time each get their own answer, and each is paid once")
def crowd():
    async def all_of(gateway):
        # One connection for each.
        async with openai.AsyncOpenAI(
            base_url=gateway.url, api_key="none", timeout=PATIENCE, max_retries=0
        ) as client:
            return await asyncio.gather(*(
                client.chat.completions.create(**question(f"client {number}"), max_tokens=64)
                for number in range(200)
            ))

    with front() as gateway:
        answers = asyncio.run(all_of(gateway))
        for number, answer in enumerate(answers):
            text = answer.choices[0].message.content
            expect(text.endswith(f"\nclient {number}"), f"{number} got {text}")
        equal(len(gateway.payments()), 100, "payments on the first page")
        # So few tokens cost the provider's least price.
        equal(gateway.spent(), 200 * 1_000, "the sum")
