"""What every answer tells a browser that it may do."""

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request

from service.settings import Settings
from service.web import headers
from service.web.static import File


def policy(*frame_ancestors: str) -> dict[str, str]:
    """The directives of the Content-Security-Policy, by name."""
    whole = headers.documents(frame_ancestors)["Content-Security-Policy"]
    return dict(directive.split(" ", 1) for directive in whole.split("; "))


def test_scripts_and_styles_are_the_sites_own_and_none_is_inline() -> None:
    directives = policy()
    assert directives["default-src"] == "'none'"
    assert {directives[name] for name in ("script-src", "style-src", "connect-src", "form-action")} == {"'self'"}
    assert "unsafe" not in " ".join(directives.values())
    assert directives["require-trusted-types-for"] == "'script'"
    assert directives["trusted-types"] == "afterword"


def test_nobody_may_frame_a_page_but_who_is_named() -> None:
    assert policy()["frame-ancestors"] == "'none'"
    assert headers.documents(())["X-Frame-Options"] == "DENY"
    named = ("https://a.example", "http://b.example:8080")
    assert policy(*named)["frame-ancestors"] == "https://a.example http://b.example:8080"
    assert "X-Frame-Options" not in headers.documents(named)


@pytest.mark.parametrize(
    ("response", "whole"), [(web.Response(status=404), True), (web.StreamResponse(), True), (File(), False)]
)
async def test_every_answer_has_them_and_a_file_only_what_it_needs(
    response: web.StreamResponse, *, whole: bool
) -> None:
    await headers.adding(Settings())(make_mocked_request("GET", "/"), response)
    assert response.headers["Server"] == "Afterword"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert ("Content-Security-Policy" in response.headers) is whole


async def test_an_answer_keeps_a_policy_of_its_own() -> None:
    response = web.Response(headers={"Content-Security-Policy": "sandbox"})
    await headers.adding(Settings())(make_mocked_request("GET", "/"), response)
    assert response.headers["Content-Security-Policy"] == "sandbox"
