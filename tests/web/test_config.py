"""Where settings come from, and what their values become."""

import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.web.config import Config, Environ, EnvironError
from playground.web.datastructures import CommaSeparatedStrings, Secret

from .exchange import exactly

LINES = """\
# a comment
A=file
 B = two words
export C=3
D="a=b"
E='it"s'
F="
G=""
H
I=x # y
A=last
"""


@pytest.fixture
def env_file(tmp_path: Path) -> Path:
    path = tmp_path / ".env"
    path.write_text(LINES)
    return path


def test_a_file_is_read_line_by_line(env_file: Path) -> None:
    assert Config(env_file).file_values == {
        "A": "last",
        "B": "two words",
        "export C": "3",
        "D": "a=b",
        "E": 'it"s',
        "F": '"',
        "G": "",
        "I": "x # y",
    }


def test_the_environment_comes_before_the_file_and_the_file_before_the_default(env_file: Path) -> None:
    config = Config(env_file, environ={"A": "environment"})
    assert (config("A", default="d"), config("B", default="d"), config("X", default="d")) == (
        "environment",
        "two words",
        "d",
    )
    assert Config(env_file, environ={"APP_A": "1"}, env_prefix="APP_")("A", cast=int) == 1


@given(st.text(st.characters(codec="latin-1", exclude_categories=["Cc", "Zs"], exclude_characters="\"'")))
def test_a_file_is_read_in_its_encoding(text: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, ".env")
        path.write_bytes(f"A={text}\n".encode("latin-1"))
        assert Config(path, environ={}, encoding="latin-1")("A") == text


def test_values_are_cast() -> None:
    config = Config(environ={"I": "3", "T": "True", "F": "0", "L": 'a, "b, c"', "S": "key"})
    assert (config("I", cast=int), config("T", cast=bool), config("F", cast=bool)) == (3, True, False)
    assert list(config("L", cast=CommaSeparatedStrings)) == ["a", "b, c"]
    assert repr(config("S", cast=Secret)) == "Secret('**********')"
    assert config("N", cast=int, default="4") == 4
    assert config("N", cast=bool, default=None) is None


@pytest.mark.parametrize(
    ("value", "cast", "message"),
    [
        ("yes", bool, "Config 'K' has value 'yes'. Not a valid bool."),
        ("x", int, "Config 'K' has value 'x'. Not a valid int."),
    ],
)
def test_a_value_that_does_not_fit_is_refused(value: str, cast: type, message: str) -> None:
    with pytest.raises(ValueError, match=exactly(message)):
        Config(environ={"K": value})("K", cast=cast)


def test_a_setting_that_is_missing_is_an_error_and_a_file_a_warning(tmp_path: Path) -> None:
    with pytest.raises(KeyError) as caught:
        Config(environ={})("K")
    assert caught.value.args == ("Config 'K' is missing, and has no default.",)
    with pytest.warns(UserWarning, match=exactly(f"Config file '{tmp_path / 'no'}' not found.")):
        Config(tmp_path / "no")


def test_a_variable_is_not_changed_after_it_was_read() -> None:
    environ = Environ({"A": "1", "B": "2"})
    environ["A"] = "3"
    assert (environ["A"], environ.get("C"), len(environ), list(environ)) == ("3", None, 2, ["A", "B"])
    for what, change in (("set", lambda: environ.update(A="4")), ("delete", lambda: environ.pop("A"))):
        message = (
            f"Attempting to {what} environ['A'], but the value has already been read. "
            "Do it before the settings that read it are imported."
        )
        with pytest.raises(EnvironError, match=exactly(message)):
            change()
    del environ["B"]
    with pytest.raises(EnvironError):
        environ["C"] = "late"


def test_comma_separated_strings_are_a_sequence() -> None:
    strings = CommaSeparatedStrings("a, b ,'c,d'")
    assert (len(strings), strings[0], strings[1:], "b" in strings) == (3, "a", ["b", "c,d"], True)
    assert (repr(strings), str(strings)) == ("CommaSeparatedStrings(['a', 'b', 'c,d'])", "'a', 'b', 'c,d'")
    assert list(CommaSeparatedStrings(["x", "y, z"])) == ["x", "y, z"]
    with pytest.raises(ValueError, match=exactly("No closing quotation")):
        CommaSeparatedStrings("a 'b")
