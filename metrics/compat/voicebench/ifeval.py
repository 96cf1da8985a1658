"""VoiceBench's instruction following (IFEval): every instruction of a row is checked by a program."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar, NamedTuple

import msgspec

from metrics.compat.as_scorer import Sample
from metrics.compat.measured import Measured
from metrics.compat.prediction_rows import PredictionRow
from metrics.compat.row_scorer import RowFile, RowScorer
from metrics.compat.voicebench.clean import without_marker, without_turn
from metrics.compat.voicebench.ifeval_checks import BUILDERS, Check, Draws
from simulator.errors import ScenarioError, SessionError
from simulator.intervals.observations import Origin
from simulator.score import Definition, Score, from_parts
from simulator.scoring.corpus import CorpusResult
from simulator.scoring.pooling import pool
from simulator.texts import quoted

CARD = """\
Every row names instructions and their arguments; a program checks each of them. strict_prompt: share of rows whose
answer follows all of them; strict_instruction: share of all instructions that are followed. loose_prompt,
loose_instruction: an instruction also counts where one of eight variants of the answer follows it: as it is, without
its first line, without its last, without both, and each without asterisks. final: the mean of the four. All 0 to 1.
Quirks kept in mode=compat: rows of one prompt share the last one's answer; arguments that are null, 0 or empty are
drawn at random (by seed, in the original's order); a text whose language cannot be found is in any; bullets that begin
with one asterisk or a dash. mode=strict: every row keeps its own answer.
Words are \\w+; sentences are counted as Punkt does, with its English model in small (of 7,113 paragraphs of English
prose 10 were counted otherwise); capital words are cut as the Penn Treebank's are. Languages need langdetect (extra
`data`), its chance fixed.
Needs prompt, response, instruction_id_list and kwargs. Undefined: no row. Of sessions in a run, final is the mean of
the rows' own.
Source: VoiceBench (arXiv 2410.17196), evaluator ifeval; IFEval (arXiv 2311.07911)."""

_SHARES = ("strict_prompt", "strict_instruction", "loose_prompt", "loose_instruction")


class Followed(NamedTuple):
    """Which instructions of a row are followed, in their order."""

    strict: list[bool]
    loose: list[bool]


class IfevalSpec(RowScorer, frozen=True, kw_only=True, tag="voicebench:ifeval"):
    """Shares of instructions that are followed."""

    card: ClassVar[str] = CARD
    table: ClassVar[tuple[Definition, ...]] = (
        *(
            Definition(id=name, unit="share", title=name.replace("_", ", by "), statistic="ratio", better="higher")
            for name in _SHARES
        ),
        Definition(id="final", unit="share", title="mean of the four", statistic="fmean", better="higher"),
    )
    extras: ClassVar[tuple[str, ...]] = ("strict", "loose")

    def open_file(self, file: RowFile) -> None:
        """Check all rows strictly, then all loosely: arguments are drawn in this order."""
        answers = {row.fields.get("prompt"): row.fields.get("response") for row in file.rows if _is_whole(row)}
        own = self.mode == "strict"
        strict = [self._follow(row, answers, file.draws, own=own, loose=False) for row in file.rows]
        loose = [self._follow(row, answers, file.draws, own=own, loose=True) for row in file.rows]
        file.known = {
            id(row.fields): pair for row, pair in zip(file.rows, zip(strict, loose, strict=True), strict=True)
        }

    def _follow(
        self, row: PredictionRow, answers: Mapping[Any, Any], draws: Draws, *, own: bool, loose: bool
    ) -> list[bool] | str:
        """Say which instructions a row's answer follows; a sentence where the row cannot be used."""
        try:
            response = _cleaned(row.text("response") if own else answers[row.text("prompt")])
            texts = variants(response) if loose else [response]
            checks = [_check(name, given, draws) for name, given in _instructions(row)]
            return [any(text.strip() and check(text) for text in texts) for check in checks]
        except (SessionError, ScenarioError) as error:
            return str(error)
        except (TypeError, ValueError, AttributeError, re.error) as error:
            return f"kwargs: cannot be used: {error}"
        except KeyError:
            return f"prompt: {quoted(row.text('prompt'))} has no response"

    def measure_row(self, row: PredictionRow, file: RowFile) -> Measured:
        """Count what a row's answer follows."""
        strict, loose = file.known[id(row.fields)]
        if isinstance(strict, str) or isinstance(loose, str):
            raise SessionError(strict if isinstance(strict, str) else loose)
        measured = Measured(shown={"strict": strict, "loose": loose})
        for name, followed in zip(("strict", "loose"), (strict, loose), strict=True):
            measured.parts[f"{name}_prompt"] = {"count": int(all(followed)), "of": 1}
            measured.parts[f"{name}_instruction"] = {"count": sum(followed), "of": len(followed)}
        if strict:
            measured.add(
                "final", sum(measured.parts[name]["count"] / measured.parts[name]["of"] for name in _SHARES) / 4
            )
        measured.lines = [f"follows {sum(strict)} of {len(strict)}, loosely {sum(loose)}"]
        return measured

    def finish(self, result: CorpusResult, measured: Sequence[Sample], given: Any) -> CorpusResult:
        """Give the mean of the four shares."""
        result = RowScorer.finish(self, result, measured, given)
        rows = [sample for _, sample in measured if not sample.skipped]
        final = final_score(self.table[-1], result.metrics, rows)
        return msgspec.structs.replace(result, metrics={**result.metrics, "final": final})


