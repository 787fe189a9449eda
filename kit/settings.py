"""Settings from the environment: flat names, secrets from files, all problems named at once.

The environment is an argument; only a process's `__main__` hands over the real one.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, ValidationError
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

MAX_SECRET_FILE_BYTES = 64 * 1024


def _seconds(value: object) -> object:
    """Plain numbers of seconds, as in `DRAIN_SECONDS=25`."""
    if isinstance(value, str):
        return timedelta(seconds=float(value))
    return value


def _not_negative(value: timedelta) -> timedelta:
    if value < timedelta(0):
        raise ValueError("must not be negative")
    return value


def _split(value: object) -> object:
    if isinstance(value, str):
        return [part.strip() for part in value.split(",") if part.strip()]
    return value


Seconds = Annotated[timedelta, BeforeValidator(_seconds), AfterValidator(_not_negative)]
"""A duration given as a number of seconds; alias the field to `..._SECONDS`."""
CommaSet = Annotated[frozenset[str], BeforeValidator(_split)]
"""A set given as `a,b,c`."""
Port = Annotated[int, Field(ge=0, le=65535)]


@dataclass(frozen=True, slots=True)
class Problem:
    """One wrong variable and what is wrong with it."""

    variable: str
    message: str


@dataclass(frozen=True, slots=True)
class Variable:
    """One variable that a process reads; for tables, manifests and their tests."""

    name: str
    description: str
    default: str | None
    required: bool
    secret: bool


class SettingsError(Exception):
    """The environment is wrong; says every variable at fault. Never shows a value of a secret."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        self.problems = problems
        count = "1 setting is" if len(problems) == 1 else f"{len(problems)} settings are"
        lines = [f"{count} wrong:", *(f"  {each.variable}: {each.message}" for each in problems)]
        super().__init__("\n".join(lines))


class ProcessSettings(BaseSettings):
    """What every process reads. Subclass it, name the service, add fields.

    A field is read from its alias or else its name in capitals. A `SecretStr` field may be given
    as a file by the same name with `_FILE`. An empty variable counts as unset.
    """

    model_config = SettingsConfigDict(
        frozen=True, extra="forbid", populate_by_name=True, hide_input_in_errors=True
    )

    service_name: ClassVar[str] = "chaupal"

    host: str = Field("127.0.0.1", description="Address to listen on.")
    port: Port = Field(0, description="Port to listen on; 0 lets the system choose.")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        "INFO", description="Least level of log lines that are written."
    )
    log_format: Literal["json", "text"] = Field(
        "json", description="`json`: one object a line; `text`: for people."
    )
    metrics_port: Port = Field(0, description="Port of the Prometheus endpoint; 0 is off.")
    oidc_issuer: str = Field(description="Issuer (`iss`) whose tokens are accepted.")
    oidc_audience: str = Field("chaupal", description="Audience (`aud`) that tokens must name.")
    oidc_jwks_url: str | None = Field(None, description="Where the issuer's public keys are.")
    oidc_jwks_file: Path | None = Field(None, description="The issuer's public keys as a file.")
    service_subjects: CommaSet = Field(
        frozenset(), description="Subjects (`sub`) that are services, with commas between."
    )
    service_token_file: Path | None = Field(
        None, description="File with this process's own token; re-read when it changes."
    )
    grpc_reflection: bool = Field(False, description="Whether the gRPC server describes itself.")
    # A little less than the 30 s that Kubernetes grants a pod by default.
    drain: Seconds = Field(
        timedelta(seconds=25),
        alias="DRAIN_SECONDS",
        description="How long running requests may go on after SIGTERM.",
    )

    @classmethod
    def load(cls, environ: Mapping[str, str]) -> Self:
        """The settings in this environment.

        Raises:
            SettingsError: naming every variable that is missing or wrong.
        """
        given, problems = _read(cls, environ)
        problems += cls.problems_between(
            {variable_name(name, cls.model_fields[name]): given[name] for name in given}
        )
        try:
            settings = cls(**given)
        except ValidationError as error:
            already = {problem.variable for problem in problems}
            problems += [each for each in _problems(cls, error) if each.variable not in already]
        if problems:
            raise SettingsError(tuple(problems))
        return settings

    @classmethod
    def problems_between(cls, given: Mapping[str, str]) -> Iterator[Problem]:
        """What is wrong between variables; extend it, and yield from super's.

        Args:
            given: the variables that are set, as text, before they are parsed.
        """
        if ("OIDC_JWKS_URL" in given) == ("OIDC_JWKS_FILE" in given):
            yield Problem("OIDC_JWKS_URL", "set exactly one of it and OIDC_JWKS_FILE")

    @classmethod
    def variables(cls) -> tuple[Variable, ...]:
        """Every variable that this process reads, in the order of the fields."""
        return tuple(_variable(name, info) for name, info in cls.model_fields.items())

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003  # the signature is pydantic's
        init_settings: PydanticBaseSettingsSource,
        *args: PydanticBaseSettingsSource,  # noqa: ARG003
        **kwargs: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Nothing but what `load` hands over: no hidden read of the process's environment."""
        return (init_settings,)


