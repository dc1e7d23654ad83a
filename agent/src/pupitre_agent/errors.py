"""What can go wrong, named for what the agent does about it."""


class AgentError(Exception):
    """Something that is said as it stands, without a trace."""


class NotEnrolled(AgentError):
    """This computer is not enrolled. Enrol it with: pupitre-agent enrol --server URL --code CODE"""

    def __str__(self) -> str:
        return super().__str__() or (self.__doc__ or "")


class Unreachable(AgentError):
    """No answer, or one that is not the server's: tried again later."""


class AskedToWait(AgentError):
    """The server is busy and says when to come again."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"The server asks to wait {seconds:.0f} s.")
        self.seconds = seconds


class Declined(AgentError):
    """The server understood and said no."""

    def __init__(self, status: int, kind: str, detail: str) -> None:
        super().__init__(detail or f"The server answered {status}.")
        self.status = status
        self.kind = kind


class Retired(AgentError):
    """The device was taken out of use: all that the agent manages is given free."""


class Untrusted(AgentError):
    """Something that the server's key did not sign, or that is not for this device."""


class CannotApply(AgentError):
    """A setting, file or application that this computer cannot have, and why."""


class Postponed(CannotApply):
    """A file that cannot be fetched now, through no fault of its own: the network, or the site's budget."""

    def __init__(self, reason: str, seconds: float = 0.0) -> None:
        super().__init__(reason)
        #: How long the server asks to wait; 0 where it said nothing.
        self.seconds = seconds


class AddressEnded(Postponed):
    """The file's address has ended: the state has a new one."""
