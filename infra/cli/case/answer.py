"""What an answer of the API comes to: its document, or a problem with its sentences and what to do next. No I/O."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import httpx

from infra.cli.case.problem import Exit, Problem
from infra.cli.case.target import Target

# What a request's fields are called where a person wrote them.
_BODY: Final = ("data.attributes.", "data.relationships.", "data.")


def document_of(response: httpx.Response, target: Target) -> dict[str, Any]:
    """Return the answer's document, empty where it has none. Raises Problem."""
    if not response.is_success:
        raise problem_of(response, target)
    if not response.content:
        return {}
    document = _document(response)
    if document is None:
        raise not_this_api(target)
    return document


def not_this_api(target: Target) -> Problem:
    return Problem(
        f"{target.url} answered with something that is not this API",
        hint="Check the URL (--url, CASESTREAM_URL, or `http` in stack.json).",
        exit_code=Exit.UNAVAILABLE,
    )


def problem_of(response: httpx.Response, target: Target) -> Problem:
    """Return what an error answer comes to for the user."""
    details = _details(response)
    code = next((str(d["code"]) for d in details if d.get("code")), "")
    # What is not there is named by the sentence itself; its field is only a part of the path.
    fields = response.status_code != httpx.codes.NOT_FOUND
    said = "; ".join(_sentence(d, fields=fields) for d in details) or "; ".join(_errors(response))
    exit_code, otherwise, hint = _meaning(response, target)
    return Problem(said or otherwise, hint=hint, exit_code=exit_code, code=code, details=details)


def _meaning(response: httpx.Response, target: Target) -> tuple[Exit, str, str]:
    """Return the exit code, a sentence for an answer without one, and what to do next."""
    who = f" of {target.tenant}" if target.tenant else ""
    match response.status_code:
        case 401 | 403:
            hint = (
                "The stack may have been made anew: run `casestream up` again. Elsewhere check --api-key and "
                "--application-key (CASESTREAM_API_KEY, CASESTREAM_APPLICATION_KEY)."
            )
            return Exit.NOT_ALLOWED, f"the keys{who} were refused", hint
        case 404:
            return Exit.NOT_FOUND, "not found", target.elsewhere
        case 409:
            return Exit.REFUSED, "somebody else was faster", "Look at it as it is now, then decide again."
        case 429:
            after = response.headers.get("Retry-After")
            wait = f"Wait {after} s and try again." if after else "Wait a little and try again."
            return Exit.UNAVAILABLE, "too many requests", wait
        case status if status >= 500:
            hint = "`casestream status` shows which part is away. The command may simply be repeated."
            return Exit.UNAVAILABLE, f"the API failed ({status})", hint
        case status if status < 400:
            return Exit.UNAVAILABLE, f"{target.url} sent the request elsewhere ({status})", "Check the URL."
        case status:
            return Exit.REFUSED, f"the API refused the request ({status})", ""


def _document(response: httpx.Response) -> dict[str, Any] | None:
    try:
        document = response.json()
    except ValueError:
        return None
    return document if isinstance(document, dict) else None


def _details(response: httpx.Response) -> tuple[dict[str, Any], ...]:
    document = _document(response) or {}
    details = document.get("details")
    return tuple(d for d in details if isinstance(d, dict)) if isinstance(details, list) else ()


def _errors(response: httpx.Response) -> list[str]:
    """Return the sentences of an error answer without details: texts, or JSON:API's objects; PagerDuty's `message`."""
    document = _document(response) or {}
    errors = document.get("errors")
    listed = errors if isinstance(errors, list) else [errors] if errors else []
    said = [str(e.get("detail") or e.get("title") or "") if isinstance(e, Mapping) else str(e) for e in listed]
    return [s for s in said if s] or ([str(document["message"])] if document.get("message") else [])


def _sentence(detail: Mapping[str, Any], *, fields: bool) -> str:
    text = str(detail.get("detail") or detail.get("code") or "")
    field = str(detail.get("field") or "") if fields else ""
    for beginning in _BODY:
        field = field.removeprefix(beginning)
    return f"{field}: {text}" if field else text
