import pytest

from dayfly.base import clock, errors
from dayfly.ports.links import Grant
from dayfly.services import signing


@pytest.fixture
def now():
    return clock.ManualClock()


@pytest.fixture
def links(now):
    return signing.SignedLinks(b"secret", "http://host:1/", now)


def grant(now, **changes):
    expires_at = clock.Micros(now.now() + 60 * clock.SECOND)
    return Grant(**{"method": "PUT", "uri": "file:///a/b c.bin", "expires_at": expires_at, **changes})


def token(url):
    return url.removeprefix("http://host:1/api/dayfly/v1/data/").split("/")[0]


def test_there_and_back(links, now):
    given = grant(now, md5=b"m" * 16)
    url = links.sign(given)
    assert url.endswith("/b%20c.bin")
    assert links.read(token(url), "PUT") == given


def test_expiry(links, now):
    signed = token(links.sign(grant(now)))
    now.advance(60)
    assert links.read(signed, "PUT")
    now.advance(1)
    with pytest.raises(errors.PermissionDenied, match="expired"):
        links.read(signed, "PUT")


def test_other_method(links, now):
    with pytest.raises(errors.PermissionDenied, match="for PUT"):
        links.read(token(links.sign(grant(now))), "GET")


def test_other_secret(links, now):
    other = signing.SignedLinks(b"guessed", "http://host:1", now)
    with pytest.raises(errors.PermissionDenied, match="signature"):
        links.read(token(other.sign(grant(now))), "PUT")


@pytest.mark.parametrize("bad", ["", ".", "x", "x.y", "ü.ü", "a" * 5000])
def test_garbage(links, bad):
    with pytest.raises(errors.PermissionDenied):
        links.read(bad, "PUT")


def test_every_changed_character_counts(links, now):
    signed = token(links.sign(grant(now)))
    for at in range(0, len(signed) - 1, 7):
        changed = signed[:at] + ("A" if signed[at] != "A" else "B") + signed[at + 1 :]
        with pytest.raises(errors.PermissionDenied):
            links.read(changed, "PUT")
