"""Weights & Biases: scores, tables, sound and pages of a run, online or into a folder that `wandb sync` takes later."""

import os
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

from simulator.errors import RemoteError, ScenarioError
from simulator.reading.secrets import Secrets
from simulator.sinks.sink import LoggedRun, SinkSpec

KEY = "WANDB_API_KEY"


class WandbSpec(SinkSpec, frozen=True, kw_only=True, tag="wandb"):
    """Log to W&B: `log: wandb`, or `log: {kind: wandb, project: calls, mode: offline}`.

    project, entity, group, tags: as W&B has them. mode: `offline` writes into the run's folder; without one, what
    WANDB_MODE says, else online. sound, pages: of which sessions they are sent. The key is WANDB_API_KEY, or that of
    `wandb login`.
    """

    project: str = "duplex-simulator"
    entity: str | None = None
    group: str | None = None
    tags: list[str] = []
    mode: Literal["online", "offline"] | None = None
    sound: Literal["all", "none"] = "all"
    pages: Literal["all", "none"] = "all"

    def check(self, where: str) -> None:
        """Refuse it where the package is not installed."""
        if find_spec("wandb") is None:
            raise ScenarioError(f"{where}: needs wandb; install it with: pip install 'wandb>=0.31'")

    def log(self, run: LoggedRun) -> str:
        """Log a run. RemoteError: W&B did not take it."""
        import wandb

        secrets = Secrets()
        secrets.hide(os.environ.get(KEY, ""))
        settings: dict[str, Any] = {"silent": True, "console": "off", "disable_git": True, "x_disable_stats": True}
        try:
            there = wandb.init(
                project=self.project, entity=self.entity, group=self.group, name=run.name, mode=self.mode,
                tags=self.tags or None, dir=str(run.folder), config={"scenarios": run.scenarios},
                settings=wandb.Settings(**settings), reinit="finish_previous",
            )  # fmt: skip
            there.log(self._content(wandb, run))
            for name, value in summary_of(run).items():
                there.summary[name] = value
            place = Path(there.dir).parent if there.offline else there.url
            there.finish(exit_code=run.exit_code)
        except Exception as error:  # noqa: BLE001
            # Whatever goes wrong over there, the run is over and lies in its folder.
            raise RemoteError(secrets.scrub(f"wandb did not take the run: {error}")) from None
        return f"wandb: {place}"

    def _content(self, wandb: Any, run: LoggedRun) -> dict[str, Any]:
        metrics = list(dict.fromkeys(metric for session in run.sessions for metric in session.scores))
        columns = ["session", "scenario", "agent", "seed", "status", "problem", "invalid", *metrics]
        rows = [
            [session.id, session.scenario, session.agent, session.seed, session.status, session.problem,
             session.invalid, *(session.scores.get(metric) for metric in metrics)]
            for session in run.sessions
        ]  # fmt: skip
        checks = [[check.scenario, check.text, check.became, check.found] for check in run.checks]
        named = ["scenario", "expectation", "became", "found"]
        return {
            "sessions": wandb.Table(columns=columns, data=rows, allow_mixed_types=True),
            "expectations": wandb.Table(columns=named, data=checks, allow_mixed_types=True),
            **self._media(wandb, run),
        }

    def _media(self, wandb: Any, run: LoggedRun) -> dict[str, Any]:
        """Sound and pages, under the sessions' ids."""
        found: dict[str, Any] = {}
        for session in run.sessions:
            if self.sound == "all" and session.sound is not None:
                found[f"sound/{session.id}"] = wandb.Audio(str(session.sound), caption=session.id)
            if self.pages == "all" and session.page is not None:
                found[f"page/{session.id}"] = wandb.Html(session.page.read_text(encoding="utf-8"), inject=False)
        if self.pages == "all" and run.page is not None:
            found["page/run"] = wandb.Html(run.page.read_text(encoding="utf-8"), inject=False)
        return found


def summary_of(run: LoggedRun) -> dict[str, float | int]:
    """Give the figures of a run by name: pooled scores, the checks that held, the exit code.

    Undefined ones are left out. Of several scenarios each score has the scenario's name before it.
    """
    several = len(run.pooled) > 1
    found: dict[str, float | int] = {
        f"{scenario}/{metric}" if several else metric: value
        for scenario, scores in run.pooled.items()
        for metric, value in scores.items()
        if value is not None
    }
    held = sum(check.became == "held" for check in run.checks)
    return {**found, "sessions_played": len(run.sessions), "expectations_held": held,
            "expectations_in_all": len(run.checks), "exit_code": run.exit_code}  # fmt: skip
