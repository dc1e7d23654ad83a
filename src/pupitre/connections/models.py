"""Connections of other systems, and the access tokens they were given."""

from django.contrib.postgres.fields import ArrayField
from django.db import models

from pupitre.tenancy.models import TenantForeignKey, TenantModel


class Connection(TenantModel):
    """Another system that may connect to the school. Its secret is shown once; the digest is kept."""

    name = models.TextField()
    scopes = ArrayField(models.TextField())  # rules.Scope
    secret_digest = models.CharField(max_length=64)
    secret_ends_with = models.CharField(max_length=4)
    #: Whom the history names for what the connection changes. Nobody can sign in with it.
    account = models.ForeignKey("people.Account", on_delete=models.PROTECT, related_name="+", db_index=False)
    created_at = models.DateTimeField()
    created_by = models.ForeignKey(
        "people.Account", on_delete=models.SET_NULL, null=True, related_name="+", db_index=False
    )
    revoked_at = models.DateTimeField(null=True)
    last_used_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["school", "secret_digest"], name="connections_connection_secret")
        ]

    def __str__(self) -> str:
        return self.name


class AccessToken(TenantModel):
    """A token for an hour that a connection was given for its secret (OAuth 2 client credentials)."""

    connection = TenantForeignKey(Connection, on_delete=models.CASCADE)
    digest = models.CharField(max_length=64)
    scopes = ArrayField(models.TextField())
    expires_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["school", "digest"], name="connections_accesstoken_digest")
        ]


class IdempotencyKey(TenantModel):
    """What was answered to a write that carried a key, so that its repetition is answered alike and done once."""

    connection = TenantForeignKey(Connection, on_delete=models.CASCADE, db_index=False)
    key = models.CharField(max_length=255)
    fingerprint = models.CharField(max_length=64)  # of method, address and body
    status = models.SmallIntegerField()
    body = models.TextField()
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["school", "connection", "key"], name="connections_idempotencykey_once"
            )
        ]
        indexes = [models.Index(fields=["school", "created_at"], name="connections_idempotency_age")]
