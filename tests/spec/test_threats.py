from __future__ import annotations

from omni.spec.compiler import compile_request
from omni.spec.request import parse_request


def boundaries(text: str) -> set[str]:
    return {threat.boundary for threat in compile_request(parse_request(text)).threats}


def test_each_trust_boundary_of_an_app_with_upload_and_login() -> None:
    assert boundaries(
        "a file sharing app with login, admins and a public page. Every night delete documents older than 30 days."
    ) == {
        "browser ↔ app",
        "person ↔ other people's data",
        "member ↔ admin",
        "public ↔ member",
        "app ↔ database",
        "upload ↔ app",
        "job ↔ app",
    }


def test_every_category_of_stride_is_thought_of() -> None:
    spec = compile_request(parse_request("a blog"))
    assert len({threat.category for threat in spec.threats}) == 6
    shown = {threat.threat: threat.verified_by for threat in spec.threats}
    assert shown["A person reads rows of another by guessing their ids."]


def test_a_tool_has_other_dangers() -> None:
    assert boundaries("cli tool to convert csv to json") == {"file or terminal ↔ tool"}


def test_privacy_where_there_is_personal_data() -> None:
    with_people = compile_request(parse_request("an invoicing app"))
    assert len({threat.category for threat in with_people.privacy_threats}) == 7
    assert (
        with_people.privacy_threats[0].data
        == "Account: e-mail address, Customer: name, Customer: email, Customer: address"
    )
    assert compile_request(parse_request("todo app without accounts")).privacy_threats == ()
