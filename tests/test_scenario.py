"""Scenario files: what is accepted, what is refused and with which sentence."""

import pickle
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest
import soundfile
import yaml
from hypothesis import given
from hypothesis import strategies as st

from simulator.batch.meta import meta_of
from simulator.errors import ScenarioError
from simulator.planning.checks import check_expectations
from simulator.planning.plan import Wishes, make_plan
from simulator.reading.yaml_file import read_yaml
from simulator.reading.yaml_text import yaml_text
from simulator.scenario import Scenario, load, resolved, slug, to_yaml
from simulator.schema import scenario_schema

GOOD: dict[str, Any] = {"name": "good", "duration": "2s", "user": "silent", "agent": {"kind": "silent"}}


def written(folder: Path, data: object, name: str = "s.yaml") -> Path:
    """Write data as a scenario file."""
    path = folder / name
    path.write_text(data if isinstance(data, str) else yaml.safe_dump(data))
    return path


def tone(path: Path, rate: int = 16_000, channels: int = 1, seconds: float = 0.5) -> Path:
    """Write a tone."""
    samples = 0.1 * np.sin(np.arange(round(rate * seconds)) / 10)
    soundfile.write(path, np.stack([samples] * channels, axis=1), rate)
    return path


BAD: list[tuple[dict[str, Any], str]] = [
    ({"user": "scriptd"}, r"\$\.user\.kind: 'scriptd' is not installed; choose one of .*scripted"),
    ({"user": {}}, r"\$\.user: the key `kind` is missing"),
    ({"user": 3}, r"\$\.user: expected a mapping with a kind, found 3"),
    ({"colour": "red"}, r"\$: object contains unknown field `colour`"),
    ({"user": {"kind": "silent", "loud": True}}, r"\$\.user: object contains unknown field `loud`"),
    ({"duration": "-3s"}, r"\$\.duration: '-3s' is not a duration"),
    ({"duration": "0s"}, r"\$\.duration: '0s' is no time"),
    ({"duration": 30}, r"\$\.duration: 30 is not a duration; write it like 1.5s"),
    ({"duration": "300h"}, r"\$\.duration: '300h' is longer than 24 hours"),
    ({"duration": {"after": "nobody"}}, r"\$\.duration\.after: invalid enum value 'nobody'"),
    ({"frame_ms": 7, "sample_rate": 44_100}, r"frame_ms 7 at 44100 Hz is 308\.7 samples"),
    ({"frame_ms": 0}, r"frame_ms 0"),
    ({"sample_rate": 1000}, r"sample_rate is 1000; allowed are 4000 to 192000"),
    ({"seed": -1}, r"seed is -1"),
    ({"repeat": 0}, r"repeat is 0"),
    ({"name": "!!!"}, r"holds no letter or digit"),
    ({"clock": "sundial"}, r"\$\.clock"),
    ({"expect": ["latency is good"]}, r"\$\.expect\[0\]: 'latency is good' is no expectation"),
    ({"scorers": ["turn"]}, r"\$\.scorers\[0\]\.kind: 'turn' is not installed"),
    (
        {"user": {"kind": "scripted", "turns": [{"say": "hi", "choose": ["a"]}]}},
        r"\$\.user\.turns\[0\].*exactly one of say, choose and wait",
    ),
    ({"user": {"kind": "scripted", "turns": [{"say": "hi", "delay": "1s"}]}}, r"needs a condition beside it"),
    ({"user": {"kind": "scripted", "turns": ["hi"], "voice": "nobody"}}, r"\$\.user\.voice: .*nobody"),
    (
        {"user": {"kind": "scripted", "turns": ["hi"], "words_per_minute": 9000}},
        r"words_per_minute: expected `int` <= 450",
    ),
    ({"user": {"kind": "player", "file": "nothing.wav"}}, r"\$\.user\.file: .*nothing\.wav does not exist"),
    ({"user": {"kind": "player", "file": "text.wav"}}, r"not a sound file that can be read"),
    ({"user": {"kind": "player", "file": "empty.wav"}}, r"empty\.wav is empty"),
    ({"user": {"kind": "player", "file": "nan.wav"}}, r"holds values that are not numbers"),
    ({"user": {"kind": "player", "file": "stereo.wav"}}, r"has 2 channels; name one with `channel: 0`"),
    ({"user": {"kind": "player", "file": "stereo.wav", "channel": 2}}, r"there is no channel 2"),
    ({"user": {"kind": "player", "file": "slow.wav"}}, r"a rate of 2000 Hz; allowed are 4000 to 192000 Hz"),
    ({"user": {"kind": "player"}}, r"exactly one of file and clips"),
    ({"user": {"kind": "replay", "session": "."}}, r"not a session folder"),
    ({"injectors": [{"kind": "interruption", "cue": {}, "say": "x"}]}, r"\$\.injectors\[0\]\.cue.*exactly one of"),
    (
        {"injectors": [{"kind": "interruption", "cue": {"agent_dreaming": "1s"}, "say": "x"}]},
        r"unknown field `agent_dreaming`",
    ),
    ({"injectors": [{"kind": "interruption", "cue": {"at": "1s"}}]}, r"exactly one of say, choose, file; found none"),
    ({"lines": {"user_to_agent": [{"kind": "noise", "snr_db": 10}]}}, r"exactly one of color"),
    (
        {"lines": {"user_to_agent": [{"kind": "noise", "snr_db": 10, "file": "nothing.wav"}]}},
        r"\$\.lines\.user_to_agent\[0\]\.file",
    ),
    ({"agent": {"kind": "cascade", "replies": [{"match": "(", "say": "x"}]}}, r"is no regular expression"),
    ({"agent": {"kind": "silent", "latency": "soon"}}, r"\$\.agent\.latency: expected free, measured or a duration"),
    (
        {"agent": {"kind": "silent", "latency": "measured"}, "clock": "wall"},
        r"\$\.agent\.latency: measured belongs to the virtual clock",
    ),
    ({"agent": {"kind": "silent", "latency": "measured", "speed": -1}}, r"\$\.agent\.speed: is -1; it must be above 0"),
    (
        {"agent": {"kind": "cascade", "recognizer": "silero"}},
        r"\$\.agent\.recognizer\.kind: 'silero' is not installed; choose one of",
    ),
    ({"name": "x" * 400}, r"is too long for a folder"),
    ({"duration": "20h"}, r"\$\.duration: a sound file of 4 GB holds 12\.4 h at 24000 Hz"),
    ({"expect": ["a.b < 1.2.3"]}, r"\$\.expect\[0\]: 'a\.b < 1\.2\.3' is no expectation"),
    ({"user": {"kind": "scripted", "turns": [""]}}, r"\$\.user: there is nothing to say in ''"),
    ({"user": {"kind": "scripted", "turns": [{"say": ["..."]}]}}, r"\$\.user\.turns\[0\]: there is nothing to say"),
    ({"user": {"kind": "scripted", "turns": [["a", {"pause": "24h"}]]}}, r"turns\[0\]"),
    (
        {"user": {"kind": "scripted", "turns": [{"user_speaking": "1s", "say": "x"}]}},
        r"turns\[0\]: user_speaking is about the user",
    ),
    ({"user": {"kind": "scripted", "turns": [{"at": "1s", "times": 2, "say": "x"}]}}, r"a time comes once"),
    ({"user": {"kind": "scripted", "turns": [{"agent_speaking": "1s", "every": "2s", "say": "x"}]}}, r"`repeat: true`"),
    (
        {"lines": {"user_to_agent": [{"kind": "gain", "db": 1e9}]}},
        r"\$\.lines\.user_to_agent\[0\]\.db: expected `float` <= 100",
    ),
    ({"lines": {"user_to_agent": [{"kind": "delay", "time": "24h"}]}}, r"time is 86400s; allowed are up to 60s"),
    ({"lines": {"user_to_agent": [{"kind": "noise", "snr_db": 9, "file": "silence.wav"}]}}, r"is digital silence"),
    ({"lines": {"user_to_agent": [{"kind": "talker", "say": ["?"]}]}}, r"there is nothing to say"),
]


