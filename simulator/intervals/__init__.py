"""How far pooled values and differences can be trusted: intervals over clusters, paired tests, confidence sequences."""
