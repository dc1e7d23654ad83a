"""Notices with receipts, what a person is told in the product, and the ways it reaches her outside of it."""

from django.db import models

from pupitre.tenancy.models import TenantForeignKey, TenantModel


class Notice(TenantModel):
    """Something the school tells families, pupils or staff. A draft until it is published."""

    title = models.TextField()
    body = models.TextField()
    audience = models.SmallIntegerField(default=1)  # rules.Audience
    klass = TenantForeignKey("courses.Class", null=True, db_column="class_id", db_index=False)
    needs_confirmation = models.BooleanField(default=False)
    author = TenantForeignKey("people.Person", null=True, db_index=False)
    created_at = models.DateTimeField()
    published_at = models.DateTimeField(null=True)
    withdrawn_at = models.DateTimeField(null=True)
    recipients = models.IntegerField(default=0)

    class Meta:
        indexes = [models.Index(fields=["school", "-published_at"], name="messaging_notice_new")]


class Receipt(TenantModel):
    """A notice in one recipient's hands: read, and confirmed where that is asked."""

    notice = TenantForeignKey(Notice, on_delete=models.CASCADE, db_index=False)
    person = TenantForeignKey("people.Person", db_index=False)
    #: The pupil whom it concerns, where it reaches a guardian because of one.
    pupil = TenantForeignKey("people.Person", null=True, db_index=False)
    read_at = models.DateTimeField(null=True)
    confirmed_at = models.DateTimeField(null=True)
    reminded_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["school", "notice", "person", "pupil"],
                name="messaging_receipt_once",
                nulls_distinct=False,
            )
        ]
        indexes = [models.Index(fields=["school", "person"], name="messaging_receipt_person")]


class Notification(TenantModel):
    """What the product tells one person: the line behind the bell. E-mail and push carry it further."""

    person = TenantForeignKey("people.Person", db_index=False)
    #: The person's account when it was made: the bell shows all schools at once.
    account = models.ForeignKey(
        "people.Account", on_delete=models.CASCADE, null=True, related_name="+", db_index=False
    )
    kind = models.SmallIntegerField()  # rules.Kind
    facts = models.JSONField(default=dict)  # what its sentence needs; rendered in the reader's language
    url = models.TextField(blank=True, default="")
    created_at = models.DateTimeField()
    read_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["account", "-created_at"], name="messaging_notification_account"),
            models.Index(fields=["school", "person", "-created_at"], name="messaging_notification_person"),
            models.Index(fields=["school", "created_at"], name="messaging_notification_age"),
        ]


class Delivery(TenantModel):
    """One try to carry a notification outside: by e-mail or web push."""

    notification = TenantForeignKey(Notification, on_delete=models.CASCADE, db_index=False)
    channel = models.SmallIntegerField()  # rules.Channel
    address = models.TextField()
    state = models.SmallIntegerField(default=1)  # rules.DeliveryState
    attempts = models.SmallIntegerField(default=0)
    error = models.TextField(blank=True, default="")
    done_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["school", "notification", "channel", "address"], name="messaging_delivery_once"
            )
        ]


class Preference(models.Model):
    """How an account wants to be told. Global like the account."""

    account = models.OneToOneField("people.Account", on_delete=models.CASCADE, related_name="+")
    by_email = models.BooleanField(default=True)
    by_push = models.BooleanField(default=True)


class PushSubscription(models.Model):
    """A browser that takes web push for an account (RFC 8030). Global like the account."""

    account = models.ForeignKey("people.Account", on_delete=models.CASCADE, related_name="+")
    endpoint = models.TextField(unique=True)
    p256dh = models.TextField()
    auth = models.TextField()
    #: people.access.device_of: signing out there takes the subscription back.
    device = models.TextField(blank=True, default="")
    created_at = models.DateTimeField()
    failed_at = models.DateTimeField(null=True)