@pytest.mark.parametrize(("change", "sentence"), BAD, ids=[str(change)[:60] for change, _ in BAD])
def test_bad_scenarios_are_refused_with_the_place_and_what_is_allowed(
    tmp_path: Path, change: dict[str, Any], sentence: str
) -> None:
    """One sentence: file, path in the file, what was found, what is allowed."""
    (tmp_path / "text.wav").write_text("this is no sound")
    tone(tmp_path / "empty.wav", seconds=0)
    tone(tmp_path / "stereo.wav", channels=2)
    tone(tmp_path / "slow.wav", rate=2000)
    soundfile.write(tmp_path / "silence.wav", np.zeros(100), 16_000)
    soundfile.write(tmp_path / "nan.wav", np.array([0.0, np.nan]), 16_000, subtype="FLOAT")
    path = written(tmp_path, GOOD | change)
    with pytest.raises(ScenarioError, match=sentence) as caught:
        make_plan([path], Wishes())
    assert str(caught.value).startswith("s.yaml: $")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["[1, 2]", "just words", "a: [", "\tname: x"])
def test_what_is_no_mapping_is_refused(tmp_path: Path, text: str) -> None:
    """A file that is no YAML, or no mapping, is refused."""
    with pytest.raises(ScenarioError, match=r"is no YAML|expected a mapping"):
        load(written(tmp_path, text))


