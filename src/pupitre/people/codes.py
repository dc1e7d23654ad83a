"""How the database keeps a letter's code and a card's pictures: short secrets, so keyed by the installation's own."""

from django.utils.crypto import constant_time_compare, salted_hmac

from pupitre.kernel.tokens import plain_code


def code_digest(typed: str) -> str:
    """64 hexadecimal digits. A copy of the database alone does not let anybody try codes."""
    return salted_hmac("pupitre.people.invitation", plain_code(typed), algorithm="sha256").hexdigest()


def pictures_digest(token_digest: str, pictures: list[str]) -> str:
    """The order of the pictures counts; the card's token salts it."""
    return salted_hmac(
        f"pupitre.people.card.{token_digest}", " ".join(pictures), algorithm="sha256"
    ).hexdigest()


def are_right(token_digest: str, pictures: list[str], kept: str) -> bool:
    return constant_time_compare(pictures_digest(token_digest, pictures), kept)
