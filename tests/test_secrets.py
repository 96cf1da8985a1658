"""Secrets are expanded only at use and never come back out."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.errors import ScenarioError
from simulator.reading.secrets import Secrets, mask, mask_command, mask_line, mask_text, mask_url, names

ENVIRONMENT = {"KEY": "sk-0123456789abcdef", "HOST": "example.org", "PIN": "4711", "EMPTY": ""}


def test_expansion_happens_at_use() -> None:
    """`${NAME}` becomes the value, wherever it stands in the text."""
    assert Secrets(ENVIRONMENT).expand("wss://${HOST}/x?key=${KEY}") == "wss://example.org/x?key=sk-0123456789abcdef"


@pytest.mark.parametrize("name", ["MISSING", "EMPTY"])
def test_a_variable_that_is_not_set_is_refused(name: str) -> None:
    """A missing and an empty variable are refused by name."""
    with pytest.raises(ScenarioError, match=f"the environment variable {name} is not set"):
        Secrets(ENVIRONMENT).expand("${" + name + "}")


def test_what_was_expanded_is_scrubbed_back_to_its_name() -> None:
    """A value that was given out turns back into `${NAME}`, also when a URL quoted it."""
    secrets = Secrets({"KEY": "abc/def+ghi=jklm"})
    secrets.expand("${KEY}")
    assert secrets.scrub("refused abc/def+ghi=jklm") == "refused ${KEY}"
    assert secrets.scrub("GET /?k=abc%2Fdef%2Bghi%3Djklm") == "GET /?k=${KEY}"


def test_a_short_value_is_replaced_only_where_it_stands_alone() -> None:
    """A port number does not punch holes into longer words."""
    secrets = Secrets.of({"port": "${PIN}"}, ENVIRONMENT)
    assert secrets.scrub("port 4711, audio 9947110/") == "port ${PIN}, audio 9947110/"


def test_secrets_of_data_know_every_variable_it_names() -> None:
    """Both `${NAME}` and keys ending in `_env` name variables; unset ones are passed over."""
    data = {"url": "ws://${HOST}", "api_key_env": "KEY", "deep": [{"x": "${MISSING}"}]}
    assert names(data) == ["HOST", "KEY", "MISSING"]
    assert Secrets.of(data, ENVIRONMENT).scrub("sk-0123456789abcdef at example.org") == "${KEY} at ${HOST}"


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("wss://user:pw@host/p", "wss://***@host/p"),
        ("https://h/p?key=abc&voice=NATF2.pt", "https://h/p?key=***&voice=NATF2.pt"),
        ("ws://h?worker_auth_id=9&seed=4", "ws://h?worker_auth_id=***&seed=4"),
        ("ws://h/#access_token=zz", "ws://h/#access_token=***"),
        ("ws://h?api_key=${KEY}", "ws://h?api_key=${KEY}"),
        ("ws://${USER}:${PASSWORD}@h", "ws://${USER}:${PASSWORD}@h"),
        ("ws://h?X-Amz-Signature=1&x=2", "ws://h?X-Amz-Signature=***&x=2"),
        ("ws://h?text_prompt=hi&monkey=1", "ws://h?text_prompt=hi&monkey=1"),
    ],
)
def test_urls_are_shown_without_what_opens_doors(url: str, shown: str) -> None:
    """Userinfo and key-like parameters are masked, references and everything else stay."""
    assert mask_url(url) == shown


def test_masking_reaches_texts_and_nested_data() -> None:
    """URLs inside sentences, bearer tokens and key headers are masked at any depth."""
    assert mask_text("401 for Bearer abcdefgh at ws://a:b@h/?token=1 sorry") == (
        "401 for Bearer *** at ws://***@h/?token=*** sorry"
    )
    assert mask_text("401: GET /v1/models?key=abc&voice=x HTTP/1.1") == "401: GET /v1/models?key=***&voice=x HTTP/1.1"
    assert mask({"a": ["x-goog-api-key: AIza123"], "n": 1}) == {"a": ["x-goog-api-key: ***"], "n": 1}


@given(st.text(min_size=12, max_size=40), st.text(max_size=20), st.text(max_size=20))
def test_no_long_value_survives(value: str, before: str, after: str) -> None:
    """Whatever surrounds it, a value of twelve characters or more that was used is gone after scrubbing."""
    secrets = Secrets({"NAME": value})
    secrets.variable("NAME")
    assert value not in secrets.scrub(before + value + after).replace("${NAME}", "")


def test_a_command_line_is_written_without_what_it_hides() -> None:
    """What follows `--token`, a value of a key that is one, and passwords in addresses; the rest stays."""
    words = ["simulate", "serve", "cascade", "--token", "hunter2", "--token=hunter2"]
    words += ["--set", "agent.token=hunter2", "--set", "agent.api_key_env=MY_KEY"]
    words += ["--set", "agent.max_tokens=200", "--set", "agent={kind: moshi, token: hunter2, jitter: 80ms}"]
    words += ["--set", "agent.url=ws://bob:hunter2@host/x", "--port", "0"]
    masked = mask_command(words)
    assert "hunter2" not in " ".join(masked)
    assert masked[:4] == words[:4] and masked[-2:] == words[-2:] and "agent.api_key_env=MY_KEY" in masked
    assert "agent.max_tokens=200" in masked and "agent={kind: moshi, token: ***, jitter: 80ms}" in masked


def test_a_variable_that_is_not_set_hides_no_text() -> None:
    """The reference in a URL stays as it is, and so does a text that happens to have the variable's name in it."""
    secrets = Secrets.of({"url": "wss://user:${MISSING}@host/p"}, ENVIRONMENT)
    assert secrets.scrub("MISSING is not set") == "MISSING is not set"


@pytest.mark.parametrize("name", ["x-api-key", "X-Goog-Api-Key", "api-key"])
def test_a_header_that_bears_a_key_keeps_its_name(name: str) -> None:
    """Whoever reads the log must see what was sent, but for the key."""
    masked = mask_text(f"{name}: hunter2hunter2")
    assert masked.startswith(name) and "hunter2" not in masked


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("  token: hunter2", "  token: ***"),
        ("agent: {kind: moshi, api_key: hunter2}", "agent: {kind: moshi, api_key: ***}"),
        ("  api_key_env: MY_KEY", "  api_key_env: MY_KEY"),
        ("  max_tokens: 200", "  max_tokens: 200"),
        ("  token: ${KEY}", "  token: ${KEY}"),
    ],
)
def test_a_line_that_is_shown_hides_what_stands_under_a_secrets_name(line: str, shown: str) -> None:
    """Names of variables, references and numbers give nothing away and stay."""
    assert mask_line(line) == shown


def test_a_password_in_an_address_is_known_wherever_it_turns_up() -> None:
    """A server may complain of it without the address around it."""
    secrets = Secrets.of({"url": "wss://bob:hunter2hunter2@host/p"}, ENVIRONMENT)
    assert secrets.scrub("no hunter2hunter2 for bob") == "no *** for bob"


def test_a_secret_that_holds_another_is_replaced_as_a_whole() -> None:
    """However long their names: what was left of the longer one would give it away."""
    values = {"K": "sk-0123456789abcdef-extended", "THE_LONGER_NAME": "sk-0123456789abcdef"}
    secrets = Secrets.of({"a": "${K}", "b": "${THE_LONGER_NAME}"}, values)
    assert secrets.scrub("sk-0123456789abcdef-extended") == "${K}"
