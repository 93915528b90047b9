"""Danger said in another language is met by the patterns alone, and English is not mistaken for it."""

from __future__ import annotations

import pytest

from channels.concern import find_concerns
from channels.conversation import Concern


@pytest.mark.parametrize(
    ("text", "concern"),
    [
        pytest.param("Dwi isio marw", Concern.SUICIDE, id="Welsh"),
        pytest.param("dwi'n meddwl am ladd fy hun", Concern.SUICIDE, id="Welsh, mutated"),
        pytest.param("dwi wedi cymryd llawer o dabledi", Concern.ATTEMPT, id="Welsh, tablets"),
        pytest.param("mae fy ngŵr yn fy nharo i", Concern.ABUSE, id="Welsh, hurt at home"),
        pytest.param("dwi'n torri fy hun eto", Concern.SELF_HARM, id="Welsh, self-harm"),
        pytest.param("taflu i fyny ar ol bwyta", Concern.EATING_DISORDER, id="Welsh, eating"),
        pytest.param("Nie chcę już żyć", Concern.SUICIDE, id="Polish"),
        pytest.param("chce umrzec", Concern.SUICIDE, id="Polish without accents"),
        pytest.param("maz mnie bije", Concern.ABUSE, id="Polish without accents, hurt at home"),
        pytest.param("nu mai vreau sa traiesc", Concern.SUICIDE, id="Romanian without accents"),
        pytest.param("soțul mă bate", Concern.ABUSE, id="Romanian, hurt at home"),
        pytest.param("ya no quiero vivir", Concern.SUICIDE, id="Spanish"),
        pytest.param("ölmek istiyorum", Concern.SUICIDE, id="Turkish"),
        pytest.param("أريد أن أموت", Concern.SUICIDE, id="Arabic"),
        pytest.param("زوجي يضربني", Concern.ABUSE, id="Arabic, hurt at home"),
        pytest.param("میں مرنا چاہتا ہوں", Concern.SUICIDE, id="Urdu"),
        pytest.param("хочу померти", Concern.SUICIDE, id="Ukrainian"),
        pytest.param("می‌خواهم بمیرم", Concern.SUICIDE, id="Farsi"),
    ],
)
def test_danger_is_found(text: str, concern: Concern) -> None:
    assert concern in {one.concern for one in find_concerns(text)}


@pytest.mark.parametrize(
    "text",
    [
        "potrzebuje pomocy nie mam gdzie mieszkac",
        "dwi angen bwyd i'r plant",
        "nu am bani de chirie",
        "will mia bate first",
    ],
)
def test_other_matters_are_not(text: str) -> None:
    assert find_concerns(text) == ()
