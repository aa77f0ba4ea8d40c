"""Refusals of an S3 server: error code, message, and what to check.

The codes are Amazon's; other servers use them too.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from html import unescape

KEYS = "check DUBBING_S3_ACCESS_KEY_ID, and that it is a key of this server"
SECRET = "check DUBBING_S3_SECRET_ACCESS_KEY and DUBBING_S3_ACCESS_KEY_ID"  # noqa: S105 - a name
POLICY = "check its keys, DUBBING_S3_ACCESS_KEY_ID and its secret, and the bucket's policy"
BUCKET = "check the name of the bucket, and DUBBING_S3_ENDPOINT"
REGION = "check DUBBING_S3_REGION, and DUBBING_S3_ENDPOINT if it names a region"
CLOCK = "check this machine's clock"
AUTHORITY = "name its authority in DUBBING_CA_FILE"
REMEDIES = {
    "InvalidAccessKeyId": KEYS,
    "SignatureDoesNotMatch": SECRET,
    "AccessDenied": POLICY,
    "AllAccessDisabled": POLICY,
    "AccountProblem": POLICY,
    "InvalidToken": KEYS,
    "ExpiredToken": KEYS,
    "InvalidClientTokenId": KEYS,
    "NoSuchBucket": BUCKET,
    "InvalidBucketName": BUCKET,
    "AuthorizationHeaderMalformed": REGION,
    "AuthorizationQueryParametersError": REGION,
    "PermanentRedirect": REGION,
    "TemporaryRedirect": REGION,
    "IllegalLocationConstraintException": REGION,
    "InvalidRegion": REGION,
    "RequestTimeTooSkewed": CLOCK,
    "RequestExpired": CLOCK,
}
"""What to check, by S3's error code."""
CODE = re.compile(r"<Code>\s*([A-Za-z.]+)\s*</Code>")
MESSAGE = re.compile(r"<Message>\s*([^<]*?)\s*</Message>")
EXPECTED_REGION = re.compile(r"<Region>\s*([\w-]+)\s*</Region>")
BARE_REDIRECT = "redirect without LOCATION"
"""The client's message for S3's answer 301, whose content it does not pass on."""
FORBIDDEN = re.compile(r"status code: (40[13] \w+)")
REASON = re.compile(r'(?:message|error): "([^"]+)"')
"""The reason for a missing answer, further down in the client's message."""
UNTRUSTED = re.compile(r"InvalidCertificate\(\s*(\w+)")
"""The reason why a certificate is not trusted, further down in the client's message."""
METADATA = "169.254.169.254"
"""Address where Amazon's machines find their keys; it is asked when no key is set."""


@dataclass(frozen=True)
class Refusal:
    """Why S3 refuses."""

    code: str
    """S3's error code, or what the client found."""
    message: str
    """S3's message."""
    remedy: str
    """What to check."""

    def __str__(self) -> str:
        return ": ".join(filter(None, (self.code, self.message, self.remedy)))


def refusal_in(text: str) -> Refusal | None:
    """Return the refusal in a client's error message, or None."""
    if BARE_REDIRECT in text:
        return Refusal("PermanentRedirect", "the bucket lies in another region", REGION)
    if untrusted := UNTRUSTED.search(text):
        remedy = AUTHORITY if untrusted[1] == "UnknownIssuer" else ""
        return Refusal("its certificate is not trusted", untrusted[1], remedy)
    if METADATA in text:
        return Refusal(
            "no keys", "", "set DUBBING_S3_ACCESS_KEY_ID and DUBBING_S3_SECRET_ACCESS_KEY"
        )
    code = CODE.search(text)
    if code is None:
        status = FORBIDDEN.search(text)
        return Refusal(status[1], "", POLICY) if status else None
    if code[1] not in REMEDIES:
        return None
    message = MESSAGE.search(text)
    words = unescape(message[1]) if message else ""
    region = EXPECTED_REGION.search(text)
    remedy = REMEDIES[code[1]] + (f" (it expects {region[1]})" if region else "")
    return Refusal(code[1], words.rstrip("."), remedy)


def summary_of(exc: BaseException) -> str:
    """Return the first line of a client's error, with the reason from further down."""
    lines = str(exc).strip().splitlines() or [type(exc).__name__]
    reasons = REASON.findall("\n".join(lines[1:]))
    return f"{lines[0]}: {reasons[-1]}" if reasons else lines[0]
