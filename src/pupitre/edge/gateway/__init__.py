"""Where devices check in: authenticates, compares versions in memory, keeps what they report in batches, hands out commands."""
