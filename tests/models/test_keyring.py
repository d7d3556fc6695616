from __future__ import annotations

import pytest
from pydantic import SecretStr

from omni.kernel.errors import OmniError
from omni.models.client import EndpointError
from omni.models.keyring import LIMITED_REST, REFUSED_REST, Key, Keyring
from omni.models.keys import UNSAFE_KEY


def ring(*names: str, per_minute: int | None = None) -> Keyring:
    return Keyring(names, per_minute, lambda name: SecretStr(f"secret of {name}"))


def test_keys_are_used_in_turn() -> None:
    keys = ring("a", "b", "c")
    assert [keys.take(float(now)).name for now in range(1, 7)] == ["a", "b", "c", "a", "b", "c"]


def test_a_key_at_its_limit_rests_as_long_as_the_server_says_and_the_next_one_goes_on() -> None:
    keys = ring("a", "b")
    keys.take(1.0).rest(1.0, "limited", 20.0)
    assert keys.take(1.0).name == "b"
    assert keys.take(1.0).name == "b"
    keys.take(2.0).rest(2.0, "limited", 7.0)
    assert (keys.ready_in(2.0), keys.why) == (7.0, "at its rate limit")
    assert keys.take(21.0).name == "a"


def test_without_a_word_of_the_server_a_limit_in_a_row_doubles_the_rest() -> None:
    key = Key("a")
    for rest in (LIMITED_REST, 2 * LIMITED_REST, 4 * LIMITED_REST):
        key.rest(0.0, "limited", None)
        assert key.ready_in(0.0, None) == rest
    key.worked()
    key.rest(0.0, "limited", None)
    assert key.ready_in(0.0, None) == LIMITED_REST


def test_a_refused_key_rests_until_a_person_has_mended_it() -> None:
    keys = ring("a", "b")
    keys.take(1.0).rest(1.0, "key", None)
    assert [keys.take(1.0 + step).name for step in range(3)] == ["b", "b", "b"]
    assert keys.take(1.0 + REFUSED_REST).name == "a"


def test_a_failure_of_the_server_is_no_fault_of_the_key() -> None:
    keys = ring("a")
    keys.take(1.0).rest(1.0, "server", None)
    assert keys.ready_in(1.0) == 0


def test_each_key_keeps_its_requests_per_minute() -> None:
    keys = ring("a", "b", per_minute=2)
    assert [keys.take(float(now)).name for now in (1, 2, 3, 4)] == ["a", "b", "a", "b"]
    assert keys.ready_in(4.0) == 57.0
    assert keys.take(61.0).name == "a"


def test_a_secret_is_looked_up_at_each_use() -> None:
    secrets = {"a": "one"}
    keys = Keyring(("a",), None, lambda name: SecretStr(secrets[name]) if name in secrets else None)
    key = keys.take(1.0)
    for value in ("one", "two"):
        secrets["a"] = value
        found = keys.secret(key)
        assert found is not None
        assert found.get_secret_value() == value
    secrets.clear()
    with pytest.raises(EndpointError, match="there is no key a"):
        keys.secret(key)


def test_a_key_that_cannot_be_read_is_a_fault_of_the_key() -> None:
    def refuse(name: str) -> SecretStr | None:
        raise OmniError(UNSAFE_KEY, "others may read it")

    keys = Keyring(("a",), None, refuse)
    with pytest.raises(EndpointError, match="others may read it") as caught:
        keys.secret(keys.take(1.0))
    assert caught.value.kind == "key"


def test_where_no_key_is_needed_there_is_none() -> None:
    keys = ring()
    assert keys.secret(keys.take(1.0)) is None
