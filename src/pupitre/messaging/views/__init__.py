"""The pages behind the bell and the pages of notices."""
