"""Pages of accounts and persons."""

from django.http import HttpRequest, HttpResponse

from pupitre.web.pages import render

from .access import signed_in


@signed_in
def account(request: HttpRequest) -> HttpResponse:
    return render(request, "people/account.html")


@signed_in
def second_factor_needed(request: HttpRequest) -> HttpResponse:
    return render(request, "people/second_factor_needed.html")
