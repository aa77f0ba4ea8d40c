"""Answers of Amazon's S3, as its documentation prints them, and the errors that they become."""

from __future__ import annotations

import pytest

from dubbing.storage.s3_refusal import refusal_in


def answer(code: str, message: str, more: str = "") -> str:
    return (
        "Generic S3 error: Error performing GET https://s3.eu-west-1.amazonaws.com/films in 18ms - "
        "Server returned non-2xx status code: 403 Forbidden: "
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f"<Error><Code>{code}</Code><Message>{message}</Message>{more}</Error>"
    )


@pytest.mark.parametrize(
    ("code", "message", "remedy"),
    [
        (
            "InvalidAccessKeyId",
            "The AWS Access Key Id does not exist",
            "ACCESS_KEY_ID",
        ),
        ("SignatureDoesNotMatch", "The request signature does not match", "SECRET_ACCESS_KEY"),
        ("AccessDenied", "Access Denied", "policy"),
        ("NoSuchBucket", "The specified bucket does not exist", "name of the bucket"),
        ("InvalidBucketName", "The specified bucket is not valid", "name of the bucket"),
        ("PermanentRedirect", "The bucket must be addressed using its endpoint", "S3_REGION"),
        ("RequestTimeTooSkewed", "The time differs too much", "clock"),
        ("ExpiredToken", "The provided token has expired", "ACCESS_KEY_ID"),
    ],
)
def test_a_code_stands_with_its_words_and_what_to_check(
    code: str, message: str, remedy: str
) -> None:
    said = str(refusal_in(answer(code, f"{message}.")))
    assert said.startswith(f"{code}: {message}: ")
    assert remedy in said
    assert "<" not in said


def test_the_region_that_is_expected_is_named() -> None:
    malformed = answer(
        "AuthorizationHeaderMalformed",
        "The authorization header is malformed; the region &apos;us-east-1&apos; is wrong",
        "<Region>eu-central-1</Region>",
    )
    said = str(refusal_in(malformed))
    assert "the region 'us-east-1' is wrong" in said
    assert "(it expects eu-central-1)" in said


def test_a_redirect_that_the_client_does_not_follow_is_a_wrong_region() -> None:
    text = (
        "Generic S3 error: Received redirect without LOCATION, this normally indicates an "
        "incorrectly configured region"
    )
    assert str(refusal_in(text)).startswith("PermanentRedirect: ")
    assert "DUBBING_S3_REGION" in str(refusal_in(text))


def test_a_refusal_without_a_code_names_the_status() -> None:
    text = "Server returned non-2xx status code: 403 Forbidden: <html>Go away</html>"
    assert str(refusal_in(text)).startswith("403 Forbidden: check its keys")


@pytest.mark.parametrize(
    "text",
    [
        answer("NoSuchKey", "The specified key does not exist."),
        answer("SlowDown", "Please reduce your request rate."),
        answer("InternalError", "We encountered an internal error."),
        "HTTP error: error sending request",
        "status code: 503 Service Unavailable: ",
        "",
    ],
)
def test_what_may_pass_and_what_is_missing_is_no_refusal(text: str) -> None:
    assert refusal_in(text) is None
