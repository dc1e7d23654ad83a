"""Sign-in by a school's SAML provider: its word is signed here by another implementation, and bent in all the usual ways."""

import base64
import zlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID
from django.conf import settings
from django.test import Client
from lxml import etree
from signxml import XMLSigner
from signxml.algorithms import CanonicalizationMethod

from pupitre.connections.actions import identity as actions
from pupitre.connections.models import IdentityProvider
from pupitre.connections.rules.identity import BadMetadata, ProviderKind
from pupitre.connections.rules.metadata import read_metadata
from pupitre.kernel import clock
from pupitre.people.models import Person
from pupitre.tenancy.scoping import scope
from tests.cast import Cast

KEY = "1-0123456789abcdef01234567"
HOST = "http://testserver"
ACS = f"/account/saml/{KEY}/acs/"
US = f"{settings.CONFIG.base_url}/account/saml/{KEY}/metadata/"
THEM = "https://idp.oak.example/saml"
SSO = "https://idp.oak.example/sso"
EMAIL = "urn:oid:0.9.2342.19200300.100.1.3"


def surfer() -> Client:
    """A browser that names the host it asks, as all do and Django's does not."""
    return Client(headers={"Host": "testserver"})


@dataclass(frozen=True)
class Signer:
    """A provider's key and certificate."""

    key: bytes
    certificate: bytes

    @property
    def text(self) -> str:
        return "".join(self.certificate.decode().splitlines()[1:-1])


def new_signer() -> Signer:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "idp.oak.example")])
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    now = datetime.now(UTC)
    built = (
        builder.serial_number(7)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=9))
    )
    certificate = built.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return Signer(private, certificate)


@pytest.fixture(scope="module")
def signer() -> Signer:
    return new_signer()


def metadata(signer: Signer) -> str:
    return f"""<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata"
        xmlns:ds="http://www.w3.org/2000/09/xmldsig#" entityID="{THEM}">
      <md:IDPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">
        <md:KeyDescriptor use="encryption"><ds:KeyInfo><ds:X509Data><ds:X509Certificate>AAAA</ds:X509Certificate>
          </ds:X509Data></ds:KeyInfo></md:KeyDescriptor>
        <md:KeyDescriptor use="signing"><ds:KeyInfo><ds:X509Data><ds:X509Certificate>{signer.text}</ds:X509Certificate>
          </ds:X509Data></ds:KeyInfo></md:KeyDescriptor>
        <md:SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" Location="{SSO}/post"/>
        <md:SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect" Location="{SSO}"/>
      </md:IDPSSODescriptor></md:EntityDescriptor>"""


@pytest.fixture
def school(cast: Cast, signer: Signer) -> Cast:
    form = actions.ProviderForm(
        kind=ProviderKind.SAML, name="ENT", domains=("oak.example",), saml=read_metadata(metadata(signer))
    )
    with scope(cast.school.id):
        Person.objects.filter(pk=cast.teacher.person.pk).update(email="tess@oak.example")
        row = actions.add_provider(cast.office, form, now=clock.now())
        IdentityProvider.objects.filter(pk=row.pk).update(key=KEY)
    return cast


def asked(browser: Client, **sent: str) -> str:
    """Begin; answers the id of the question that was sent there."""
    answer = browser.post(f"/account/through/{KEY}", sent)
    where = urlsplit(answer.headers["Location"])
    assert f"{where.scheme}://{where.netloc}{where.path}" == SSO
    packed = base64.b64decode(parse_qs(where.query)["SAMLRequest"][0])
    found: str = etree.fromstring(zlib.decompress(packed, -15)).get("ID")
    return found