def test_a_missing_duration_is_refused_unless_something_else_gives_it(tmp_path: Path) -> None:
    """A scenario needs a duration."""
    path = written(tmp_path, {name: value for name, value in GOOD.items() if name != "duration"})
    with pytest.raises(ScenarioError, match=r"s\.yaml: \$\.duration: is missing"):
        make_plan([path], Wishes())


def test_an_expectation_on_an_unknown_metric_is_refused_before_the_run(tmp_path: Path) -> None:
    """The sentence offers what is measured."""
    path = written(tmp_path, GOOD | {"expect": ["latency.responce_p50_s < 1"]})
    with pytest.raises(ScenarioError, match=r"\$\.expect\[0\].*did you mean latency\.response_p50_s"):
        check_expectations(load(path))


def test_two_scenarios_with_one_name_are_refused(tmp_path: Path) -> None:
    """Names are folders: they must differ."""
    paths = [written(tmp_path, GOOD, "a.yaml"), written(tmp_path, GOOD | {"name": "Good"}, "b.yaml")]
    with pytest.raises(ScenarioError, match=r"b\.yaml: the name 'Good' is that of .*a\.yaml already"):
        make_plan(paths, Wishes())


def test_set_overrides_values_in_mappings_lists_and_bare_kinds(tmp_path: Path) -> None:
    """`--set path=value`: the value is YAML; lists by index; a bare kind may get parts."""
    data = GOOD | {"lines": {"user_to_agent": [{"kind": "gain", "db": -3}]}}
    scenario = load(
        written(tmp_path, data), ["seed=7", "lines.user_to_agent.0.db=-6", "user.latency=40ms", "scorers=[]"]
    )
    assert scenario.seed == 7
    assert scenario.lines.user_to_agent[0].db == -6  # type: ignore[attr-defined]
    assert scenario.actor("user").latency.fixed == 0.04
    assert scenario.scorers == []


@pytest.mark.parametrize("override", ["seed", "=3", "lines.user_to_agent.0.db=1", "name.first=x", "seed=[", "a..b=1"])
def test_bad_overrides_are_refused(tmp_path: Path, override: str) -> None:
    """A --set that names no place is one sentence."""
    with pytest.raises(ScenarioError, match=r"--set|\$"):
        load(written(tmp_path, GOOD), [override])


@pytest.mark.parametrize("wishes", [Wishes(repeat=0), Wishes(seed=-1)])
def test_wishes_are_held_to_the_same_rules_as_the_file(tmp_path: Path, wishes: Wishes) -> None:
    """`--repeat 0` and `--seed -1` are refused like the keys of the file."""
    with pytest.raises(ScenarioError, match=r"(repeat is 0|seed is -1).*command line"):
        make_plan([written(tmp_path, GOOD)], wishes)


def test_a_key_that_is_no_text_is_refused(tmp_path: Path) -> None:
    """YAML takes numbers as keys; a scenario has none."""
    with pytest.raises(ScenarioError, match=r"s\.yaml: \$: a key: expected `str`"):
        load(written(tmp_path, "1: 2\nname: x\n"))


@given(
    st.dictionaries(
        st.text(min_size=1),
        st.recursive(
            st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats() | st.text(),
            lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
            max_leaves=8,
        ),
        min_size=1,
    )
)
def test_keys_that_were_written_before_are_written_as_in_one_go(plain: dict[str, Any]) -> None:
    """Whatever stands in a mapping, and whether or not one of its keys was written for another one."""
    whole = yaml.safe_dump(plain, sort_keys=False, allow_unicode=True, width=110)
    assert yaml_text(plain) == whole == yaml_text(plain)


def test_a_job_that_crossed_to_another_process_writes_the_same_files(tmp_path: Path) -> None:
    """scenario.yaml leaves defaults out; it must not depend on where the session ran."""
    scripted = {"kind": "scripted", "turns": [{"after": "agent_turn", "say": ["Hello", {"pause": "300ms"}, "again."]}]}
    data = GOOD | {"user": scripted, "lines": {"agent_to_user": [{"kind": "talker", "say": ["Hi."]}]}, "audio": "wav"}
    (job,) = make_plan([written(tmp_path, data)], Wishes(seed=3)).jobs
    there = pickle.loads(pickle.dumps(job))
    assert to_yaml(there.scenario) == to_yaml(job.scenario)
    assert meta_of(there) == meta_of(job)


