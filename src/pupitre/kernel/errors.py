"""What can go wrong in the domain. The docstring of a class is its default message."""

from collections.abc import Mapping


class DomainError(Exception):
    """The request could not be carried out."""

    #: HTTP's nearest word; `web` and `edge` answer with it.
    status = 400

    def __init__(self, message: str | None = None, /, **facts: object) -> None:
        self.facts: Mapping[str, object] = facts
        self.message = message or (type(self).__doc__ or "").strip()
        super().__init__(self.message % facts if facts else self.message)


class NotFound(DomainError):
    """There is nothing here, or it is not yours to see."""

    status = 404


class Denied(DomainError):
    """Your role does not allow this."""

    status = 403


class Conflict(DomainError):
    """Somebody else changed this in the meantime."""

    status = 409


class Refused(DomainError):
    """This cannot be done as asked."""

    status = 422


class Busy(DomainError):
    """Very many people are signing in at this moment. Please try again in a few seconds."""

    status = 503
    #: After how many seconds it is worth trying again.
    retry_after = 5


class Away(Busy):
    """The school's data cannot be reached at this moment. Please try again in a few seconds.

    What you sent last may not have been saved.
    """


class TooMany(DomainError):
    """Too many attempts. Wait a little and try again."""

    status = 429
