"""Connections of other systems, the access tokens they were given, and the webhooks that tell them what happens."""

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


class ConnectionUse(TenantModel):
    """How many requests a connection made in its last minute: what all processes count together."""

    connection = TenantForeignKey(Connection, on_delete=models.CASCADE, db_index=False)
    minute = models.IntegerField()  # since 1970
    count = models.IntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["school", "connection"], name="connections_connectionuse_once")
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


class Webhook(TenantModel):
    """An address of another system that is told what happens in the school."""

    name = models.TextField()
    url = models.TextField()
    kinds = ArrayField(models.TextField())  # rules.webhooks.EventKind
    #: Sealed (kernel.sealing): it signs, so it must be read back. Its hash would not do.
    secret = models.BinaryField()
    #: The secret before, which signs too until then.
    old_secret = models.BinaryField(null=True)
    old_secret_until = models.DateTimeField(null=True)
    created_at = models.DateTimeField()
    created_by = models.ForeignKey(
        "people.Account", on_delete=models.SET_NULL, null=True, related_name="+", db_index=False
    )
    disabled_at = models.DateTimeField(null=True)
    disabled_by = models.SmallIntegerField(null=True)  # rules.webhooks.DisabledBy

    def __str__(self) -> str:
        return self.name


class WebhookPulse(TenantModel):
    """How a webhook's receiver fares. Apart from the webhook: it changes with every delivery, and nobody did it."""

    webhook = TenantForeignKey(Webhook, on_delete=models.CASCADE, db_index=False)
    #: In a row.
    failures = models.SmallIntegerField(default=0)
    failing_since = models.DateTimeField(null=True)
    delivered_at = models.DateTimeField(null=True)
    #: Not asked before then.
    paused_until = models.DateTimeField(null=True)
    #: A worker has its turn; after that time the turn is lost and others may have it.
    busy_until = models.DateTimeField(null=True)
    #: The time of the job that was deferred to try again.
    wakes_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["school", "webhook"], name="connections_webhookpulse_once")
        ]


class WebhookDelivery(TenantModel):
    """An event on its way to one receiver, and what became of it: the log that the school sees."""

    webhook = TenantForeignKey(Webhook, on_delete=models.CASCADE, db_index=False)
    #: The same for all receivers, attempts and replays: receivers know by it what they have had already.
    event_id = models.UUIDField()
    kind = models.TextField()
    payload = models.JSONField()
    created_at = models.DateTimeField()
    state = models.SmallIntegerField(default=1)  # rules.webhooks.DeliveryState
    attempts = models.SmallIntegerField(default=0)
    next_attempt_at = models.DateTimeField(null=True)
    attempted_at = models.DateTimeField(null=True)
    #: Of the last attempt: rules.webhooks.Problem, the HTTP status (0: none), the beginning of the answer.
    problem = models.SmallIntegerField(default=0)
    status = models.SmallIntegerField(default=0)
    answer = models.TextField(blank=True, default="")
    delivered_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(
                fields=["school", "webhook", "next_attempt_at"],
                condition=models.Q(state=1),
                name="connections_delivery_due",
            ),
            models.Index(fields=["school", "webhook", "-id"], name="connections_delivery_log"),
            models.Index(fields=["school", "created_at"], name="connections_delivery_age"),
        ]


class Tool(TenantModel):
    """Another system that the school's people sign in to by their account here (OpenID Connect's relying party).

    Its protocol's facts (addresses, secret, scopes) are allauth's `Client`, whose id begins with the school's.
    """

    client = models.OneToOneField("allauth_idp_oidc.Client", on_delete=models.PROTECT, related_name="+")
    name = models.TextField()
    roles = ArrayField(models.SmallIntegerField())  # people.rules.Role
    #: Staff are let through without being asked.
    is_trusted = models.BooleanField(default=False)
    created_at = models.DateTimeField()
    created_by = models.ForeignKey(
        "people.Account", on_delete=models.SET_NULL, null=True, related_name="+", db_index=False
    )
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["school"], name="connections_tool_school")]

    def __str__(self) -> str:
        return self.name


