"""The session page: one HTML file that opens from disk, with no network, and plays the session it shows.

What can be read without a script (verdict, scores, setup) is written as HTML here; the time line and the
conversation are drawn by the page from packed data. The audio comes last, in chunks, so that the lanes are up
before it is read.
"""

import base64
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO

import msgspec

from simulator.errors import ScenarioError
from simulator.reading.yaml_file import read_yaml
from simulator.report import assets
from simulator.report.assets import escape
from simulator.report.audio import PageAudio, codec_for, compress
from simulator.report.marks.peaks import peaks_of, tracks
from simulator.report.marks.timeline_data import page_data, peak_bytes
from simulator.report.numbers import clock_time
from simulator.report.score_list import score_list, verdict_list
from simulator.results.judged import Judged, read_judged
from simulator.results.run import RUN_PAGE, SESSION_PAGE
from simulator.results.run_info import INFO
from simulator.scoring.validity import why_invalid
from simulator.session import PartyMeta, Session, read_session

CHUNK_BYTES = 3 << 20
"""Audio bytes per chunk, a multiple of 3: base64 texts of whole chunks decode one by one."""


def write_session_page(folder: Path, audio: PageAudio = "auto") -> None:
    """Write report.html into a session folder; SessionError when the folder cannot be read.

    audio: `flac`, `opus`, `none`, or `auto`: FLAC up to an hour, Opus above. The page appears whole or not at
    all.
    """
    session = read_session(folder)
    unfinished = folder / f".{SESSION_PAGE}.part"
    try:
        with unfinished.open("w", encoding="utf-8", newline="\n") as file:
            _write(file, session, read_judged(folder), audio)
        unfinished.replace(folder / SESSION_PAGE)
    finally:
        unfinished.unlink(missing_ok=True)


def _write(file: IO[str], session: Session, judged: Judged, audio: PageAudio) -> None:
    codec = codec_for(audio, session.duration / session.sample_rate)
    peaks = peaks_of(session)
    html = assets.fill(
        "session",
        style=assets.style("base", "session"),
        script=assets.script("session"),
        title=escape(_name(session)),
        id=escape(session.id),
        crumb=_crumb(session),
        status=_status(session) + _validity(judged),
        facts=_facts(session),
        verdicts=verdict_list(judged.expectations),
        scores=score_list(judged.scores, {verdict.metric for verdict in judged.expectations}),
        setup=_setup(session),
        data=assets.packed_json(page_data(session, judged, peaks)),
        peaks=assets.packed(peak_bytes(peaks)),
        mime=escape(codec.mime) if codec else "",
    )
    file.write(html)
    if codec is not None:
        with TemporaryDirectory(prefix="duplex-page-") as scratch:
            for track in tracks(session):
                sound = Path(scratch) / track
                compress(session, track, codec, sound)
                _write_chunks(file, track, sound)
    file.write("</body>\n</html>\n")


def _write_chunks(file: IO[str], track: str, sound: Path) -> None:
    with sound.open("rb") as source:
        while chunk := source.read(CHUNK_BYTES):
            text = base64.b64encode(chunk).decode("ascii")
            file.write(f'<script type="text/plain" data-audio="{track}">{text}</script>\n')


def _crumb(session: Session) -> str:
    """A link to the run's page where the session lies in a run."""
    if not (session.folder.parent / INFO).is_file():
        return ""
    return f'<a class="crumb" href="../{RUN_PAGE}">All sessions of this run</a>'


def _status(session: Session) -> str:
    meta = session.meta
    tone = "good" if meta.status == "completed" else "bad"
    problem = f' <span class="problem">{escape(meta.problem)}</span>' if meta.problem else ""
    return f'<span class="badge {tone}">{escape(meta.status)}</span>{problem}'


def _validity(judged: Judged) -> str:
    """Why the session says nothing about the agent, where the tester was at fault."""
    reason = why_invalid(judged.scores)
    return f' <span class="badge bad">invalid</span> <span class="problem">{escape(reason)}</span>' if reason else ""


def _name(session: Session) -> str:
    """The scenario's name as its author wrote it, where the folder still tells."""
    try:
        return str(read_yaml(session.folder / "scenario.yaml").get("name") or session.meta.scenario)
    except ScenarioError:
        return session.meta.scenario


def _facts(session: Session) -> str:
    meta = session.meta
    facts = [
        clock_time(session.duration / session.sample_rate),
        *(f"{name}: {_party(party)}" for name, party in meta.parties.items()),
        f"{meta.clock} clock",
        f"trial {meta.trial}, seed {meta.seed}",
        f"{session.sample_rate / 1000:g} kHz",
    ]
    return "".join(f"<li>{escape(fact)}</li>" for fact in facts)


def _party(party: PartyMeta) -> str:
    """A party in a few words: its kind and what tells it from others of its kind."""
    names = ("model", "voice", "file", "url", "base_url", "weights")
    known = [Path(str(party.spec[name])).name for name in names if isinstance(party.spec.get(name), str)]
    return " · ".join([party.kind, *known[:2]])


def _setup(session: Session) -> str:
    """The resolved scenario, versions and what was damaged: everything one asks when a number looks odd."""
    return "".join(_setup_parts(session))


def _setup_parts(session: Session) -> Iterator[str]:
    if session.notes:
        items = "".join(f"<li>{escape(note)}</li>" for note in session.notes)
        yield f'<h3>Notes</h3><ul class="notes">{items}</ul>'
    if session.meta.measured:
        yield f"<h3>Measured</h3><pre>{escape(_yaml(session.meta.measured))}</pre>"
    scenario = session.folder / "scenario.yaml"
    if scenario.is_file():
        yield f"<h3>Resolved scenario</h3><pre>{escape(scenario.read_text(encoding='utf-8', errors='replace'))}</pre>"
    versions = ", ".join(f"{name} {version}" for name, version in session.meta.versions.items())
    speech = session.speech
    found = ", ".join(
        filter(
            None,
            (
                f"activity by {speech.detector}" if speech.detector else "",
                f"words by {speech.recognizer}" if speech.recognizer else "",
            ),
        )
    )
    yield f"<h3>Made with</h3><p>{escape('; '.join(filter(None, (versions, found))) or 'unknown versions')}</p>"


def _yaml(value: object) -> str:
    return msgspec.yaml.encode(value).decode("utf-8")
