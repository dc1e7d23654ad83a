"""Pages of accounts, persons, invitations and class cards."""
