"""Entering a page by a pass: the token of the address that was printed becomes a cookie, and leaves the address."""

from typing import TYPE_CHECKING

from simulator.live.browser.passes import Passes, cookie_name

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response


def entered(passes: Passes, request: "Request", role: str, command: str) -> "Response | None":
    """Let a request into the page of a role: None where it holds the pass, else what it is answered.

    command: which of ours printed the address (`simulate talk`).
    """
    from starlette.responses import RedirectResponse

    token = request.query_params.get("pass")
    held = passes.holds(role, request.cookies)
    if token is None:
        return None if held else refused(401, f"open the address that `{command}` printed")
    answer: Response = RedirectResponse(request.url.path, 303)
    if not held:
        cookie = passes.exchange(role, token)
        if cookie is None:
            return refused(403, f"this address has been used or is not whole; take what `{command}` printed")
        answer.set_cookie(cookie_name(role), cookie, httponly=True, samesite="strict")
    return answer


def refused(status: int, sentence: str) -> "Response":
    """Give a refusal with its sentence."""
    from starlette.responses import PlainTextResponse

    return PlainTextResponse(f"{sentence}\n", status)
