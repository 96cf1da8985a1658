def test_the_order_is_said_back(scenario):
    session = scenario("talk.scenario.yaml", set={"user.turns[0]": "I would like a table by the window."})
    assert "window" in session.agent.turns[0].text
    assert not session.calls("book")
    assert all(overlap.duration_s < 1 for overlap in session.overlaps)
    assert all(case.yield_latency_s < 1 for case in session.barge_ins if case.outcome == "yielded")
