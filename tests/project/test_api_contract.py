"""The API is what its description says: a thousand requests that nobody would think of find no difference.

Schemathesis makes requests out of the description, good ones and broken ones, and looks at every answer: no 5xx, no status
that is not described, the described shape, no answer without a token.
"""

from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from openapi_spec_validator import OpenAPIV31SpecValidator
from schemathesis.config import SchemathesisConfig
from schemathesis.generation import GenerationMode

from pupitre.connections import actions
from pupitre.connections.description import operations
from pupitre.connections.rules import Scope
from pupitre.kernel import clock
from pupitre.project.api import described
from pupitre.project.wsgi import application
from pupitre.tenancy.scoping import scope
from tests.cast import Cast

#: What a domain refuses although each part of the request is as described: 422, and 409 for who comes too late.
CONFIG = {
    "checks": {
        "positive_data_acceptance": {"expected-statuses": ["2xx", "401", "403", "404", "409", "422", "503"]},
        "negative_data_rejection": {"expected-statuses": ["400", "401", "403", "404", "415", "422"]},
    }
}
EXAMPLES = 12
OPERATIONS = sorted((path, method.upper()) for path, method, _operation in operations(described()))


@pytest.fixture(scope="module")
def schema() -> Any:
    config = SchemathesisConfig.from_dict(CONFIG)
    return schemathesis.openapi.from_wsgi("/api/v1/openapi.json", application, config=config)


@pytest.fixture
def token(cast: Cast) -> str:
    with scope(cast.school.id):
        _, secret = actions.open_connection(cast.office, name="Tests", scopes=list(Scope), now=clock.now())
    return secret


def test_the_description_is_valid_openapi() -> None:
    assert [error.message for error in OpenAPIV31SpecValidator(described()).iter_errors()] == []


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE], ids=["good", "broken"])
@pytest.mark.parametrize(("path", "method"), OPERATIONS)
def test_answers_are_as_described(
    schema: Any, cast: Cast, token: str, path: str, method: str, mode: GenerationMode
) -> None:
    operation = schema[path][method]

    @given(case=operation.as_strategy(generation_mode=mode))
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    def ask(case: Any) -> None:
        case.call_and_validate(headers={"Authorization": f"Bearer {token}"})

    ask()
