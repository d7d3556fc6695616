"""How workflow state is written: JSON, never pickle. Stages pass digests and short answers, nothing richer."""

from __future__ import annotations

import json

from dbos import Serializer


class JsonSerializer(Serializer):
    """JSON for workflow arguments and results; an exception becomes its type and text."""

    def serialize(self, data: object) -> str:
        if isinstance(data, BaseException):
            return json.dumps({"error": type(data).__name__, "text": str(data)})
        return json.dumps({"value": data})

    def deserialize(self, serialized_data: str) -> object:
        data: dict[str, object] = json.loads(serialized_data)
        return RuntimeError(f"{data['error']}: {data['text']}") if "error" in data else data["value"]

    def name(self) -> str:
        return "omni_json"
