"""What remote kinds share: their wires, links and playing, traces, usage; one room per protocol or per purpose."""