def variable_name(field_name: str, info: FieldInfo) -> str:
    """The environment variable of a field."""
    return info.alias or field_name.upper()


def _variable(name: str, info: FieldInfo) -> Variable:
    default = None if info.is_required() else info.default
    secret = _is_secret(info)
    return Variable(
        name=variable_name(name, info),
        description=info.description or "",
        default=None if default is None or secret else _default_text(default),
        required=info.is_required(),
        secret=secret,
    )


def _default_text(default: object) -> str:
    match default:
        case timedelta():
            return f"{default.total_seconds():g}"
        case frozenset():
            return ",".join(sorted(map(str, default)))
        case bool():
            return str(default).lower()
        case _:
            return str(default)


def _is_secret(info: FieldInfo) -> bool:
    return "SecretStr" in str(info.annotation)


def _read(
    cls: type[ProcessSettings], environ: Mapping[str, str]
) -> tuple[dict[str, Any], list[Problem]]:
    given: dict[str, Any] = {}
    problems: list[Problem] = []
    for name, info in cls.model_fields.items():
        variable = variable_name(name, info)
        value = environ.get(variable, "")
        file = environ.get(f"{variable}_FILE", "") if _is_secret(info) else ""
        if value and file:
            problems.append(Problem(variable, f"set it or {variable}_FILE, not both"))
        elif file:
            _read_secret(name, f"{variable}_FILE", Path(file), given, problems)
        elif value:
            given[name] = value
    return given, problems


def _read_secret(
    name: str, variable: str, file: Path, given: dict[str, Any], problems: list[Problem]
) -> None:
    try:
        with file.open("rb") as stream:
            raw = stream.read(MAX_SECRET_FILE_BYTES + 1)
        text = raw.decode()
    except OSError as error:
        problems.append(Problem(variable, f"cannot read {file}: {error.strerror}"))
    except UnicodeDecodeError:
        problems.append(Problem(variable, f"cannot read {file}: it is not UTF-8 text"))
    else:
        if len(raw) > MAX_SECRET_FILE_BYTES:
            problems.append(Problem(variable, f"{file} is over {MAX_SECRET_FILE_BYTES} bytes"))
        # The line end that editors add is no part of the secret.
        given[name] = text.rstrip("\r\n")


def _problems(cls: type[ProcessSettings], error: ValidationError) -> Iterator[Problem]:
    for each in error.errors(include_url=False, include_context=False, include_input=False):
        place = str(each["loc"][0]) if each["loc"] else ""
        info = cls.model_fields.get(place)
        variable = variable_name(place, info) if info else place
        missing = each["type"] == "missing"
        yield Problem(variable, "is required" if missing else _said(each["msg"]))


def _said(message: str) -> str:
    text = message.removeprefix("Value error, ")
    return text[:1].lower() + text[1:]


__all__ = [
    "CommaSet",
    "Port",
    "Problem",
    "ProcessSettings",
    "Seconds",
    "SecretStr",
    "SettingsError",
    "Variable",
    "variable_name",
]
