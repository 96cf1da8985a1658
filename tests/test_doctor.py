"""Rules of the doctor: what is usable here, what is missing and by which command it comes; whether a party works."""

import json
import sys
from pathlib import Path
from typing import Any

import anyio
import msgspec
import pytest

from simulator.actor import Actor, ActorSpec, Context
from simulator.doctor.machine import Finding, examine
from simulator.doctor.probe import FRAMES, probe_party
from simulator.errors import ScenarioError, single
from simulator.frame import AudioFrame, silence
from simulator.testing import scenario_of
from simulator.traits import AudioFormat, PartyTraits, StepTraits
from tests.command_line import simulate
from tests.programs import printed

NEEDED = ["python", "espeak", "silero"]


def findings() -> dict[str, Finding]:
    """What the doctor finds on this machine, by part."""
    return {finding.part: finding for finding in examine()}


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of packages that are found before those of the environment."""
    monkeypatch.syspath_prepend(tmp_path)
    return tmp_path


def package(site: Path, name: str, version: str, text: str = "") -> None:
    """Install a package of one module."""
    (site / name).mkdir()
    (site / name / "__init__.py").write_text(text)
    info = site / f"{name}-{version}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")


def test_what_a_plain_run_needs_works_here() -> None:
    """Three parts are needed and really tried; none of them asks for a remedy where it works."""
    found = findings()
    assert [part for part, finding in found.items() if finding.needed] == NEEDED
    for part in NEEDED:
        assert found[part].usable and not found[part].remedy, found[part]
    assert found["python"].detail.startswith(f"{sys.version_info.major}.{sys.version_info.minor}.")
    assert " s" in found["espeak"].detail and "onnxruntime" in found["silero"].detail


def test_every_part_that_is_missing_has_a_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    """A package that cannot be imported is told as missing, with the command that brings it."""
    missing = ("moonshine_voice", "pocketsphinx", "sounddevice", "websockets", "google.genai", "torch")
    for module in missing:
        monkeypatch.setitem(sys.modules, module, None)
    found = findings()
    for part in ("moonshine", "pocketsphinx", "sounddevice", "websockets", "google-genai", "torch"):
        assert not found[part].usable and found[part].remedy, part
    assert found["moonshine"].detail.startswith("not installed (wheels:")
    assert "moonshine-voice==0.1.0" in found["moonshine"].remedy
    assert found["pocketsphinx"].detail == "not installed"


def test_a_part_whose_namespace_is_missing_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    """`google.genai` cannot even be looked for where there is no `google`."""
    monkeypatch.delitem(sys.modules, "google.genai", raising=False)
    monkeypatch.setitem(sys.modules, "google", None)
    assert not findings()["google-genai"].usable


@pytest.mark.parametrize(("answer", "usable", "detail"), [
    ("raise OSError('PortAudio library not found\\nsorry')", False, "PortAudio library not found"),
    ("raise OSError", False, "OSError"),
    ("return ['a microphone', 'a loudspeaker']", True, "0.5, 2 device(s)"),
])  # fmt: skip
def test_a_sound_system_is_tried_and_told_in_one_line(
    site: Path, monkeypatch: pytest.MonkeyPatch, answer: str, usable: bool, detail: str
) -> None:
    """What a library says over several lines is cut to its first; one that says nothing is named by its error."""
    monkeypatch.delitem(sys.modules, "sounddevice", raising=False)
    package(site, "sounddevice", "0.5", f"def query_devices():\n    {answer}\n")
    found = findings()["sounddevice"]
    assert (found.usable, found.detail) == (usable, detail)
    assert bool(found.remedy) is not usable
    monkeypatch.delitem(sys.modules, "sounddevice")


def test_torch_is_told_with_its_driver(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A GPU driver is there where its tool is on the path; torch itself is never imported for that."""
    package(site, "torch", "2.9.1", "raise SystemError('torch was imported')\n")
    monkeypatch.setenv("PATH", str(site))
    assert findings()["torch"].detail == "2.9.1, no GPU driver"
    (site / "nvidia-smi").write_text("#!/bin/sh\n")
    (site / "nvidia-smi").chmod(0o755)
    found = findings()["torch"]
    assert found.usable and found.detail == "2.9.1, a GPU driver is there"


