"""What is served: the attributes that the school keeps, and no others, so that nothing is taken and forgotten."""

from typing import Annotated, ClassVar, Final

from pydantic import EmailStr, Field
from scim2_models import (
    URN,
    AuthenticationScheme,
    Bulk,
    CaseExact,
    ChangePassword,
    ComplexAttribute,
    ETag,
    Filter,
    Mutability,
    Patch,
    Reference,
    Required,
    Resource,
    ScimPolicy,
    ScimProvider,
    ServiceProviderConfig,
    Sort,
    Uniqueness,
)

from pupitre.people.rules import Role

MOST_FOUND: Final = 200
MOST_OPERATIONS: Final = 500
MOST_BYTES: Final = 1_000_000
#: OneRoster's words for roles, which directories use as well.
ROLES: Final = {
    Role.PUPIL: "student",
    Role.TEACHER: "teacher",
    Role.AIDE: "aide",
    Role.COUNSELLOR: "counselor",
    Role.GUARDIAN: "guardian",
    Role.HEAD: "principal",
    Role.SECRETARY: "siteAdministrator",
    Role.NURSE: "nurse",
    Role.INSPECTOR: "districtAdministrator",
    Role.TECHNICIAN: "systemAdministrator",
    Role.FLEET_MANAGER: "districtAdministrator",
}
ROLE_OF: Final = {word.casefold(): role for role, word in ROLES.items()}


class Name(ComplexAttribute):
    family_name: Annotated[str | None, Required.true] = None
    """The family names."""

    given_name: Annotated[str | None, Required.true] = None
    """The given names."""

    middle_name: str | None = None
    """The middle names."""


class Email(ComplexAttribute):
    value: Annotated[EmailStr | None, Required.true] = None
    """The address."""

    type: str | None = Field(None, examples=["work"])
    """Always `work`: the school keeps one address."""


class UserRole(ComplexAttribute):
    value: Annotated[str | None, Required.true] = Field(
        None, examples=["student", "teacher", "aide", "counselor", "guardian"]
    )
    """OneRoster's word. Those who run the office are shown, and are for the school alone to name."""


class User(Resource):  # type: ignore[type-arg]
    """A person of the school."""

    __schema__ = URN("urn:ietf:params:scim:schemas:core:2.0:User")

    user_name: Annotated[str | None, Uniqueness.server, Required.true] = None
    """The name by which the person is known at sign-in elsewhere; unique within the school."""

    name: Annotated[Name | None, Required.true] = None
    """The components of the name."""

    Name: ClassVar[type[ComplexAttribute]] = Name

    display_name: Annotated[str | None, Mutability.read_only] = None
    """The name as it is shown."""

    nick_name: str | None = None
    """The name used in class, where it is not the given one."""

    active: bool | None = None
    """Whether the person belongs to the school. Who does not, signs in there no more; nothing is deleted."""

    emails: list[Email] | None = None
    """One e-mail address; of several the first is kept."""

    Emails: ClassVar[type[ComplexAttribute]] = Email

    roles: list[UserRole] | None = None
    """What the person is in the school."""

    Roles: ClassVar[type[ComplexAttribute]] = UserRole


class Member(ComplexAttribute):
    value: Annotated[str | None, Mutability.immutable, Required.true, CaseExact.true] = None
    """The id of the person."""

    ref: Annotated[Reference[User] | None, Mutability.immutable] = Field(
        None, serialization_alias="$ref", validation_alias="$ref"
    )
    """The address of the person."""

    type: Annotated[str | None, Mutability.immutable] = Field(None, examples=["User"])
    """Always `User`: groups hold no groups."""


class Group(Resource):  # type: ignore[type-arg]
    """A class of the school."""

    __schema__ = URN("urn:ietf:params:scim:schemas:core:2.0:Group")

    display_name: Annotated[str | None, Required.true] = None
    """The name of the class."""

    members: list[Member] | None = None
    """Pupils and teachers of the class."""

    Members: ClassVar[type[ComplexAttribute]] = Member


CONFIG: Final = ServiceProviderConfig(
    patch=Patch(supported=True),
    bulk=Bulk(supported=True, max_operations=MOST_OPERATIONS, max_payload_size=MOST_BYTES),
    filter=Filter(supported=True, max_results=MOST_FOUND),
    change_password=ChangePassword(supported=False),
    sort=Sort(supported=True),
    etag=ETag(supported=True),
    authentication_schemes=[
        AuthenticationScheme(
            type=AuthenticationScheme.Type.oauthbearertoken,
            name="Bearer token",
            description="The secret of a connection with the scope scim, or an access token made from it.",
            primary=True,
        )
    ],
)
#: Directories send more than a school keeps, and some of it in their own way (Microsoft Entra): what is understood counts.
POLICY: Final = ScimPolicy(
    unknown=ScimPolicy.Unknown.ignore,
    remove_value_as_filter=ScimPolicy.RemoveValue.apply,
    unmatched_path_filter=ScimPolicy.UnmatchedPathFilter.create,
)
PROVIDER: Final = ScimProvider(models=[User, Group], config=CONFIG, policy=POLICY)
