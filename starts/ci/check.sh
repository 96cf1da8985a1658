python agent.py &
agent=$!
trap 'kill $agent' EXIT
until python -c 'import socket; socket.create_connection(("127.0.0.1", 8765), 1)' 2>/dev/null; do
  kill -0 $agent || exit 1  # it ended before it listened
  sleep 0.2
done
simulate talk.scenario.yaml --out simulate-run --junit junit.xml --history .simulate-history "$@"
