"""What no template knows, made a task: a custom operation with an acceptance criterion, for a model to deliver."""

from __future__ import annotations

import re

from omni.spec.asked import Part, PartStatus
from omni.spec.model import Criterion, Operation, OperationKind, Specification
from omni.spec.threats import stride


def adopt(spec: Specification) -> Specification:
    """The specification in which every part that was not delivered is a custom operation that a criterion verifies."""
    parts, operations, criteria = list(spec.parts), list(spec.operations), list(spec.criteria)
    for place, part in enumerate(parts):
        if part.status is not PartStatus.NOT_DELIVERED:
            continue
        known = [operation for operation in operations if _is_its(operation, part)]
        if not known:
            known = [_operation(part)]
            operations += known
        items = (*part.items, *(f"operation:{operation.id}" for operation in known))
        parts[place] = part.model_copy(update={"status": PartStatus.MAPPED, "items": tuple(dict.fromkeys(items))})
        criteria.append(_criterion(len(criteria) + 1, part, known))
    adopted: dict[str, object] = {"parts": tuple(parts), "operations": tuple(operations), "criteria": tuple(criteria)}
    if not spec.entities and criteria:
        adopted["summary"] = _summary(spec)
    spec = spec.model_copy(update=adopted)
    return spec.model_copy(update={"threats": stride(spec)})


def _is_its(operation: Operation, part: Part) -> bool:
    return operation.kind is OperationKind.CUSTOM and part.id in operation.sources


def _operation(part: Part) -> Operation:
    text = _said(part)
    return Operation(
        id=f"request.{part.id.lower()}",
        kind=OperationKind.CUSTOM,
        name=f"part_{part.id.lower()}",
        label=text[:1].upper() + text[1:],
        description=f"As the request says: “{text}”.",
        sources=(part.id,),
    )


def _criterion(number: int, part: Part, operations: list[Operation]) -> Criterion:
    return Criterion(
        id=f"AC{number}",
        given="The finished program",
        when=f"it is used for what the request says: “{_said(part)}”",
        then="it does that; given something that can't be right, it says what is wrong and changes nothing",
        verifies=tuple(f"operation:{operation.id}" for operation in operations),
        sources=(part.id,),
    )


def _summary(spec: Specification) -> str:
    """The request in one sentence, of signs that mean nothing to the languages it is written into."""
    words = re.sub(r"[^\w ,;:.()-]", " ", " ".join(spec.request.text.split())[:160]).strip(" .")
    return f"{words[:1].upper()}{words[1:]}."


def _said(part: Part) -> str:
    return part.text.strip(" .,;")
