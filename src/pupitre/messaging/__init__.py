"""Notices to families, pupils and staff, what a person is told in the product, and e-mail and web push that carry it further."""
