# What `.ci/run` and `.ci/full` share: sourced from the root of a checkout.

# Real recordings lie beside the checkout where there are any; without them the tests that want them are skipped.
if [ -d ../shared/data ]; then
  SIMULATOR_TEST_AUDIO="$(cd ../shared/data && pwd)"
  export SIMULATOR_TEST_AUDIO
fi
export PIP_DISABLE_PIP_VERSION_CHECK=1

# part NAME COMMAND ...: run a part under its name, and say how long it took. It ends the script when it fails.
part() {
  local name="$1" begun="$SECONDS"
  shift
  echo "ci: $name"
  "$@"
  echo "ci: $name took $((SECONDS - begun)) s"
}

# environment FOLDER [PYTHON]: make a fresh virtual environment.
environment() {
  rm -rf "$1"
  "${2:-python3}" -m venv "$1"
}

# The browser and the sound server are Debian packages; where they cannot be had, their tests are skipped and counted.
debian_packages() {
  if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then return; fi
  if command -v chromedriver >/dev/null && command -v pulseaudio >/dev/null; then return; fi
  local log
  log="$(mktemp)"
  (apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
    chromium chromium-driver libportaudio2 pulseaudio pulseaudio-utils libasound2-plugins) >"$log" 2>&1 \
    || echo "ci: some Debian packages could not be installed (see $log); their tests are skipped"
}

# The site is built without the network once its tools are there; links and anchors that lead nowhere fail it.
docs() {
  if [ ! -x .venv-docs/bin/zensical ]; then
    environment .venv-docs
    .venv-docs/bin/pip install -q -U "pip>=25.1"  # the first that knows --group
    .venv-docs/bin/pip install -q --group docs
  fi
  .venv-docs/bin/zensical build --strict --clean
}
