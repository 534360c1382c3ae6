"""openapi-core's validators, told the operation instead of looking for it, with what they look up kept.

Without this each request costs several milliseconds, most of them spent on finding the same things again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any

from jsonschema_path import SchemaPath
from openapi_core.datatypes import Parameters
from openapi_core.templating.paths.datatypes import PathOperationServer
from openapi_core.validation.request.exceptions import MissingParameter, ParametersError, ParameterValidationError
from openapi_core.validation.request.validators import V30RequestValidator, V31RequestValidator
from openapi_core.validation.response.validators import V30ResponseValidator, V31ResponseValidator


def validators(document: Mapping[str, Any]) -> tuple[Any, Any]:
    """A validator of requests and one of answers for a document of OpenAPI 3.0 or 3.1."""
    spec = SchemaPath.from_dict(dict(document))
    old = str(document["openapi"]).startswith("3.0")
    requests, answers = (
        (V30RequestValidator, V30ResponseValidator) if old else (V31RequestValidator, V31ResponseValidator)
    )
    return _made(_Sent, requests, spec), _made(_Found, answers, spec)


def _made(found: type, base: Any, spec: SchemaPath) -> Any:
    kept = _Kept(base.schema_validators_factory)
    mixed: Any = type("Told", (found, base), {})
    return mixed(spec, schema_validators_factory=kept, extra_media_type_deserializers=_TEXTS)


class _Kept:
    """A factory of schema validators that makes each one once."""

    def __init__(self, factory: Any) -> None:
        self._factory = factory
        self._made: dict[tuple[Any, ...], Any] = {}

    def create(self, spec: Any, schema: Any, *given: Any, **named: Any) -> Any:
        if schema.parts not in self._made:
            self._made[schema.parts] = self._factory.create(spec, schema, *given, **named)
        return self._made[schema.parts]

    def __getattr__(self, name: str) -> Any:
        return getattr(self._factory, name)


def _text(body: bytes, **parameters: str) -> str:
    del parameters
    return body.decode()


# Kinds of text that openapi-core does not know as such.
_TEXTS = dict.fromkeys(("application/csv", "application/vnd.flux", "application/octet-stream"), _text)


class _Found:
    """Mixed in before a validator: the operation is that of `request.place`, looked up once."""

    spec: Any

    def _find_path(self, request: Any) -> PathOperationServer:
        at = request.place
        known = self.__dict__.setdefault("operations", {})
        if (at.template, at.method) not in known:
            path = self.spec / "paths" / at.template
            known[at.template, at.method] = path, path / at.method
        path, operation = known[at.template, at.method]
        return PathOperationServer(path, operation, None, SimpleNamespace(variables=dict(at.variables)), None)

    def _get_security(self, parameters: Any, operation: Any) -> dict[str, str]:
        """Logins are the double's own business: a validator stops at a missing one and reads no further."""
        del parameters, operation
        return {}


class _Sent(_Found):
    """Mixed in before a validator of requests: it looks at what was sent and what must be.

    The defaults of all other parameters are no concern of a check.
    """

    _get_parameter: Callable[[Any, Any], Any]

    def _get_parameters(self, parameters: Any, operation: Any, path: Any) -> Parameters:
        errors = []
        for name, place, required, parameter in self._listed(operation, path):
            if name not in parameters[place] and not required:
                continue
            try:
                self._get_parameter(parameters, parameter)
            except MissingParameter:
                continue
            except ParameterValidationError as error:
                errors.append(error)
        if errors:
            raise ParametersError(errors=errors, parameters=Parameters())
        return Parameters()

    def _listed(self, operation: Any, path: Any) -> list[tuple[str, str, bool, Any]]:
        known = self.__dict__.setdefault("listed", {})
        if operation.parts not in known:
            found = {}
            for each in [*_of(path), *_of(operation)]:
                name, place = (each / "name").read_str(), (each / "in").read_str()
                found[name, place] = name, place, (each / "required").read_bool(default=False), each
            known[operation.parts] = list(found.values())
        return list(known[operation.parts])


def _of(node: Any) -> list[Any]:
    return list(node / "parameters") if "parameters" in node else []
