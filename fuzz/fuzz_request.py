"""A sentence, or a structured request, from which a specification is made."""

from __future__ import annotations

import sys

import atheris

with atheris.instrument_imports(include=["omni"]):
    import shapes
    from omni.kernel.errors import OmniError
    from omni.spec import compiler, request


WORDS = (
    *("a an the app web api command line tool todo user users admin owner manager with and or for that which".split()),
    *("can may not must add edit delete list search filter export import upload log in sign email password".split()),
    *("share every day week when overdue due date price number of field called required unique many each".split()),
    *("shop order product customer invoice note tag . , ; : - ( ) 1 2 30 % $ entities: fields: - name: roles:".split()),
)


def target(data: bytes) -> None:
    text = (
        " ".join(WORDS[each % len(WORDS)] for each in data[1:80]) if data[:1] < b"\xc0" else shapes.worded(data, WORDS)
    )
    try:
        compiler.compile_request(request.parse_request(text))
    except OmniError:
        return


if __name__ == "__main__":
    atheris.Setup(sys.argv, target)
    atheris.Fuzz()
