"""What is refused, and whether clients may try again."""

import tempfile

import openai

from checks import PATIENCE, check, equal, expect
from simnet.harness import eventually

from .front import MODEL, PRICE, front, keys, question


def refusal(gateway, error, **fields):
    """What the SDK raises."""
    client = openai.OpenAI(base_url=gateway.url, api_key="none", timeout=PATIENCE, max_retries=0)
    try:
        client.chat.completions.create(**{**question(), **fields})
    except error as refused:
        return refused
    raise AssertionError(f"{fields} was not refused")


@check("what a job can't carry is refused by name, and never dropped")
def fields():
    tool = {"type": "function", "function": {"name": "f", "parameters": {}}}
    image = {"type": "image_url", "image_url": {"url": "data:,"}}
    cases = [
        ("tools", {"tools": [tool]}),
        ("n", {"n": 2}),
        ("response_format", {"response_format": {"type": "json_object"}}),
        ("logprobs", {"logprobs": True}),
        ("top_p", {"top_p": 0.5}),
        ("stop", {"stop": ["."]}),
        ("seed", {"seed": 1}),
        ("messages[0].content", {"messages": [{"role": "user", "content": [image]}]}),
        ("messages[1].role", {
            "messages": [*question()["messages"], {
                "role": "tool", "content": "1", "tool_call_id": "c",
            }]
        }),
        ("temperature", {"temperature": 3}),
        ("max_tokens", {"max_tokens": 0}),
        ("brand_new", {"extra_body": {"brand_new": 1}}),
    ]
    with front() as gateway:
        for param, body in cases:
            error = refusal(gateway, openai.BadRequestError, **body)
            equal(error.param, param, f"the field to blame for {body}")
        harmless = {
            "n": 1, "top_p": 1, "stop": [], "user": "alice", "logprobs": False,
            "response_format": {"type": "text"}, "temperature": 0.7, "max_completion_tokens": 16,
            "messages": [
                {"role": "developer", "content": [{"type": "text", "text": "Be brief."}]},
                {"role": "user", "content": "Hello?"},
            ],
        }
        status, _, answer = gateway.ask(harmless)
        equal(status, 200, f"the status of what can be carried: {answer}")
        long = refusal(gateway, openai.BadRequestError, **question("x" * 70_000))
        equal(long.code, "context_length_exceeded", "a prompt that does not fit")
        equal(len(gateway.payments()), 1, "payments")


@check("unknown models, paths and methods answer in OpenAI's shape")
def unknown():
    with front() as gateway:
        equal(refusal(gateway, openai.NotFoundError, model="nobody").code, "model_not_found", "model")
        cases = [
            ("GET", "/v1/nothing", 404), ("GET", "/", 404), ("GET", "/v1/chat/completions", 405),
            ("POST", "/v1/models", 405), ("GET", "/v1/models/nobody", 404), ("GET", "/metrics", 404),
        ]
        for method, path, wanted in cases:
            status, _, body = gateway.send(method, path, {} if method == "POST" else None)
            equal(status, wanted, f"{method} {path}")
            equal(set(body["error"]), {"message", "type", "param", "code"}, f"{method} {path}")
        status, _, body = gateway.send("POST", "/v1/chat/completions", "no object")
        equal((status, body["error"]["type"]), (400, "invalid_request_error"), "no object")
        status, _, body = gateway.ask({"user": "x" * (2 << 20)})
        equal((status, body["error"]["code"]), (413, "request_too_large"), "a large body")


@check("a provider that is offline is 503 and may be tried again; nothing is paid")
def offline():
    with front() as gateway:
        gateway.simnet.ctl("separate", "ours", "theirs", "--stay-down")
        eventually(
            lambda: not any(p["connected"] for p in gateway.buyer.lcp("peers")["peers"]),
            "the provider is gone",
        )

        def is_known():
            status, headers, body = gateway.ask()
            equal(status, 503, f"the status, {body}")
            expect(int(headers["retry-after"]) > 0, "when to try again")
            expect("x-should-retry" not in headers, "it says not to try again")
            return body["error"]["code"] == "provider_unavailable"

        eventually(is_known, "the gateway knows")
        error = refusal(gateway, openai.InternalServerError)
        equal(error.status_code, 503, "what the SDK raises")
        equal(gateway.spent(), 0, "what was spent")


@check("a price above the limit is 402, and the quote is dropped")
def dear():
    with front("--max-price", "57") as gateway:
        error = refusal(gateway, openai.APIStatusError)
        equal((error.status_code, error.code), (402, "price_limit"), "the refusal")
        equal(error.response.headers["x-lcp-price-msat"], str(PRICE), "the price")
        equal([j["stage"] for j in gateway.buyer.lcp("jobs")["jobs"]], ["cancelled"], "the job")


@check("without a key 401, with an empty budget 402, above the rate 429")
def accounts():
    with tempfile.TemporaryDirectory() as directory:
        arguments, token = keys(directory, "--budget", "70", "--rate", "3")
        with front(*arguments) as gateway:
            refusal(gateway, openai.AuthenticationError)
            client = openai.OpenAI(
                base_url=gateway.url, api_key=token, timeout=PATIENCE, max_retries=0
            )
            client.chat.completions.create(**question())
            try:
                client.chat.completions.create(**question())
                raise AssertionError("there is no budget")
            except openai.APIStatusError as error:
                equal((error.status_code, error.code), (402, "insufficient_quota"), "the budget")

            def is_limited():
                # Every twenty seconds another one is allowed.
                try:
                    client.models.list()
                except openai.RateLimitError as error:
                    return int(error.response.headers["retry-after"]) > 0

            eventually(is_limited, "the rate has an end")
            equal(gateway.spent(), PRICE, "what was spent")
            logs = open(f"{gateway.buyer.directory}/lcp-gateway.log").read()
            expect(token not in logs and "Say hello" not in logs, "the log holds a secret")


@check("a public address wants keys")
def public():
    with front() as gateway:
        equal(gateway.buyer.drain("lcp-gateway"), 0, "the exit code of the first")
        gateway.buyer.commands["lcp-gateway"][3] = f"0.0.0.0:{gateway.port}"
        gateway.buyer.start("lcp-gateway")
        process = gateway.buyer.processes["lcp-gateway"]
        equal(process.wait(PATIENCE), 64, "the exit code")
        log = open(f"{gateway.buyer.directory}/lcp-gateway.log").read()
        expect("with --keys" in log, f"it does not say why: {log}")
