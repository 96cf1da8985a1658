"""A real headless Chromium for the tests and benchmarks of the pages."""

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

FLAGS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars",
    "--autoplay-policy=no-user-gesture-required",
)  # fmt: skip


def missing() -> str | None:
    """Say in a line what a browser test lacks here; None when everything is there."""
    if not shutil.which("chromium") or not shutil.which("chromedriver"):
        return "chromium and chromedriver are not installed (Debian: apt-get install chromium chromium-driver)"
    try:
        import selenium  # noqa: F401 - only whether it is there
    except ImportError:
        return "selenium is not installed (pip install selenium)"
    return None


@contextmanager
def browser(width: int, height: int, *, dark: bool = False, flags: Sequence[str] = ()) -> Iterator[Any]:
    """Give a driver of a fresh browser with a window of exactly this size; flags: more of them."""
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium") or ""
    for flag in (*FLAGS, *flags):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(shutil.which("chromedriver")))
    driver.set_script_timeout(60)
    try:
        resize(driver, width, height)
        set_theme(driver, dark=dark)
        yield driver
    finally:
        driver.quit()


def resize(driver: Any, width: int, height: int) -> None:
    """Make the window exactly this large; a real window refuses to be as narrow as a phone."""
    driver.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False},
    )


def set_theme(driver: Any, *, dark: bool) -> None:
    """Make the system prefer light or dark."""
    features = [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})


def wait_ready(driver: Any, *states: str) -> None:
    """Wait until a page says that it has come so far: `lanes` (drawn), `all` (and it can play)."""
    from selenium.webdriver.support.ui import WebDriverWait

    wanted = {*states, "all"}
    WebDriverWait(driver, 60, poll_frequency=0.02).until(
        lambda page: page.execute_script("return document.documentElement.dataset.ready") in wanted
    )


def errors(driver: Any) -> list[str]:
    """Give what the console complained about since the last look."""
    return [entry["message"] for entry in driver.get_log("browser") if entry["level"] in ("SEVERE", "WARNING")]


def renderer_megabytes(driver: Any) -> float:
    """Give the resident memory of the page's process: the largest renderer below the driver."""
    sizes = [_resident(pid) for pid in _below(driver.service.process.pid) if "--type=renderer" in _command(pid)]
    return max(sizes, default=0.0)


def _below(pid: int) -> Iterator[int]:
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == pid:
            child = int(path.parent.name)
            yield child
            yield from _below(child)


def _command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")
    except OSError:
        return ""


def _resident(pid: int) -> float:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) / 1000
    return 0.0
