"""What a guardian reads of a pupil's history. Pure."""

#: What a court or the school keeps about an adult. Only who may read it in a file reads that it is there, or changed.
_KEPT = frozenset({"court_note"})
#: What one adult is entitled to is no other adult's: it would tell of a court's limits, too.
_ENTITLEMENTS = frozenset({"lives_with", "sees_record", "receives_notices", "may_announce", "may_collect"})


def hidden_from_guardian(table: str, *, is_her_own: bool) -> frozenset[str]:
    """The columns of a change about her pupil that a guardian does not read, not even that they changed.

    `is_her_own` says whether a guardianship is the reader's; the office and the pupil herself read all columns.
    """
    if table != "people_guardianship":
        return frozenset()
    return _KEPT if is_her_own else _KEPT | _ENTITLEMENTS
