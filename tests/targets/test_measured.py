"""Reading measured columns: any usual layout comes back; anything broken is named by line."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from votca_mlp.errors import UserError
from votca_mlp.targets.measured import read_measured

numbers = st.floats(-1e6, 1e6).map(lambda value: float(f"{value:.9g}"))


@pytest.fixture(scope="module")
def scratch(tmp_path_factory):
    return tmp_path_factory.mktemp("measured") / "data.txt"


@given(
    x=st.lists(numbers, min_size=4, max_size=30, unique=True).map(sorted),
    data=st.data(),
    separator=st.sampled_from([",", ", ", ";", "\t", "  "]),
    comment=st.sampled_from(["#", "@", "%", "! "]),
    ending=st.sampled_from(["\n", "\r\n"]),
    heading=st.booleans(),
    width=st.sampled_from([2, 3]),
)
def test_round_trip_of_usual_layouts(scratch, x, data, separator, comment, ending, heading, width):
    y = data.draw(st.lists(numbers, min_size=len(x), max_size=len(x)))
    sigma = [abs(value) for value in reversed(y)]
    columns = [x, y, sigma][:width]
    lines = [f"{comment} measured by us", ""] + (["r (A), g, error"] if heading else [])
    lines += [separator.join(f"{value:.9g}" for value in row) for row in zip(*columns, strict=True)]
    scratch.write_bytes(ending.join(lines).encode())
    # without a heading that says so, the third column is an error only where the user says it
    back = read_measured(scratch, None if heading or width == 2 else [1, 2, 3])
    np.testing.assert_array_equal(back.x, x)
    np.testing.assert_array_equal(back.y, y)
    if width == 3:
        np.testing.assert_array_equal(back.sigma, sigma)
    else:
        assert back.sigma is None
    assert back.comments[0] == "measured by us"
    assert len(back.comments) == 1 + heading


@given(st.binary(max_size=200))
def test_any_bytes_give_data_or_a_message(scratch, content):
    scratch.write_bytes(content)
    try:
        data = read_measured(scratch)
    except UserError as error:
        message = str(error)
    else:
        message = scratch.name
        assert np.all(np.diff(data.x) > 0)
    assert scratch.name in message


def test_decimal_commas_fortran_exponents_and_byte_order_marks(scratch):
    scratch.write_bytes("\ufeff1,5;2\n2,5;1D-1\n3,5;1d+1\n4,5;-1E0\n".encode())
    data = read_measured(scratch)
    np.testing.assert_array_equal(data.x, [1.5, 2.5, 3.5, 4.5])
    np.testing.assert_array_equal(data.y, [2.0, 0.1, 10.0, -1.0])


def test_columns_are_chosen(scratch):
    scratch.write_text("# r a ea b eb\n" + "".join(f"{i} {i + 0.1} 0.2 {i + 0.3} 0.4\n" for i in range(5)))
    data = read_measured(scratch, [1, 4, 5])
    np.testing.assert_allclose(data.y, np.arange(5) + 0.3)
    np.testing.assert_allclose(data.sigma, 0.4)
    with pytest.raises(UserError, match=r"5 columns \(r a ea b eb\)"):
        read_measured(scratch)
    with pytest.raises(UserError, match=":2: 5 columns"):
        read_measured(scratch, [1, 6])
    with pytest.raises(UserError, match="columns"):
        read_measured(scratch, [0, 1])


@pytest.mark.parametrize(
    ("text", "line", "what"),
    [
        ("1 1\n2 2\n2 3\n4 4\n", 3, "x does not increase"),
        ("1 1\n2 2\n3 x\n4 4\n", 3, "not a number"),
        ("1 1\n2 nan\n3 3\n4 4\n", 2, "not a finite number"),
        ("1 1\n2 2\n3 3 3\n4 4\n", 3, "3 columns"),
        ("x y sigma\n1 1 1\n2 2 -1\n3 3 1\n4 4 1\n", 3, "negative error"),
        ("1\n2\n3\n4\n", 1, "1 columns"),
        ("r g\n1 1\nend\n", 3, "not a number"),
    ],
)
def test_errors_name_the_line(scratch, text, line, what):
    scratch.write_text(text)
    with pytest.raises(UserError, match=what) as error:
        read_measured(scratch)
    assert f"{scratch.name}:{line}:" in str(error.value)


def test_missing_and_too_short(scratch):
    with pytest.raises(UserError, match="no such file"):
        read_measured(scratch.parent / "none")
    scratch.write_text("1 1\n2 2\n")
    with pytest.raises(UserError, match="only 2 points"):
        read_measured(scratch)
