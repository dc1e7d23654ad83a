from django.urls import path

from .views import family, lending

urlpatterns = [
    path("s/<slug:school>/devices/loans", lending.loans, name="device-loans"),
    path("s/<slug:school>/devices/loans/new", lending.new_loan, name="device-loan-new"),
    path("s/<slug:school>/devices/loans/class", lending.class_loans, name="device-loans-class"),
    path("s/<slug:school>/devices/loans/collection", lending.collection, name="device-loans-collection"),
    path("s/<slug:school>/devices/loans/terms", lending.terms, name="device-loan-terms"),
    path("s/<slug:school>/devices/loans/contracts.pdf", lending.contracts_pdf, name="device-contracts-pdf"),
    path("s/<slug:school>/devices/loans/<int:loan>", lending.loan, name="device-loan"),
    path(
        "s/<slug:school>/devices/loans/<int:loan>/contract.pdf", lending.contract_pdf, name="device-loan-pdf"
    ),
    path("s/<slug:school>/devices/loans/<int:loan>/paper", lending.paper, name="device-loan-paper"),
    path(
        "s/<slug:school>/devices/loans/<int:loan>/cancellation",
        lending.cancellation,
        name="device-loan-cancellation",
    ),
    path("s/<slug:school>/devices/loans/<int:loan>/swap", lending.swap, name="device-loan-swap"),
    path("s/<slug:school>/devices/loans/<int:loan>/return", lending.giving_back, name="device-loan-return"),
    path("s/<slug:school>/devices/incidents", lending.incidents, name="device-incidents"),
    path("s/<slug:school>/devices/incidents/<int:incident>", lending.closure, name="device-incident"),
    path("s/<slug:school>/devices/<int:device>/report", lending.report, name="device-report"),
    path("s/<slug:school>/family/devices", family.devices, name="own-devices"),
    path("s/<slug:school>/family/devices/<int:device>", family.device, name="own-device"),
    path("s/<slug:school>/family/devices/<int:device>/report", family.report, name="own-device-report"),
    path("s/<slug:school>/family/loans/<int:loan>", family.loan, name="own-loan"),
    path("s/<slug:school>/family/loans/<int:loan>/contract.pdf", family.loan_pdf, name="own-loan-pdf"),
]
