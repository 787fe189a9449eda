"""Names are found however they are spelt, in either script."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.hierarchy.domain.spelling import fold, sound, words


class TestFold:
    @pytest.mark.parametrize(
        ("typed", "folded"),
        [
            ("JAIPUR", "jaipur"),
            ("Jāipur", "jaipur"),
            ("ज़िला", "जिला"),
            ("बाँसवाड़ा", "बांसवाडा"),
            ("Ｊａｉｐｕｒ", "jaipur"),
        ],
    )
    def test_one_form_of_each_letter(self, typed: str, folded: str) -> None:
        assert fold(typed) == folded

    @given(st.text())
    def test_folding_twice_changes_nothing(self, text: str) -> None:
        assert fold(fold(text)) == fold(text)


class TestWords:
    def test_marks_stay_with_their_letters(self) -> None:
        assert words("गंगापुर सिटी (शहर)") == ("गंगापुर", "सिटी", "शहर")

    def test_signs_part_words(self) -> None:
        assert words("Kotputli-Behror, Booth No.12") == ("kotputli", "behror", "booth", "no", "12")


class TestSound:
    @pytest.mark.parametrize(
        ("latin", "devanagari"),
        [
            ("Jaipur", "जयपुर"),
            ("Chittorgarh", "चित्तौड़गढ़"),
            ("Sri Ganganagar", "श्रीगंगानगर"),
            ("Jhunjhunu", "झुंझुनू"),
            ("Gangapur City", "गंगापुर सिटी"),
            ("Neem Ka Thana", "नीम का थाना"),
            ("Udaipur", "उदयपुर"),
            ("Hridaynagar", "हृदयनगर"),
            ("Krishnaganj", "कृष्णगंज"),
            ("Gyanpur", "ज्ञानपुर"),
            ("Sambhar", "सांभर"),
            ("Phalodi", "फलौदी"),
            ("Ward 12", "वार्ड १२"),
        ],
    )
    def test_a_name_sounds_alike_in_both_scripts(self, latin: str, devanagari: str) -> None:
        assert sound(latin) == sound(devanagari) != ""

    @pytest.mark.parametrize("spelt", ["Jaypur", "Jeypore", "JAIPUR", "Jaipoor"])
    def test_spellings_of_one_name_sound_alike(self, spelt: str) -> None:
        assert sound(spelt) == sound("Jaipur")

    def test_other_names_sound_otherwise(self) -> None:
        assert len({sound(name) for name in ("Jaipur", "Jodhpur", "Udaipur", "Ajmer")}) == 4

    @given(st.text(alphabet=st.characters(categories=["L", "M", "N", "P", "Z"])))
    def test_a_sound_is_plain_letters_and_digits(self, text: str) -> None:
        assert all(each.isascii() and each.isalnum() for each in sound(text))
