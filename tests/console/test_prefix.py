"""A path in front of the console: taken from what comes in, put into what goes out."""

import pytest

from compute_optimizer.console.messages import Response
from compute_optimizer.console.prefix import behind, without

PREFIX = "/team/co"


@pytest.mark.parametrize(
    ("path", "inner"),
    [
        ("/team/co/console/exports", "/console/exports"),
        ("/team/co/console", "/console"),
        # The proxy has taken it away already.
        ("/console/exports", "/console/exports"),
        ("/team/co/elsewhere", "/team/co/elsewhere"),
        ("/other/console/", "/other/console/"),
    ],
)
def test_what_comes_in_loses_the_path(path: str, inner: str) -> None:
    assert without(PREFIX, path) == inner


def test_addresses_of_a_page_get_the_path_and_nothing_else_does() -> None:
    page = (
        '<a class="x" href="/console/exports?a=/console/b">/console/text</a>'
        '<form method="post" action="/console/sign-out"><button formaction="/console/x">'
        '<img src="/console/static/a/icon.svg"><div data-src="/console/resource/usage?arn=1">'
        '<input type="hidden" name="next" value="/console/exports">'
        '<a href="https://login.example.com/console/">out</a> <a href="/consoles">other</a>'
        "<td>&#34; href=&#34;/console/escaped</td>"
    )

    assert behind(PREFIX, Response(200, page.encode())).body.decode() == (
        '<a class="x" href="/team/co/console/exports?a=/console/b">/console/text</a>'
        '<form method="post" action="/team/co/console/sign-out">'
        '<button formaction="/team/co/console/x"><img src="/team/co/console/static/a/icon.svg">'
        '<div data-src="/team/co/console/resource/usage?arn=1">'
        '<input type="hidden" name="next" value="/console/exports">'
        '<a href="https://login.example.com/console/">out</a> <a href="/consoles">other</a>'
        "<td>&#34; href=&#34;/console/escaped</td>"
    )


def test_ways_and_cookies_get_the_path() -> None:
    headers = {"location": "/console/", "refresh": "0;url=/console/accounts"}
    cookies = ("co_session=a; Path=/console; HttpOnly", "__Host-co_sign_in=b; Path=/; Secure")
    found = behind(PREFIX, Response(303, headers=headers, cookies=cookies))

    assert found.headers == {
        "location": "/team/co/console/",
        "refresh": "0;url=/team/co/console/accounts",
    }
    assert found.cookies == (
        "co_session=a; Path=/team/co/console; HttpOnly",
        "__Host-co_sign_in=b; Path=/; Secure",
    )
    away = {"location": "https://login.example.com/", "refresh": "0;url=https://login.example.com"}
    assert behind(PREFIX, Response(303, headers=away)).headers == away


def test_files_are_left_as_they_are() -> None:
    script = b"const a = ' href=\"/console/x\"';"
    assert behind(PREFIX, Response(200, script, "text/javascript")).body == script
    plain = Response(200, b'<a href="/console/">')
    assert behind("", plain) is plain
