"""Which API to talk to, and with which keys: from options, the environment, or the stack's own file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from infra.cli.case.problem import Exit, Problem

DEFAULT_STACK: Final = ".casestream"
STACK_FILE: Final = "stack.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Where requests go. url: without a slash at its end. tenant, others: names to show; empty outside a stack."""

    url: str
    api_key: str = field(repr=False)
    application_key: str = field(repr=False)
    routing_key: str | None = field(default=None, repr=False)
    tenant: str = ""
    others: tuple[str, ...] = ()

    @property
    def elsewhere(self) -> str:
        """Return the hint for what was not found, empty where there is no other tenant to look in."""
        if not self.others:
            return ""
        return f"Looked in {self.tenant}. To look in another tenant: --tenant {' or '.join(self.others)}."


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What the user said, None where nothing. Each may come from an option or from its environment variable."""

    stack: Path | None = None
    tenant: str | None = None
    url: str | None = None
    api_key: str | None = None
    application_key: str | None = None
    routing_key: str | None = None


def resolve(choice: Choice, *, prefer: str | None = None) -> Target:
    """Return the target. `prefer`: the kind of tenant that a command is about, where the user names none.

    A URL of one's own needs keys of one's own: the keys of a local stack are never sent elsewhere. Raises Problem.
    """
    if choice.url is not None and choice.stack is None:
        return _explicit(choice, choice.url)
    stack = read_stack(choice.stack)
    chosen = _tenant(stack, choice.tenant, prefer)
    names = tuple(t["kind"] for t in stack["tenants"] if t is not chosen)
    return Target(
        url=(choice.url or stack["http"]).rstrip("/"),
        api_key=choice.api_key or chosen["api_key"],
        application_key=choice.application_key or chosen["application_key"],
        routing_key=choice.routing_key or chosen.get("routing_key"),
        tenant=chosen["name"],
        others=names,
    )


def _explicit(choice: Choice, url: str) -> Target:
    wanted = {
        "--api-key (CASESTREAM_API_KEY)": choice.api_key,
        "--application-key (CASESTREAM_APPLICATION_KEY)": choice.application_key,
    }
    missing = [name for name, value in wanted.items() if not value]
    # A routing key alone is enough to send alerts.
    if missing and not choice.routing_key:
        raise Problem(
            f"no keys for {url}",
            hint=f"Give {' and '.join(missing)}; to use the local stack's keys, name it: --stack {DEFAULT_STACK}",
            exit_code=Exit.NOT_ALLOWED,
        )
    return Target(
        url=url.rstrip("/"),
        api_key=choice.api_key or "",
        application_key=choice.application_key or "",
        routing_key=choice.routing_key,
    )


def read_stack(path: Path | None) -> dict[str, Any]:
    """Return the stack's file as a mapping with `http` and `tenants`. `path`: the file, or the folder it is in."""
    return normalize(*read_document(path or Path(DEFAULT_STACK)))


def read_document(file: Path) -> tuple[Any, str]:
    """Return what the stack's file says, and its name. `file`: it, or the folder it is in. Raises Problem."""
    if file.is_dir() or file.suffix != ".json":
        file = file / STACK_FILE
    try:
        return json.loads(file.read_text()), str(file)
    except FileNotFoundError:
        raise Problem(
            f"no stack here: {file} does not exist",
            hint="Start one with `casestream up`, name its folder with --stack DIR (CASESTREAM_STACK), "
            "or name an API with --url, --api-key and --application-key.",
            exit_code=Exit.UNAVAILABLE,
        ) from None
    except OSError as error:
        raise Problem(
            f"{file} cannot be read: {error.strerror or error}",
            hint="It holds keys, so only who started the stack may read it. Others name an API with --url, --api-key "
            "and --application-key.",
            exit_code=Exit.UNAVAILABLE,
        ) from None
    except ValueError as error:
        raise Problem(
            f"{file} is not a stack's file: {error}",
            hint="Run `casestream up` again; it writes the file anew.",
            exit_code=Exit.UNAVAILABLE,
        ) from None


_NEEDED: Final = ("name", "kind", "tenant_id", "api_key", "application_key")


def normalize(stack: Any, name: str) -> dict[str, Any]:
    """Return the part of a stack's description that clients need: `http` and `tenants`. Raises Problem."""
    url = stack.get("http") if isinstance(stack, Mapping) else None
    tenants = stack.get("tenants") if isinstance(stack, Mapping) else None
    usable = [t for t in tenants or [] if isinstance(t, Mapping) and all(isinstance(t.get(k), str) for k in _NEEDED)]
    if not isinstance(url, str) or not usable:
        raise Problem(
            f"{name} names no API or no tenant",
            hint="Is it still starting? `casestream status` tells; `casestream up` starts it.",
            exit_code=Exit.UNAVAILABLE,
        )
    return {"http": url, "tenants": usable}


def _tenant(stack: Mapping[str, Any], wanted: str | None, prefer: str | None) -> dict[str, Any]:
    tenants: list[dict[str, Any]] = stack["tenants"]
    if wanted is not None:
        for tenant in tenants:
            if wanted.casefold() in {str(tenant.get(k, "")).casefold() for k in ("name", "kind", "tenant_id")}:
                return tenant
        known = ", ".join(f'{t["kind"]} ("{t["name"]}")' for t in tenants)
        raise Problem(f"this stack has no tenant {wanted!r}", hint=f"It has: {known}.", exit_code=Exit.NOT_FOUND)
    return next((t for t in tenants if t.get("kind") == prefer), tenants[0])
