"""Persons of a school (pupils, guardians, staff), their accounts, roles and sign-in, who looks after whom, and who looked at whose file."""
