"""Tokens: what they say stays as it was signed."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omni.kernel.errors import OmniError
from omni.kernel.settings import Settings
from omni.models.tokens import mint, read, token
from omni.models.wire import Attribution, Want

WHO = Attribution(run="r1", role="developer", stage="implementation")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "home", database_url="sqlite://")


def test_a_token_says_who_pays_and_who_answers(settings: Settings) -> None:
    want = Want(model="small", not_models=("large",))
    found = read(settings, mint(settings, WHO, want))
    assert (found.attribution, found.want) == (WHO, want)


def test_a_token_expires(settings: Settings) -> None:
    with pytest.raises(OmniError, match="the token has expired"):
        read(settings, mint(settings, WHO, hours=-0.001))


def test_another_home_does_not_know_it(settings: Settings, tmp_path: Path) -> None:
    other = settings.model_copy(update={"home": tmp_path / "other"})
    with pytest.raises(OmniError, match="none of this Omni's"):
        read(other, mint(settings, WHO))


@given(place=st.integers(0, 400), sign=st.characters(codec="ascii"))
def test_no_changed_token_is_known(tmp_path_factory: pytest.TempPathFactory, place: int, sign: str) -> None:
    settings = Settings(home=tmp_path_factory.getbasetemp() / "home", database_url="sqlite://")
    good = mint(settings, WHO)
    place %= len(good)
    if good[place] == sign:
        return
    with pytest.raises(OmniError):
        read(settings, good[:place] + sign + good[place + 1 :])


@pytest.mark.parametrize("text", ["", ".", "omni-", "omni-e30.e30", "é", "omni-e30." + "\udcff", "a" * 100_000])
def test_what_is_no_token_is_refused(settings: Settings, text: str) -> None:
    with pytest.raises(OmniError) as error:
        read(settings, text)
    assert error.value.kind.code == "M022"


def test_the_token_of_people_is_one_and_theirs_alone(settings: Settings) -> None:
    with ThreadPoolExecutor(8) as pool:
        (found,) = set(pool.map(lambda _: token(settings), range(16)))
    path = settings.home / "secrets" / "models-token"
    assert len(found) >= 32
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o077 == 0