def word(signer: Signer, question: str, **bent: Any) -> str:
    """The provider's signed word that it is the teacher, or what the bent facts say."""
    facts = {
        "email": "tess@oak.example",
        "audience": US,
        "issuer": THEM,
        "minutes": 0,
        "to": HOST + ACS,
        **bent,
    }
    now = datetime.now(UTC) + timedelta(minutes=facts["minutes"])
    at, until = (
        now.strftime("%Y-%m-%dT%H:%M:%SZ"),
        (now + timedelta(minutes=5)).strftime("%Y-%m-%dT%H:%M:%SZ"),
    )
    before = (now - timedelta(minutes=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    answers = f' InResponseTo="{question}"' if question else ""
    text = f"""<samlp:Response xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion"
 ID="_r1" Version="2.0" IssueInstant="{at}" Destination="{facts["to"]}"{answers}><saml:Issuer>{facts["issuer"]}</saml:Issuer>
<samlp:Status><samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:Success"/></samlp:Status>
<saml:Assertion ID="_a1" Version="2.0" IssueInstant="{at}"><saml:Issuer>{facts["issuer"]}</saml:Issuer>
<ds:Signature xmlns:ds="http://www.w3.org/2000/09/xmldsig#" Id="placeholder"></ds:Signature>
<saml:Subject><saml:NameID Format="urn:oasis:names:tc:SAML:2.0:nameid-format:persistent">{facts.get("name", "tess-4711")}</saml:NameID>
<saml:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:bearer"><saml:SubjectConfirmationData
 NotOnOrAfter="{until}" Recipient="{facts["to"]}"{answers}/></saml:SubjectConfirmation></saml:Subject>
<saml:Conditions NotBefore="{before}" NotOnOrAfter="{until}"><saml:AudienceRestriction><saml:Audience>{facts["audience"]}</saml:Audience>
</saml:AudienceRestriction></saml:Conditions>
<saml:AuthnStatement AuthnInstant="{at}"><saml:AuthnContext><saml:AuthnContextClassRef>urn:oasis:names:tc:SAML:2.0:ac:classes:Password</saml:AuthnContextClassRef>
</saml:AuthnContext></saml:AuthnStatement>
<saml:AttributeStatement><saml:Attribute Name="{EMAIL}"><saml:AttributeValue>{facts["email"]}</saml:AttributeValue></saml:Attribute>
</saml:AttributeStatement></saml:Assertion></samlp:Response>"""
    response = etree.fromstring(text)
    if facts.get("unsigned"):
        for empty in response.findall(".//{http://www.w3.org/2000/09/xmldsig#}Signature"):
            empty.getparent().remove(empty)
        return base64.b64encode(etree.tostring(response)).decode()
    assertion = response.find("{urn:oasis:names:tc:SAML:2.0:assertion}Assertion")
    assert assertion is not None
    made = XMLSigner(c14n_algorithm=CanonicalizationMethod.EXCLUSIVE_XML_CANONICALIZATION_1_0)
    signed = made.sign(
        assertion, key=signer.key, cert=signer.certificate.decode(), reference_uri="_a1", id_attribute="ID"
    )
    response.replace(assertion, signed)
    found = etree.tostring(response)
    if "afterwards" in facts:
        found = found.replace(b"tess@oak.example", facts["afterwards"])
    return base64.b64encode(found).decode()


def come_back(browser: Client, said: str, path: str = ACS) -> Any:
    """The form that the provider's page sends, and the step that follows it."""
    answer = browser.post(path, {"SAMLResponse": said, "RelayState": "https://evil.example/"})
    return browser.get(answer.headers["Location"]) if answer.status_code == 302 else answer


def signed_in_as(browser: Client) -> int:
    return int(browser.session.get("_auth_user_id", 0))


def test_a_teacher_signs_in_there_and_is_signed_in_here(school: Cast, signer: Signer) -> None:
    browser = surfer()
    answer = come_back(browser, word(signer, asked(browser, next="/s/oak/people")))
    assert (answer.status_code, answer.headers.get("Location")) == (302, "/s/oak/people"), answer.content
    assert signed_in_as(browser) == school.teacher.account.pk


def test_our_metadata_says_who_we_are(school: Cast) -> None:
    found = surfer().get(f"/account/saml/{KEY}/metadata/")
    assert found.status_code == 200
    assert f'entityID="{US}"' in found.content.decode()
    assert ACS in found.content.decode()
    assert surfer().get(f"/account/saml/{KEY}/sls/").status_code == 404


@pytest.mark.parametrize(
    "bent",
    [
        {"audience": "http://localhost:8000/account/saml/1-ffffffffffffffffffffffff/metadata/"},
        {"issuer": "https://idp.elm.example/saml"},
        {"to": "http://testserver/account/saml/1-ffffffffffffffffffffffff/acs/"},
        {"minutes": -20},
        {"minutes": 20},
        {"unsigned": True},
        {"afterwards": b"head@oak.example"},
        {"afterwards": b"tess@oak.example<!-- -->.evil.example"},
        {"email": "tess@elm.example"},
        {"email": "nobody@oak.example"},
    ],
    ids=str,
)
def test_a_word_that_is_not_meant_for_us_or_was_bent_opens_nothing(
    school: Cast, signer: Signer, bent: dict[str, Any]
) -> None:
    browser = surfer()
    answer = come_back(browser, word(signer, asked(browser), **bent))
    assert answer.status_code == 403
    assert not signed_in_as(browser)


def test_another_key_signs_nothing(school: Cast) -> None:
    browser = surfer()
    assert come_back(browser, word(new_signer(), asked(browser))).status_code == 403
    assert not signed_in_as(browser)


def test_a_word_counts_once_for_the_browser_that_asked(school: Cast, signer: Signer) -> None:
    browser, thief = surfer(), surfer()
    said = word(signer, asked(browser))
    assert come_back(thief, said).status_code == 403
    assert come_back(browser, said).status_code == 302
    browser.logout()
    assert come_back(browser, said).status_code == 403
    assert come_back(browser, word(signer, "")).status_code == 403  # nobody asked
    assert not signed_in_as(browser)


def test_what_is_no_word_at_all_is_refused(school: Cast, signer: Signer) -> None:
    browser = surfer()
    asked(browser)
    for said in ("", "AAAA", "%%%", base64.b64encode(b"<a>&xxe;</a>").decode()):
        assert come_back(browser, said).status_code == 403
    assert surfer().get(f"/account/saml/{KEY}/acs/finish/").status_code == 403
    assert surfer().post("/account/saml/1-ffffffffffffffffffffffff/acs/").status_code == 404


def test_metadata_is_read_and_a_federations_list_is_not(signer: Signer) -> None:
    assert read_metadata(metadata(signer)) == {"entity_id": THEM, "sso_url": SSO, "x509cert": signer.text}
    one = metadata(signer)
    two = f'<md:EntitiesDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata">{one}{one}</md:EntitiesDescriptor>'
    bomb = '<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'
    for bad in (
        two,
        bomb,
        "",
        "<a/>",
        one.replace("HTTP-Redirect", "Else"),
        one.replace(signer.text, "no base64!"),
    ):
        with pytest.raises(BadMetadata):
            read_metadata(bad)