class ToolGrant(TenantModel):
    """That a tool may know somebody: as whom, and what. The name for her is another one in every tool."""

    tool = TenantForeignKey(Tool, on_delete=models.CASCADE, db_index=False)
    account = models.ForeignKey("people.Account", on_delete=models.CASCADE, related_name="+", db_index=False)
    subject = models.CharField(max_length=64)
    scopes = ArrayField(models.TextField())  # rules.tools.ToolScope
    granted_at = models.DateTimeField()
    signed_in_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["school", "tool", "account"], name="connections_toolgrant_once"),
            models.UniqueConstraint(
                fields=["school", "tool", "subject"], name="connections_toolgrant_subject"
            ),
        ]
        indexes = [models.Index(fields=["account"], name="connections_toolgrant_account")]


class IdentityProvider(TenantModel):
    """Where the school's people sign in instead of here: Google, Microsoft, any OpenID provider, or one that speaks SAML."""

    key = models.CharField(max_length=64)  # in addresses; begins with the school's id
    kind = models.SmallIntegerField()  # rules.identity.ProviderKind
    name = models.TextField()
    issuer = models.TextField(blank=True, default="")
    client_id = models.TextField(blank=True, default="")
    secret = models.BinaryField(null=True)  # kernel.sealing
    domains = ArrayField(models.TextField(), default=list)
    match_by = models.SmallIntegerField(default=1)  # rules.identity.MatchBy
    claim = models.TextField(blank=True, default="")
    #: entity_id, sso_url, x509cert; and metadata_url where they were read from one.
    saml = models.JSONField(default=dict)
    created_at = models.DateTimeField()
    created_by = models.ForeignKey(
        "people.Account", on_delete=models.SET_NULL, null=True, related_name="+", db_index=False
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["school", "key"], name="connections_identityprovider_key")
        ]

    def __str__(self) -> str:
        return self.name


class IdentityLink(TenantModel):
    """Whose account somebody known to a provider opens."""

    provider = TenantForeignKey(IdentityProvider, on_delete=models.CASCADE, db_index=False)
    account = models.ForeignKey("people.Account", on_delete=models.CASCADE, related_name="+", db_index=False)
    subject = models.TextField()  # the provider's name for her
    #: Its owner made the link, signed in here; else the school's rule did.
    by_owner = models.BooleanField()
    created_at = models.DateTimeField()
    signed_in_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["school", "provider", "subject"], name="connections_identitylink_subject"
            ),
            models.UniqueConstraint(
                fields=["school", "provider", "account"], name="connections_identitylink_account"
            ),
        ]
        indexes = [models.Index(fields=["account"], name="connections_identitylink_own")]


class SchoolDomain(models.Model):
    """A domain of e-mail addresses by which people find their school's way in. Global and public, as schools are:
    it is asked before anybody has signed in, and opens nothing.
    """

    domain = models.TextField()
    school = models.ForeignKey("tenancy.School", on_delete=models.CASCADE, related_name="+", db_index=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["domain", "school"], name="connections_schooldomain_once")
        ]


class DirectoryRecord(TenantModel):
    """What another system's directory (SCIM) calls one of the school's persons or classes, and what it said of it last.

    What it said last tells its changes from the school's own, as RosterRow does for rosters.
    """

    USER, GROUP = 1, 2

    kind = models.SmallIntegerField()
    #: The person's or the class's id: classes stand above this context, so there is no foreign key.
    row_id = models.BigIntegerField()
    external_id = models.TextField(null=True)
    said = models.JSONField(default=dict)
    created_at = models.DateTimeField()
    changed_at = models.DateTimeField()
    #: The directory deleted it: it is not shown to it any more, though the row is kept.
    deleted_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["school", "kind", "row_id"], name="connections_directoryrecord_row"
            )
        ]
        indexes = [
            models.Index(fields=["school", "kind", "external_id"], name="connections_directory_external")
        ]
