"""A canary in every field that bears a secret: whoever echoes it, in whatever form, it is in nothing written."""

import base64
import html
import json
import subprocess
from collections.abc import Callable
from itertools import product
from pathlib import Path
from shutil import which
from typing import Any
from urllib.parse import quote, quote_plus

import pytest

from simulator.reading.secrets import Secrets
from tests.command_line import simulate
from tests.contracts.http_peers import Got, scripted
from tests.contracts.peer_services import certificate

CANARY = 'cAn4ry-ü/Zz9+x=&"w'
ENCODINGS: dict[str, Callable[[str], str]] = {
    "as it is": lambda value: value,
    "JSON": json.dumps,
    "JSON with slashes escaped": lambda value: json.dumps(value, ensure_ascii=False).replace("/", "\\/"),
    "URL": lambda value: quote(value, safe=""),
    "URL in small digits": lambda value: quote(value).replace("%3D", "%3d").replace("%C3%BC", "%c3%bc")
    .replace("%22", "%22").replace("%2B", "%2b"),
    "form": quote_plus,
    "URL twice": lambda value: quote(quote(value, safe=""), safe=""),
    "base64": lambda value: base64.b64encode(value.encode()).decode(),
    "base64 for URLs, unpadded": lambda value: base64.urlsafe_b64encode(value.encode()).decode().rstrip("="),
    "base64 inside more": lambda value: base64.b64encode(f"user:{value};more".encode()).decode(),
    "hex": lambda value: value.encode().hex(),
    "HTML": html.escape,
    "Python": repr,
}  # fmt: skip


@pytest.mark.parametrize("name", ENCODINGS)
@pytest.mark.parametrize(
    "where", ["${KEY}", "https://u:SECRET@h/p", "https://SECRET@h/p", "https://h/p?api_key=SECRET"]
)
def test_no_form_of_a_secret_comes_through(name: str, where: str) -> None:
    """Neither of a variable's value, nor of what a URL has before its host or in a parameter named like a key."""
    secrets = Secrets({"KEY": CANARY})
    secrets.expand(where.replace("SECRET", quote(CANARY, safe="")))
    coded = ENCODINGS[name](CANARY)
    core = coded.strip("'\"=")[8:-8] if name == "base64 inside more" else coded.strip("'\"")
    assert core not in secrets.scrub(f"the far end said {coded} and more")


def test_the_basic_header_of_a_url_is_masked() -> None:
    """As a client sends it for `user:password@`."""
    secrets = Secrets({})
    secrets.expand("wss://user9:pa55%2BwordXYZ@host/x")
    basic = base64.b64encode(b"user9:pa55+wordXYZ").decode()
    assert secrets.scrub(f"you sent {basic}, pa55+wordXYZ, pa55%2BwordXYZ") == "you sent ***, ***, ***"


def parties(address: str) -> dict[str, dict[str, Any]]:
    """Every kind that talks to somebody, a canary in each field that bears a secret."""
    host = address.split("://")[1]
    user = "user9:pa55wordXYZ"
    chat = {"base_url": f"http://{user}@{host}/v1?key=qSecret12345", "api_key_env": "CANARY"}
    return {
        "moshi": {"kind": "moshi", "url": f"ws://{user}@{host}/api/chat?worker_auth_id=qSecret12345",
                  "token": "${CANARY}"},
        "openai_realtime": {"kind": "openai_realtime", "base_url": f"http://{user}@{host}/v1", "api_key_env": "CANARY"},
        "openai_live": {"kind": "openai_live", "base_url": f"http://{user}@{host}/v1", "api_key_env": "CANARY"},
        "gemini_live": {"kind": "gemini_live", "base_url": f"https://{user}@{host}", "api_key_env": "CANARY"},
        "vllm_duplex": {
            "kind": "vllm_duplex", "model": "m", "base_url": f"http://{user}@{host}/v1", "api_key_env": "CANARY"},
        "chat_audio": {"kind": "turn_based", "responder": {"kind": "chat_audio", **chat}},
        "chat": {"kind": "turn_based", "responder": {"kind": "chat", "model": "m", **chat}},
        "http_voice": {"kind": "turn_based", "responder": {
            "kind": "http_voice", "base_url": f"http://{user}@{host}/api", "token": "${CANARY}"}},
        "mini_omni": {"kind": "turn_based", "responder": {
            "kind": "mini_omni", "base_url": f"http://{user}@{host}/omni", "token": "${CANARY}"}},
        "llama_omni": {"kind": "turn_based", "responder": {
            "kind": "llama_omni", "base_url": f"http://{user}@{host}/omni", "token": "${CANARY}"}},
    }  # fmt: skip


def command_lines() -> str:
    """What `ps` shows of every process, where it can be seen."""
    listed = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=False) if which("ps") else None
    return listed.stdout if listed else ""


KINDS = ["moshi", "openai_realtime", "openai_live", "gemini_live", "vllm_duplex", "chat_audio", "chat", "http_voice",
         "mini_omni", "llama_omni"]  # fmt: skip

COMMANDS = {
    "run": ["{file}", "--out", "{out}", "-v"],
    "doctor": ["doctor", "{file}"],
    "run in workers": ["{file}", "--out", "{out}", "-v", "--repeat", "2", "--concurrency", "2"],
}


@pytest.mark.usefixtures("own_logs")
@pytest.mark.parametrize(("kind", "command"), [*product(KINDS, ["run", "doctor"]), ("chat", "run in workers")])
def test_an_echo_reaches_no_file_and_no_screen(
    kind: str,
    command: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """A far end that refuses says what it was sent, header and path: the folder, the page, the screen hold none."""
    monkeypatch.setenv("CANARY", "ascii-cAn4ry/Zz9+x")
    basic = base64.b64encode(b"user9:pa55wordXYZ").decode()

    args: list[str] = []

    def echo(got: Got) -> None:
        sent = [got.headers.get("authorization"), got.headers.get("x-goog-api-key"), got.path, "pa55wordXYZ", basic]
        args.append(command_lines())
        got.answer({"error": {"message": " ".join(filter(None, sent)), "code": "refused"}}, 401)

    tls, cert = certificate(tmp_path) if kind == "gemini_live" else (None, None)  # its client speaks nothing else
    if cert:
        monkeypatch.setenv("SSL_CERT_FILE", str(cert))
    with scripted(echo, tls) as (address, seen):
        scenario = {"name": "canary", "duration": "3s", "report": "all", "agent": parties(address)[kind],
                    "user": {"kind": "scripted", "turns": [{"at": "300ms", "say": "hello there"}]}}  # fmt: skip
        file = tmp_path / "canary.yaml"
        file.write_text(json.dumps(scenario))
        simulate(*(word.format(file=file, out=tmp_path / "out") for word in COMMANDS[command]))
    assert seen
    told = capfd.readouterr()
    written = [path.read_text("utf-8", "replace") for path in (tmp_path / "out").rglob("*") if path.is_file()]
    secrets = ["pa55wordXYZ", "qSecret12345", "ascii-cAn4ry/Zz9+x", quote("ascii-cAn4ry/Zz9+x", safe=""), basic[:-2]]
    for text in (told.out, told.err, *written, *args):
        assert [secret for secret in secrets if secret in text] == []