def final_score(card: Definition, scores: Mapping[str, Score], rows: Sequence[Measured]) -> Score:
    """Give the mean of the four shares with its interval: each share is linear in its rows, near its value."""
    shares = [scores[name].value for name in _SHARES]
    known = [share for share in shares if share is not None]
    if len(known) < len(_SHARES):
        return from_parts(card, {}, reason=scores["strict_instruction"].reason or "no row")
    totals = [sum(row.parts[name]["of"] for row in rows) / len(rows) for name in _SHARES]
    pulls = [
        sum(
            share + (row.parts[name]["count"] - share * row.parts[name]["of"]) / total
            for name, share, total in zip(_SHARES, known, totals, strict=True)
        )
        / len(_SHARES)
        for row in rows
    ]
    linear = [from_parts(card, {"values": [pull]}, reason="") for pull in pulls]
    pooled = pool(card, linear, [Origin("")] * len(linear))
    return msgspec.structs.replace(pooled, value=sum(known) / len(_SHARES))


def _is_whole(row: PredictionRow) -> bool:
    return all(isinstance(row.fields.get(name), str) for name in ("prompt", "response"))


def _cleaned(response: str) -> str:
    return without_turn(without_marker(response))


def variants(response: str) -> list[str]:
    """Give the texts of which one must follow an instruction loosely."""
    lines = response.split("\n")
    parts = [response, *("\n".join(part).strip() for part in (lines[1:], lines[:-1], lines[1:-1]))]
    return list(dict.fromkeys(text for part in parts for text in (part, part.replace("*", ""))))


def _instructions(row: PredictionRow) -> Iterable[tuple[str, Mapping[str, Any]]]:
    names, arguments = row.items("instruction_id_list"), row.items("kwargs")
    if len(arguments) < len(names):
        raise SessionError(f"kwargs: {len(arguments)} for {len(names)} instructions")
    return zip(names, arguments, strict=False)


def _check(name: Any, given: Any, draws: Draws) -> Check:
    if not isinstance(name, str) or name not in BUILDERS:
        raise SessionError(f"instruction_id_list: {quoted(name)} is none of {', '.join(BUILDERS)}")
    if not isinstance(given, dict):
        raise SessionError(f"kwargs: expected a mapping for {name}, found {quoted(given)}")
    return BUILDERS[name](draws, **{argument: value for argument, value in given.items() if value})
