"""tau-voice's way to one number over domains: pooled within a domain, averaged over domains."""

from collections.abc import Sequence

import msgspec

from metrics.compat.as_scorer import AsScorer, corpus_result
from metrics.compat.measured import Measured
from simulator.score import Score
from simulator.scoring.corpus import CorpusResult


def by_domain(
    scorer: AsScorer, pooled: CorpusResult, measured: Sequence[tuple[str, Measured]], domains: Sequence[str]
) -> CorpusResult:
    """Replace pooled rates by their means over domains, and add every domain's own as `<domain>:<metric>`.

    domains: of every sample, in order, empty for none. Counts stay sums. With one domain nothing changes.
    """
    groups: dict[str, list[tuple[str, Measured]]] = {}
    for domain, sample in zip(domains, measured, strict=True):
        if domain:
            groups.setdefault(domain, []).append(sample)
    if len(groups) < 2:
        return pooled
    tables = {domain: corpus_result(scorer, samples).metrics for domain, samples in groups.items()}
    metrics = {
        name: metric if name.startswith("counts.") else _mean(metric, [table[name] for table in tables.values()])
        for name, metric in pooled.metrics.items()
    }
    for domain, table in tables.items():
        metrics |= {f"{domain}:{name}": metric for name, metric in table.items()}
    return msgspec.structs.replace(pooled, metrics=metrics)


def _mean(pooled: Score, over: Sequence[Score]) -> Score:
    """Average the values that are defined; n is the number of domains that entered."""
    values = [metric.value for metric in over if metric.value is not None]
    if not values:
        return pooled
    return Score(id=pooled.id, value=sum(values) / len(values), unit=pooled.unit, n=len(values))
