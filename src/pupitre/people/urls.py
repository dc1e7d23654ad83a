from django.urls import path

from .views import account, activation, cards, invitations, people

urlpatterns = [
    path("account", account.account, name="account"),
    path("account/language", account.language, name="account-language"),
    path("account/second-factor", account.second_factor_needed, name="second-factor-needed"),
    path("s/<slug:school>/people", people.people, name="people"),
    path("s/<slug:school>/people/new", people.new, name="person-new"),
    path("s/<slug:school>/people/<int:person>", people.person, name="person"),
    path("s/<slug:school>/people/<int:person>/edit", people.edit, name="person-edit"),
    path("s/<slug:school>/people/<int:person>/departure", people.departure, name="person-departure"),
    path("s/<slug:school>/people/<int:person>/photo", people.photo, name="person-photo"),
    path("s/<slug:school>/people/<int:person>/history", people.history, name="person-history"),
    path("s/<slug:school>/people/<int:person>/roles", people.roles, name="person-roles"),
    path(
        "s/<slug:school>/people/<int:person>/roles/<int:membership>/end",
        people.role_end,
        name="person-role-end",
    ),
    path("s/<slug:school>/people/<int:person>/guardians/new", people.guardian_new, name="guardian-new"),
    path("s/<slug:school>/people/<int:person>/guardians/<int:guardian>", people.guardian, name="guardian"),
    path("s/<slug:school>/invitations", invitations.invitations, name="invitations"),
    path("s/<slug:school>/invitations/letters", invitations.letters, name="invitation-letters"),
    path("s/<slug:school>/invitations/mails", invitations.mails, name="invitation-mails"),
    path("s/<slug:school>/activation", activation.activation, name="activation"),
    path("s/<slug:school>/activation/proof", activation.proof, name="activation-proof"),
    path("s/<slug:school>/activation/account", activation.account, name="activation-account"),
    path("s/<slug:school>/activation/mail", activation.by_mail, name="activation-mail"),
    path("s/<slug:school>/cards", cards.cards, name="cards"),
    path("s/<slug:school>/cards/sheet", cards.sheet, name="card-sheet"),
    path("s/<slug:school>/cards/<int:person>/revocation", cards.revocation, name="card-revocation"),
    path("s/<slug:school>/card/<str:token>", cards.card, name="card"),
]
