"""Which metrics a reader asks for first; everything else is a click away."""

LEADING = (
    "latency.response_p50_s", "barge_in.yield_rate", "barge_in.yield_latency_p50_s", "takeover.in_pause_rate",
    "backchannel.kept_floor_rate", "turns.fto_p50_s", "content.user_wer", "content.agent_wer",
    "latency.response_p95_s", "latency.unanswered_rate", "turns.gap_per_min", "turns.overlap_s_per_min",
    "barge_in.resume_rate", "barge_in.talked_through_rate", "backchannel.derailed_rate", "backchannel.agent_per_min",
    "selectivity.aside_ignored_rate", "selectivity.talker_ignored_rate", "selectivity.noise_ignored_rate",
    "selectivity.steady_noise_stops_per_min", "agent_interruption.rate",
    "validity.invalid_rate",
)  # fmt: skip
"""In the order of asking. The table of a run begins with the first few that its sessions have."""