def test_a_truncated_wav_is_said_when_the_run_is_planned(tmp_path: Path) -> None:
    """It is played as far as it goes, and said; it is no reason to refuse the run."""
    whole = tone(tmp_path / "a.wav").read_bytes()
    (tmp_path / "a.wav").write_bytes(whole[:9000])
    plan = make_plan([written(tmp_path, GOOD | {"user": {"kind": "player", "file": "a.wav"}})], Wishes())
    (note,) = plan.remarks
    assert "holds 8956 of the 16000 bytes" in note


def test_a_key_that_nobody_can_press_is_said_when_the_run_is_planned(tmp_path: Path) -> None:
    """Outside a live session a button fires nothing; with a human at the line it does."""
    data = GOOD | {"injectors": [{"kind": "backchannel", "cue": {"button": "m"}, "say": "mm-hm"}]}
    (remark,) = make_plan([written(tmp_path, data)], Wishes()).remarks
    assert "injectors[0] waits for the key 'm'" in remark
    assert not make_plan([written(tmp_path, data | {"user": "human", "clock": "wall"})], Wishes()).remarks


def test_trials_have_their_own_seeds_and_ids(tmp_path: Path) -> None:
    """Trial t has seed + t and the id <name slug>-<trial>."""
    plan = make_plan([written(tmp_path, GOOD | {"seed": 5})], Wishes(repeat=3))
    assert [(job.id, job.scenario.seed, job.scenario.trial) for job in plan.jobs] == [
        ("good-0", 5, 0),
        ("good-1", 6, 1),
        ("good-2", 7, 2),
    ]


def test_the_resolved_scenario_loads_as_the_same_session(tmp_path: Path, scenarios: Path) -> None:
    """scenario.yaml in a session folder runs the same session again: same seed, same id, same specs."""
    scenario = load(scenarios / "first_call.yaml")
    trial = resolved(scenario, 2)
    again = load(written(tmp_path, to_yaml(trial)))
    assert again == trial
    assert to_yaml(again) == to_yaml(trial)
    assert make_plan([tmp_path / "s.yaml"], Wishes()).jobs[0].id.endswith("-2")


def test_the_schema_accepts_what_loads_and_refuses_what_does_not(tmp_path: Path, scenarios: Path) -> None:
    """Every example scenario fits the printed JSON Schema; an unknown kind does not."""
    validator = jsonschema.Draft202012Validator(scenario_schema())
    for path in sorted(scenarios.rglob("*.yaml")):
        assert not list(validator.iter_errors(yaml.safe_load(path.read_text()))), path.name
    assert list(validator.iter_errors(GOOD | {"user": "scriptd"}))
    assert list(validator.iter_errors(GOOD | {"colour": "red"}))
    worlds: list[Any] = [{"state": "orders.json"}, {"kind": "tools", "state": "orders.json"}, {"state": {"a": 1}}]
    minds: list[Any] = ["rules", {"kind": "rules", "gets": {}}, {"base_url": "http://a/v1", "model": "m"}]
    for good in [*({"world": world} for world in worlds), *({"user": _caller(mind)} for mind in minds)]:
        assert not list(validator.iter_errors(GOOD | good)), good
    for bad in ({"world": {"state": 3}}, {"user": _caller("dreams")}, {"user": _caller({"model": "m"})},
                {"user": _caller({"kind": "rules", "base_url": 3, "gets": 4})}):  # fmt: skip
        assert list(validator.iter_errors(GOOD | bad)), bad


def _caller(llm: object) -> dict[str, Any]:
    return {"kind": "caller", "goal": "A table.", "llm": llm}


def test_slugs_are_folder_names() -> None:
    """Lower case, letters, digits, single hyphens."""
    assert slug("First call: Anna's table!") == "first-call-anna-s-table"
    assert slug("../../etc/passwd") == "etc-passwd"
    assert slug("Tisch für zwei") == slug("Tisch fu\u0308r zwei") == "tisch-für-zwei"
    assert slug("予約の電話") == "予約の電話"


def test_a_scenario_is_frozen(tmp_path: Path) -> None:
    """Specs are values."""
    scenario = load(written(tmp_path, GOOD))
    assert isinstance(scenario, Scenario)
    with pytest.raises(AttributeError):
        scenario.seed = 3  # type: ignore[misc]


