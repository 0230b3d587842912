from __future__ import annotations

import pytest

from deploy_plugin.server import http


def test_a_request_carries_the_host_that_a_visitor_would_send() -> None:
    first, *headers = http.request("/health", "staging.example.com:8080").decode().split("\r\n")
    assert first == "GET /health HTTP/1.1"
    assert "Host: staging.example.com:8080" in headers
    assert "Connection: close" in headers
    assert headers[-2:] == ["", ""]


@pytest.mark.parametrize(
    ("received", "body"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", b"ok"),
        (b"HTTP/1.0 200 OK\r\n\r\nuntil the end", b"until the end"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", b"ok"),
    ],
)
def test_an_answer_is_read_however_its_length_is_told(received: bytes, body: bytes) -> None:
    assert http.answer(received).body == body


def test_headers_are_found_by_lower_case_names_and_a_redirect_is_not_followed() -> None:
    answer = http.answer(b"HTTP/1.1 302 Found\r\nLocation: /login\r\n\r\n")
    assert (answer.status, answer.headers["location"]) == (302, "/login")


@pytest.mark.parametrize(
    "received",
    [b"", b"SSH-2.0-OpenSSH_9.2\r\n", b"HTTP/1.1 2", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok"],
)
def test_what_is_no_whole_answer_is_an_os_error(received: bytes) -> None:
    with pytest.raises(OSError, match="no HTTP answer"):
        http.answer(received)