def test_the_command_tells_every_part_and_how_to_get_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A line each, a remedy under what is missing; exit 0 while what is needed works."""
    monkeypatch.setitem(sys.modules, "websockets", None)
    assert simulate("doctor") == 0
    lines = capsys.readouterr().out.splitlines()
    at = next(number for number, line in enumerate(lines) if "websockets" in line)
    assert lines[at].startswith("--  ") and lines[at + 1].strip() == "to use it: pip install websockets"
    assert simulate("doctor", "--json") == 0
    assert {finding["part"] for finding in json.loads(capsys.readouterr().out)} == set(findings())


class ProbedSpec(ActorSpec, frozen=True, kw_only=True, tag="probed"):
    """A party that knows how to ask its far end; itself, or the part of it that is asked."""

    async def probe(self) -> str:
        """What the far end said."""
        return "the far end is awake"


class CarriedSpec(ActorSpec, frozen=True, kw_only=True, tag="carried"):
    """A party that leaves asking to its responder."""

    responder: ProbedSpec

    def parts(self) -> tuple[ProbedSpec, ...]:
        """The responder."""
        return (self.responder,)


class PlainSpec(ActorSpec, frozen=True, kw_only=True, tag="plain"):
    """A party that is simply started. fails: where it breaks."""

    fails: str = ""
    made: list[Any] = []

    def build(self) -> Actor:
        """Make it, and remember it."""
        self.made.append(Plain(self.fails))
        return self.made[-1]


class LiveSpec(PlainSpec, frozen=True, kw_only=True, tag="live"):
    """One with its own real time."""

    def traits(self) -> PartyTraits:
        """It has."""
        return PartyTraits(own_time=True)


class Plain(Actor):
    """Answers at once for every other frame and later for the rest; three session frames are one of its own."""

    traits = StepTraits(format=AudioFormat(frame_ms=60))

    def __init__(self, fails: str) -> None:
        self._fails = fails
        self.stepped = self.closed = 0

    async def start(self, context: Context) -> None:
        """Get ready, or not."""
        self.realtime = type(context.clock).__name__
        if self._fails == "start":
            raise ScenarioError("the key was refused")

    def step(self, heard: AudioFrame) -> Any:
        """Say silence."""
        self.stepped += 1
        if self._fails == "step":
            raise ScenarioError("the far end hung up")
        answer = AudioFrame(heard.start + len(heard.samples), silence(len(heard.samples)))
        return self._later(answer) if self.stepped % 2 else answer

    async def _later(self, answer: AudioFrame) -> AudioFrame:
        await anyio.lowlevel.checkpoint()
        return answer

    async def close(self) -> None:
        """Count how often it was closed."""
        self.closed += 1


def probed(folder: Path, spec: ActorSpec) -> str:
    """What a probe of this party says."""
    scenario = scenario_of({"user": "silent", "agent": "silent"}, folder)
    return anyio.run(probe_party, "agent", msgspec.structs.replace(scenario, agent=spec))


def test_who_knows_how_to_ask_is_asked(tmp_path: Path) -> None:
    """The party itself, or its responder; nothing is started for that."""
    assert probed(tmp_path, ProbedSpec()) == "the far end is awake"
    assert probed(tmp_path, CarriedSpec(responder=ProbedSpec())) == "the far end is awake"


@pytest.mark.parametrize(("kind", "clock"), [(PlainSpec, "VirtualClock"), (LiveSpec, "WallClock")])
def test_anybody_else_is_started_and_left(tmp_path: Path, kind: type[PlainSpec], clock: str) -> None:
    """A few of its own frames, on the clock it needs, and one goodbye."""
    spec = kind(made=[])
    assert probed(tmp_path, spec).endswith("answers frames")
    actor = spec.made[-1]
    assert (actor.stepped, actor.closed, actor.realtime) == (FRAMES + 1, 1, clock)


def test_many_paths_are_examined_one_after_the_other(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Every line says of which scenario; what is wrong with one keeps nobody from the next, and exits 2."""
    fine = "duration: 1s\nuser: silent\nagent: silent\n"
    for name, text in (("a", fine), ("b", fine.replace("agent: silent", "agent: silant")), ("c", fine)):
        (tmp_path / f"{name}.yaml").write_text(f"name: {name}\n{text}")
    paths = [str(tmp_path / f"{name}.yaml") for name in "abc"]
    assert simulate("doctor", paths[0], paths[2]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(" (")[0] for line in lines] == [
        f"ok   {path}: {party}" for path in (paths[0], paths[2]) for party in ("user", "agent")
    ]
    assert simulate("doctor", *paths, str(tmp_path / "gone.wav")) == 2
    told = capsys.readouterr()
    assert told.out.splitlines() == lines
    assert "'silant' is not installed" in told.err and "gone.wav: not a sound file" in told.err
    assert simulate("doctor", paths[0], paths[2], "--json") == 0
    assert [item["party"] for item in json.loads(capsys.readouterr().out)] == ["user", "agent"] * 2


@pytest.mark.parametrize(("fails", "told"), [("start", "the key was refused"), ("step", "the far end hung up")])
def test_a_party_that_does_not_work_is_closed_and_says_why(tmp_path: Path, fails: str, told: str) -> None:
    """Its sentence comes through, whatever task group it came out of."""
    spec = PlainSpec(fails=fails, made=[])
    with pytest.raises(Exception) as caught:
        probed(tmp_path, spec)
    assert told in str(single(caught.value))
    assert spec.made[-1].closed == 1


def test_a_sample_of_each_voice_is_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Of those that a scenario names: a file, and what is heard of it; one that does not speak is told, and exits 2."""
    path = tmp_path / "call.yaml"
    dead = "{kind: openai, base_url: 'http://127.0.0.1:9', model: tts, name: ann}"
    path.write_text(f"name: c\nduration: 1s\nuser: {{kind: scripted, voice: de, turns: [Hallo.]}}\n"
                    f"agent: {{kind: cascade, voice: {dead}}}\n")  # fmt: skip
    assert simulate("doctor", str(path), "--voices", str(tmp_path / "samples")) == 2
    told = capsys.readouterr().out
    assert "ok   espeak de: " in told and "moonshine hears" in told
    assert "FAIL openai tts ann: openai at http://127.0.0.1:9 cannot be reached" in told
    assert [file.name for file in (tmp_path / "samples").iterdir()] == ["espeak-de.wav"]


def test_a_recogniser_that_is_installed_and_does_not_load_is_told(tmp_path: Path) -> None:
    """Being there is not enough: its model is loaded."""
    (tmp_path / "moonshine_voice").mkdir()
    (tmp_path / "moonshine_voice" / "__init__.py").write_text("raise ImportError('no wheel for this machine')")
    program = (
        "from simulator.doctor.machine import examine\n"
        "print(*(found for found in examine() if found.part == 'moonshine'))"
    )
    told = printed(program, tmp_path)
    assert "usable=False" in told and "does not load here (no wheel for this machine)" in told