@pytest.mark.parametrize(
    "text", ["name: a\nname: b\n", "agent: {kind: silent, kind: cascade}\n", "a: [{b: 1, b: 2}]\n"]
)
def test_a_key_given_twice_is_refused(tmp_path: Path, text: str) -> None:
    """YAML would drop the first one without a word."""
    (tmp_path / "s.yaml").write_text(text)
    with pytest.raises(ScenarioError, match=r"the key '\w+' is given twice"):
        read_yaml(tmp_path / "s.yaml")


def test_anchors_and_merges_are_no_keys_given_twice(tmp_path: Path) -> None:
    """What is merged may be overridden, and merged again."""
    (tmp_path / "s.yaml").write_text("base: &b {k: 1}\nuser: {turns: [&t {<<: *b, k: 2}]}\nother: {<<: *t}\n")
    data = read_yaml(tmp_path / "s.yaml")
    assert data["user"]["turns"] == [{"k": 2}] and data["other"] == {"k": 2}
    (tmp_path / "s.yaml").write_text("a: &a {kind: x, at: 1}\nb: &b {kind: y, say: no}\nc: {<<: [*a, *b], <<: *b}\n")
    assert read_yaml(tmp_path / "s.yaml")["c"] == {"kind": "x", "at": 1, "say": False}
    for text in ("a: &a {<<: *a, k: 1}\n", "a: &a {k: 1, <<: {<<: *a}}\n"):
        (tmp_path / "s.yaml").write_text(text)
        assert read_yaml(tmp_path / "s.yaml") == {"a": {"k": 1}}
    (tmp_path / "s.yaml").write_text("a: {<<: [{k: 1}, 2]}\n")
    with pytest.raises(ScenarioError, match="expected a mapping to merge, found a scalar"):
        read_yaml(tmp_path / "s.yaml")
    (tmp_path / "s.yaml").write_text("a: !!map foo\n")
    with pytest.raises(ScenarioError, match="is no YAML"):
        read_yaml(tmp_path / "s.yaml")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a: 2020-13-45", r"'2020-13-45' is no timestamp \(month must be in 1\.\.12\).* line 1"),
        ("a: 2020-10-10", r"\$\.a: a date stands here; .* put it in quotes"),
        ("a: 0x_", r"'0x_' is no int"),
        ("a: !!timestamp x", r"'x' is no timestamp at line 1"),
        ("a: !!bool x", r"'x' is no bool"),
        (f"a: {'9' * 5000}", r"'9{200}\.\.\.' is no int"),
        (f"a: {'9' * 30}", r"\$\.a: is a number of more than 63 bits"),
        ("a: [1, !!set {b}]", r"\$\.a\[1\]: a set stands here"),
        ("a: &s {b: *s}", r"\$\.a\.b: holds itself"),
        ("a: " + "[" * 200 + "]" * 200, "is nested deeper than 100 levels"),
        ('a: "\\ud800"', "invalid Unicode character"),
    ],
)
def test_what_yaml_cannot_mean_here_is_one_sentence(tmp_path: Path, text: str, told: str) -> None:
    """Whatever a converter of YAML raises is a refusal that says what was found, and where."""
    with pytest.raises(ScenarioError, match=told) as caught:
        read_yaml(written(tmp_path, text))
    assert "\n" not in str(caught.value)


def test_aliases_stand_for_no_more_than_can_be_written_out(tmp_path: Path) -> None:
    """Ten levels of nine aliases are refused from the text; a file that says as much without any is read."""
    levels = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    levels += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 10)]
    with pytest.raises(ScenarioError, match=r"line \d: \*a\d: its aliases stand for more than can be written out"):
        read_yaml(written(tmp_path, "\n".join(levels)))
    assert len(read_yaml(written(tmp_path, {"a": ["x" * 40] * 60_000}))["a"]) == 60_000


def test_a_refusal_quotes_no_more_than_200_characters(tmp_path: Path) -> None:
    """Of a key, a value or a text that is wrong the first 200 characters are repeated, control characters escaped."""
    for data in ({"x" * 999: 1}, {"clock": "x" * 999}, {"duration": ["x"] * 999}, {"expect": ["\x1b[2J" + "x" * 999]}):
        with pytest.raises(ScenarioError) as caught:
            load(written(tmp_path, GOOD | data))
        assert 200 < len(str(caught.value)) < 700
        assert "x" * 201 not in str(caught.value) and "\x1b" not in str(caught.value)
