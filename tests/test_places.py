"""Where an error's place stands in a file: the line that is shown, and the caret under it."""

from pathlib import Path

import pytest

from simulator.reading.places import FilePlace, excerpt, find_place
from tests.command_line import simulate

TEXT = """\
name: call
user:
  kind: scripted
  turns:
    - say: Hello
    - {say: Bye, at: 2s}
agent: cascade
"""


@pytest.mark.parametrize(
    ("path", "line", "column", "exact"),
    [
        ("$.agent", 7, 1, True),
        ("$.user.turns[0].say", 5, 7, True),
        ("$.user.turns[1]", 6, 7, True),
        ("$.user.turns[1].at", 6, 18, True),
        ("$.user.turns[2].say", 4, 3, False),
        ("$.agent.kind", 7, 1, False),
    ],
)
def test_a_path_is_found_at_its_key_or_at_what_should_hold_it(path: str, line: int, column: int, exact: bool) -> None:
    """Lines and columns, counted by hand from 1 on."""
    assert find_place(TEXT, path) == FilePlace(line, column, exact)


@pytest.mark.parametrize("path", ["$", "$.nobody", "$.nobody[3]"])
def test_what_is_not_written_anywhere_has_no_place(path: str) -> None:
    """A missing key of the whole file points nowhere."""
    assert find_place(TEXT, path) is None


@pytest.mark.parametrize(
    ("wrong", "line", "under"),
    [
        ("agent: cascde", 7, "agent: cascde"),
        ("agent: {kind: cascade, endpont: 1s}", 7, "endpont: 1s"),
        ("agent: {kind: cascade, endpoint: 1}", 7, "endpoint: 1"),
        ("agent: {kind: cascade", 7, "{kind"),
    ],
)
def test_check_shows_the_line_with_a_caret(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], wrong: str, line: int, under: str
) -> None:
    """An unknown kind, an unknown key, a wrong value, no YAML: the caret stands under the first letter of it."""
    file = tmp_path / "call.yaml"
    file.write_text(
        TEXT.replace("agent: cascade", wrong) + ("duration: 5s\n" if "}" in wrong or "{" not in wrong else "")
    )
    assert simulate("check", file) == 2
    sentence, shown, caret = capsys.readouterr().err.splitlines()
    assert sentence.startswith("simulate: ")
    assert shown.startswith(f"  {line} | ")
    assert shown[caret.index("^") :].startswith(under)


@pytest.mark.parametrize("given", ["agent.endpont=1s", "agent={"])
def test_a_value_given_with_set_is_not_looked_for_in_the_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], given: str
) -> None:
    """`--set` wrote it, so no line of the file is to blame; what stands in the file is still shown."""
    file = tmp_path / "call.yaml"
    file.write_text(TEXT + "duration: 5s\n")
    assert simulate("check", file, "--set", given) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1


@pytest.mark.parametrize("given", ["agent.kind=cascde", "agent=cascde"])
def test_a_wrong_value_given_with_set_is_shown(tmp_path: Path, capsys: pytest.CaptureFixture[str], given: str) -> None:
    """What `--set` wrote over a line of the file is shown in its place."""
    file = tmp_path / "call.yaml"
    file.write_text(TEXT.replace("agent: cascade", "agent: {kind: cascade}") + "duration: 5s\n")
    assert simulate("check", file, "--set", given) == 2
    sentence, shown = capsys.readouterr().err.splitlines()
    assert "'cascde' is not installed" in sentence and shown == f"  --set {given}"


def test_an_excerpt_steers_no_terminal_and_ends(tmp_path: Path) -> None:
    """Control characters are escaped, and a long line is cut."""
    file = tmp_path / "call.yaml"
    file.write_text("name: call\nagent: cascade # \u202e" + "a" * 500 + "\n", encoding="utf-8")
    shown = excerpt(file, "call.yaml: $.agent: is too long")
    assert "\u202e" not in shown
    assert max(map(len, shown.splitlines())) < 130


@pytest.mark.parametrize(
    ("line", "complaint", "told", "under"),
    [
        ("agent: {token: sk-plain, kind: x}", "$.agent.token: no", "agent: {token: ***, kind: x}", "token"),
        ("agent: {token: sk-plain, wrong: 1}", "$.agent.wrong: no", "agent: {token: ***, wrong: 1}", "wrong"),
        ("agent: {url: 'ws://me:sk-plain@host'}", "$.agent: no", "agent: {url: 'ws://***@host'}", "agent"),
        ("auth_token: 'sk-plain", "at line 2, column 13: no end", "auth_token: ***", "***"),
        ("token: [sk-plain, other]", "$.token[1]: no", "token: ***, ***]", "***"),
        ("token: ${NAME}", "$.token: no", "token: ${NAME}", "token"),
    ],
)
def test_a_secret_that_is_written_out_is_not_shown(
    tmp_path: Path, line: str, complaint: str, told: str, under: str
) -> None:
    """Logs keep what a refusal shows: values of keys named like a secret are masked, and the caret stays in place."""
    file = tmp_path / "call.yaml"
    file.write_text(f"name: call\n{line}\n")
    shown_line, caret = excerpt(file, f"call.yaml: {complaint}").splitlines()
    assert shown_line == f"  2 | {told}"
    assert shown_line[caret.index("^") :].startswith(under)
