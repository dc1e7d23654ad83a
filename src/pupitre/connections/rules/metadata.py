"""What stands in the SAML metadata of an identity provider. Pure."""

import base64
import binascii
from typing import Final
from urllib.parse import urlsplit
from xml.etree.ElementTree import Element

from defusedxml import ElementTree
from defusedxml.common import DefusedXmlException

from .identity import BadMetadata

_MD: Final = "{urn:oasis:names:tc:SAML:2.0:metadata}"
_DS: Final = "{http://www.w3.org/2000/09/xmldsig#}"
_REDIRECT: Final = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect"
_LONGEST: Final = 400_000


def read_metadata(document: str | bytes) -> dict[str, str]:
    """entity_id, sso_url and x509cert of the one provider that the document describes. Raises BadMetadata."""
    if len(document) > _LONGEST:
        raise BadMetadata
    try:
        root = ElementTree.fromstring(document)
    except (ElementTree.ParseError, DefusedXmlException, ValueError, LookupError):
        raise BadMetadata from None
    entities = [root] if root.tag == f"{_MD}EntityDescriptor" else root.findall(f"{_MD}EntityDescriptor")
    if len(entities) != 1:
        raise BadMetadata  # a federation's list: whoever is in it could speak for the school
    return _read(entities[0])


def _read(entity: Element) -> dict[str, str]:
    provider = entity.find(f"{_MD}IDPSSODescriptor")
    name = entity.get("entityID", "")
    if provider is None or not name:
        raise BadMetadata
    places = {
        one.get("Binding", ""): one.get("Location", "")
        for one in provider.findall(f"{_MD}SingleSignOnService")
    }
    where = places.get(_REDIRECT, "")
    certificate = _certificate(provider)
    if urlsplit(where).scheme not in {"https", "http"} or not certificate:
        raise BadMetadata
    return {"entity_id": name, "sso_url": where, "x509cert": certificate}


def _certificate(provider: Element) -> str:
    """The first one that signs."""
    for key in provider.findall(f"{_MD}KeyDescriptor"):
        found = key.find(f".//{_DS}X509Certificate")
        if key.get("use", "signing") == "signing" and found is not None and found.text:
            text = "".join(found.text.split())
            try:
                base64.b64decode(text, validate=True)
            except binascii.Error:
                raise BadMetadata from None
            return text
    return ""
