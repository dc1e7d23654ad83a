"""Asking another system for its roster: a token, then every collection page by page, distrusting what comes."""

import base64
import json
import time
from collections.abc import Callable, Mapping
from typing import Any, Final
from urllib.parse import quote, urlencode

from pupitre.courses.rules.pulling import (
    COLLECTIONS,
    DEMOGRAPHICS,
    SCOPES,
    Outcome,
    PullFailed,
    Target,
    Thing,
    service_of,
    things_of,
)
from pupitre.kernel import outward

_PAGE: Final = 1000
_SECONDS: Final = 60.0  # an answer
_MOST_ANSWER: Final = 64 * 1024 * 1024
MOST_ALL: Final = 512 * 1024 * 1024
_MOST_PAGES: Final = 20_000
_WAITS: Final = (2.0, 8.0, 30.0)  # before trying again
_LONGEST_WAIT: Final = 60.0
_WORTH_TRYING: Final = frozenset({429, 500, 502, 503, 504})
_OUTCOMES: Final[Mapping[type[outward.OutwardError], Outcome]] = {
    outward.Refused: Outcome.FORBIDDEN_ADDRESS,
    outward.Untrusted: Outcome.UNTRUSTED,
    outward.TookTooLong: Outcome.SLOW,
}


class Fetching:
    """One pull. `pause` waits so many seconds; tests do not."""

    def __init__(
        self, target: Target, *, allow_private: bool, pause: Callable[[float], None] = time.sleep
    ) -> None:
        self._target, self._allow_private, self._pause = target, allow_private, pause
        self._base = service_of(target.base_url)
        self._token, self._scope = "", ""
        self._read = 0

    def collections(self) -> dict[str, list[Thing]]:
        """Everything that the other system tells, by collection. Raises PullFailed; half a roster is none."""
        self._sign_in()
        names = [name for name in COLLECTIONS if name != DEMOGRAPHICS or "demographics" in self._scope]
        return {name: self._collection(name) for name in names}

    # -- token -------------------------------------------------------------------------------------------------------

    def _sign_in(self) -> None:
        for scope in SCOPES:
            answer = self._patiently("POST", self._target.token_url, self._asking(scope), self._client())
            told = _json(answer)
            if answer.status == 200 and isinstance(told.get("access_token"), str):
                self._token, self._scope = told["access_token"], str(told.get("scope") or scope)
                return
            if answer.status in (200, 404, 405) or answer.status >= 500 or answer.status < 400:
                raise PullFailed(Outcome.STATUS, f"token: {answer.status}")
            if told.get("error") != "invalid_scope":
                raise PullFailed(Outcome.WRONG_SECRET, f"token: {answer.status} {told.get('error', '')}")
        raise PullFailed(Outcome.NO_RIGHTS, "token: invalid_scope")

    def _asking(self, scope: str) -> bytes:
        return urlencode({"grant_type": "client_credentials", "scope": scope}).encode()

    def _client(self) -> dict[str, str]:
        pair = f"{quote(self._target.client_id, safe='')}:{quote(self._target.secret, safe='')}"
        return {
            "Authorization": "Basic " + base64.b64encode(pair.encode()).decode(),
            "Content-Type": "application/x-www-form-urlencoded",
            "Accept": "application/json",
        }

    # -- pages -------------------------------------------------------------------------------------------------------

    def _collection(self, name: str) -> list[Thing]:
        """All pages. The other system may give fewer at once than asked for; it may not give anything twice."""
        found: dict[str, Thing] = {}
        offset = 0
        for _ in range(_MOST_PAGES):
            answer = self._get(f"{self._base}/{name}?{urlencode({'limit': _PAGE, 'offset': offset})}", name)
            things = things_of(_json(answer), name)
            known = len(found)
            found.update((str(thing["sourcedId"]), thing) for thing in things)
            if len(found) - known < len(things):
                raise PullFailed(Outcome.INCOMPLETE, f"{name}: the same is told twice from {offset} on")
            offset += len(things)
            if not _goes_on(answer, name, len(things), offset):
                return list(found.values())
        raise PullFailed(Outcome.INCOMPLETE, f"{name}: there is no end of pages")

    def _get(self, url: str, name: str) -> outward.Answer:
        answer = self._patiently("GET", url, None, self._bearer())
        if answer.status == 401:  # a token may run out on the way
            self._sign_in()
            answer = self._patiently("GET", url, None, self._bearer())
        if answer.status in (401, 403):
            raise PullFailed(Outcome.NO_RIGHTS, f"{name}: {answer.status}")
        if answer.status != 200:
            raise PullFailed(Outcome.STATUS, f"{name}: {answer.status}")
        return answer

    def _bearer(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._token}", "Accept": "application/json"}

    # -- the wire ----------------------------------------------------------------------------------------------------

    def _patiently(
        self, method: str, url: str, body: bytes | None, headers: Mapping[str, str]
    ) -> outward.Answer:
        """Ask, and again after a while where that is worth it. Raises PullFailed where no answer came."""
        for wait in _WAITS:
            try:
                answer = self._ask(method, url, body, headers)
            except PullFailed as failed:
                if failed.outcome is not Outcome.UNREACHABLE:
                    raise
                self._pause(wait)
                continue
            if answer.status not in _WORTH_TRYING:
                return answer
            self._pause(min(max(wait, _retry_after(answer)), _LONGEST_WAIT))
        return self._ask(method, url, body, headers)

    def _ask(self, method: str, url: str, body: bytes | None, headers: Mapping[str, str]) -> outward.Answer:
        try:
            answer = outward.ask(
                method,
                url,
                body,
                headers,
                seconds=_SECONDS,
                most=_MOST_ANSWER + 1,
                allow_private=self._allow_private,
            )
        except outward.OutwardError as error:
            outcome = _OUTCOMES.get(type(error), Outcome.UNREACHABLE)
            raise PullFailed(outcome, url.partition("?")[0]) from None
        self._read += len(answer.body)
        if len(answer.body) > _MOST_ANSWER or self._read > MOST_ALL:
            raise PullFailed(Outcome.TOO_LARGE, url.partition("?")[0])
        return answer


def _goes_on(answer: outward.Answer, name: str, got: int, offset: int) -> bool:
    """Whether there is another page: by the total, else by a link to it, else by a page as full as it was asked for."""
    told = answer.headers.get("x-total-count", "")
    if told.isdecimal() and len(told) < 10:
        if got == 0 and offset < int(told):
            raise PullFailed(Outcome.INCOMPLETE, f"{name}: {offset} of {told}")
        if offset > int(told):
            raise PullFailed(Outcome.INCOMPLETE, f"{name}: {offset} of only {told}")
        return offset < int(told)
    link = answer.headers.get("link", "")
    return got > 0 and ('rel="next"' in link or "rel=next" in link or (not link and got >= _PAGE))


def _retry_after(answer: outward.Answer) -> float:
    told = answer.headers.get("retry-after", "")
    return float(told) if told.isdecimal() and len(told) < 6 else 0.0


def _json(answer: outward.Answer) -> dict[str, Any]:
    """The answer's object; an empty one where it is none."""
    try:
        told = json.loads(answer.body)
    except (ValueError, RecursionError):
        return {}
    return told if isinstance(told, dict) else {}
