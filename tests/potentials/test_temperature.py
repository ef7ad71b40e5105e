"""u(r; T): exact at the tables, smooth between, force its derivative; thermodynamics by quadrature."""

import itertools
import warnings

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.interpolate import CubicSpline

from votca_mlp.deploy.scripted import quiet
from votca_mlp.errors import UserError
from votca_mlp.potentials.akima import akima_from_points
from votca_mlp.potentials.correction import PairCorrection
from votca_mlp.potentials.temperature import TemperatureCorrection, from_terms, interpolated
from votca_mlp.potentials.temperature_functions import power_functions, spline_functions
from votca_mlp.potentials.torch_temperature import TorchTemperatureCorrection
from votca_mlp.units import KB_EV_PER_K

KELVINS = [943.0, 1023.0, 1148.0, 1323.0]
temperature_sets = st.lists(st.integers(50, 3000), min_size=2, max_size=6, unique=True).map(sorted)


def table(seed: int, first: float = 2.0, last: float = 6.0, n: int = 41) -> PairCorrection:
    """Return two splines with noise: Al-Al, and Al-Ni on another grid."""
    random = np.random.default_rng(seed)
    r = np.linspace(first, last, n)
    noisy = 0.05 * np.cos(2.0 * r + 0.1 * seed) + 0.01 * random.standard_normal(n)
    x = np.linspace(1.5, 5.0, 33)
    other = 0.02 * np.cumsum(random.standard_normal(33))
    return PairCorrection({(13, 13): akima_from_points(r, noisy), (13, 28): akima_from_points(x, other)})


def joined(kelvins: list[float] = KELVINS, **options: bool) -> TemperatureCorrection:
    return interpolated({kelvin: table(k) for k, kelvin in enumerate(kelvins)}, **options)


def u_at(correction: TemperatureCorrection, r: np.ndarray, kelvin: float) -> np.ndarray:
    return correction.at(kelvin).pairs[13, 13].evaluate(r)[0]


@given(temperature_sets, st.floats(0, 1))
def test_functions_are_cardinal_and_sum_to_one(kelvins: list[int], part: float) -> None:
    functions = spline_functions(kelvins)
    for k, kelvin in enumerate(kelvins):
        # to the bit
        assert functions.values(kelvin).tolist() == [float(j == k) for j in range(len(kelvins))]
    between = kelvins[0] + part * (kelvins[-1] - kelvins[0])
    assert functions.values(between).sum() == pytest.approx(1.0, abs=1e-12)
    assert functions.slopes(between).sum() == pytest.approx(0.0, abs=1e-12)


@given(temperature_sets, st.integers(0, 2**31))
def test_functions_are_the_natural_spline(kelvins: list[int], seed: int) -> None:
    data = np.random.default_rng(seed).standard_normal(len(kelvins))
    reference = CubicSpline(kelvins, data, bc_type="natural")
    functions = spline_functions(kelvins)
    for kelvin in np.linspace(kelvins[0], kelvins[-1], 23):
        assert functions.values(kelvin) @ data == pytest.approx(reference(kelvin), abs=1e-9)
        assert functions.slopes(kelvin) @ data == pytest.approx(reference(kelvin, 1), abs=1e-9)


def test_smooth_across_the_tables() -> None:
    functions = spline_functions(KELVINS)
    h = 1e-4
    for kelvin in [*KELVINS, 700.0, 1000.0, 1500.0]:
        below, above = functions.slopes(kelvin - h), functions.slopes(kelvin + h)
        assert below == pytest.approx(above, abs=1e-7)
        numeric = (functions.values(kelvin + h) - functions.values(kelvin - h)) / (2 * h)
        assert functions.slopes(kelvin) == pytest.approx(numeric, abs=1e-8)


def test_straight_lines_stay_straight() -> None:
    # two temperatures, and any number of tables that lie on a line; also beyond both ends
    for kelvins in ([900.0, 1300.0], KELVINS):
        functions = spline_functions(kelvins)
        for kelvin in (500.0, 950.0, 1111.0, 1310.0, 2000.0):
            assert functions.values(kelvin) @ kelvins == pytest.approx(kelvin, rel=1e-12)


def test_noise_grows_less_than_with_a_parabola() -> None:
    """The numbers of docs/temperature.md."""
    kelvins = np.array([943.0, 1023.0, 1323.0])
    grid = np.linspace(943.0, 1323.0, 2001)
    functions = spline_functions(kelvins.tolist())
    spline = max(np.linalg.norm(functions.values(kelvin)) for kelvin in grid)
    parabolas = [np.polyfit(kelvins - 943.0, unit, 2) for unit in np.eye(3)]
    lagrange = np.linalg.norm([np.polyval(parabola, grid - 943.0) for parabola in parabolas], axis=0).max()
    assert (round(spline, 2), round(lagrange, 2)) == (1.48, 1.67)


def test_powers() -> None:
    functions = power_functions(3, 1000.0, 200.0)
    assert functions.values(1100.0).tolist() == [1.0, 0.5, 0.25]
    assert functions.slopes(1100.0) == pytest.approx([0.0, 1 / 200, 2 * 0.5 / 200])
    assert functions.slopes(1000.0).tolist() == [0.0, 1 / 200, 0.0]


def test_exactly_the_tables() -> None:
    correction = joined()
    for k, kelvin in enumerate(KELVINS):
        for pair, spline in correction.at(kelvin).pairs.items():
            assert np.array_equal(spline.coefficients, table(k).pairs[pair].coefficients)


def test_between_it_is_the_spline_in_temperature_at_every_distance() -> None:
    correction = joined()
    r = np.random.default_rng(1).uniform(1.0, 6.5, 300)
    tables = [table(k).pairs[13, 13].evaluate(r) for k in range(4)]
    for part in (0, 1):
        reference = CubicSpline(KELVINS, [values[part] for values in tables], bc_type="natural")
        for kelvin in (950.0, 1023.5, 1200.0, 1322.9):
            found = correction.at(kelvin).pairs[13, 13].evaluate(r)[part]
            assert found == pytest.approx(reference(kelvin), abs=1e-12)


def test_the_sum_is_not_the_spline_through_summed_tables() -> None:
    r = np.linspace(2.0, 6.0, 41)
    correction = joined()
    again = akima_from_points(r, u_at(correction, r, 1080.0))
    fine = np.linspace(2.0, 6.0, 3333)
    difference = np.abs(again.evaluate(fine)[0] - u_at(correction, fine, 1080.0)).max()
    assert difference > 1e-5


@given(st.integers(0, 2**31))
def test_force_and_slope_are_derivatives(seed: int) -> None:
    random = np.random.default_rng(seed)
    correction, kelvin = joined(), random.uniform(944, 1322)
    r = random.uniform(1.5, 6.5, 200)
    r = r[np.abs((r - 2.0) / 0.1 - np.round((r - 2.0) / 0.1)) > 0.01]
    h = 1e-5
    numeric = (u_at(correction, r + h, kelvin) - u_at(correction, r - h, kelvin)) / (2 * h)
    assert correction.at(kelvin).pairs[13, 13].evaluate(r)[1] == pytest.approx(numeric, abs=1e-6)
    h = 1e-2
    numeric = (u_at(correction, r, kelvin + h) - u_at(correction, r, kelvin - h)) / (2 * h)
    assert correction.slope_at(kelvin).pairs[13, 13].evaluate(r)[0] == pytest.approx(numeric, abs=1e-9)


def test_change_is_the_difference() -> None:
    correction, r = joined(), np.linspace(1.0, 6.5, 100)
    change = correction.change(950.0, 1300.0).pairs[13, 13].evaluate(r)[0]
    assert change == pytest.approx(u_at(correction, r, 1300.0) - u_at(correction, r, 950.0), abs=1e-15)


def test_from_terms() -> None:
    terms, r = [table(k) for k in range(3)], np.linspace(1.0, 6.5, 100)
    correction = from_terms(terms, 1100.0, 200.0, minimum=943.0, maximum=1323.0)
    x = (1000.0 - 1100.0) / 200.0
    by_hand = sum(x**k * term.pairs[13, 13].evaluate(r)[0] for k, term in enumerate(terms))
    assert u_at(correction, r, 1000.0) == pytest.approx(by_hand, abs=1e-15)
    with pytest.raises(UserError, match="943 to 1323 K"):
        correction.at(1400.0)


def test_outside_is_refused_unless_allowed() -> None:
    correction = joined()
    for kelvin in (942.9, 1323.1, 300.0):
        with pytest.raises(UserError, match="outside the fitted range of u\\(r; T\\), 943 to 1323 K"):
            correction.at(kelvin)
        with pytest.raises(UserError, match="outside"):
            correction.slope_at(kelvin)
        with pytest.raises(UserError, match="outside"):
            correction.change(1000.0, kelvin)
    for kelvin in (0.0, -5.0, float("nan"), float("inf")):
        with pytest.raises(UserError, match="no temperature"):
            correction.with_extrapolation().at(kelvin)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        # kB T over kB is not T to the last bit
        correction.at(1323.0 * (1 + 1e-15))
        correction.with_extrapolation().at(1000.0)
    r = np.linspace(2.0, 5.9, 50)
    with pytest.warns(UserWarning, match="extrapolated: it was fitted from 943 to 1323 K"):
        far = u_at(correction.with_extrapolation(), r, 1423.0)
    slope = correction.slope_at(1323.0).pairs[13, 13].evaluate(r)[0]
    assert far == pytest.approx(u_at(correction, r, 1323.0) + 100.0 * slope, abs=1e-12)


def test_what_does_not_fit_together() -> None:
    with pytest.raises(UserError, match="one temperature is not enough"):
        interpolated({943.0: table(0)})
    with pytest.raises(UserError, match=r"-3\.0 is no temperature"):
        interpolated({943.0: table(0), -3.0: table(1)})
    single = PairCorrection({(13, 13): table(1).pairs[13, 13]})
    with pytest.raises(UserError, match="hot: interactions Al-Al, but cold has Al-Al, Al-Ni"):
        interpolated({943.0: table(0), 1000.0: single}, names=["cold", "hot"])
    for other in (table(1, last=5.9), table(1, n=81), table(1, first=1.9)):
        with pytest.raises(UserError, match=r"csg_resample --in OLD --out NEW --grid 0.2:0.01:0.6"):
            interpolated({943.0: table(0), 1000.0: other})
        with pytest.raises(UserError, match="term 1: u"):
            from_terms([table(0), other], 1000.0, 100.0, minimum=900.0, maximum=1100.0)
    bad = [((), 1e3, 1e2, 900, 1e3), ((table(0),), 1e3, 0, 900, 1e3), ((table(0),), 1e3, 1e2, 1e3, 900)]
    bad += [((table(0),), float("nan"), 1e2, 900, 1e3), ((table(0),), 1e3, 1e2, 0, 1e3)]
    for terms, reference, scale, minimum, maximum in bad:
        with pytest.raises(UserError, match="no correction from"):
            from_terms(terms, reference, scale, minimum=minimum, maximum=maximum)


def pair_list() -> tuple[torch.Tensor, ...]:
    random = np.random.default_rng(2)
    numbers = torch.tensor(random.choice([13, 28, 79], 40))
    first, second = (torch.tensor(random.integers(0, 40, 4000)) for _ in range(2))
    vectors = torch.tensor(random.uniform(-4, 4, (4000, 3)))
    return numbers, first, second, vectors


@pytest.mark.parametrize("powers", [False, True])
def test_torch_module_eager_and_scripted(powers: bool) -> None:
    correction = joined()
    if powers:
        correction = from_terms(correction.terms, 1100.0, 150.0, minimum=943.0, maximum=1323.0)
    eager = TorchTemperatureCorrection(correction)
    numbers, first, second, vectors = pair_list()
    kinds = numbers[first], numbers[second]
    r = vectors.norm(dim=1)
    assert torch.isnan(eager(numbers, first, second, vectors)).any()
    with quiet():
        script = torch.jit.script(TorchTemperatureCorrection(correction))
    for kelvin in (943.0, 990.0, 1023.0, 1250.0, 1323.0):
        u, slope = correction.at(kelvin).pair_energies(*(x.numpy() for x in (*kinds, r)))
        for module in (eager, script):
            module.set_temperature(kelvin)
            assert module.temperature == kelvin
            assert module.functions(kelvin).numpy() == pytest.approx(
                correction.functions.values(kelvin), abs=1e-14
            )
            atomic = module(numbers, first, second, vectors)
            assert float(atomic.sum()) == pytest.approx(0.5 * u.sum(), abs=1e-11)
        energy, gradient = eager.pair_energies(*kinds, r)
        assert energy.numpy() == pytest.approx(u, abs=1e-13)
        assert gradient.numpy() == pytest.approx(slope, abs=1e-12)
    for module in (eager, script):
        with pytest.raises(Exception, match=r"1400.* K is outside"):
            module.set_temperature(1400.0)
        with pytest.raises(Exception, match="outside"):
            module.set_temperature(float("nan"))
        # a refused temperature changes nothing
        assert module.temperature == 1323.0
    allowed = TorchTemperatureCorrection(correction.with_extrapolation())
    with pytest.warns(UserWarning, match="extrapolated"):
        allowed.set_temperature(1400.0)


def moments(correction: TemperatureCorrection, kelvin: float) -> dict[str, float]:
    """Return ln Z and averages of one pair in a sphere of 5.9 Angstrom by quadrature."""
    kt = KB_EV_PER_K * kelvin
    u, du = correction.at(kelvin).pairs[13, 13], correction.slope_at(kelvin).pairs[13, 13]

    def integral(function) -> float:  # type: ignore[no-untyped-def]
        knots = np.linspace(2.0, 5.9, 40)
        pieces = [(0.0, 2.0), *itertools.pairwise(knots)]
        return sum(quad(function, a, b, epsabs=1e-11, epsrel=1e-11)[0] for a, b in pieces)

    def value(spline, r: float) -> float:  # type: ignore[no-untyped-def]
        return float(spline.evaluate(np.array([r]))[0][0])

    def average(function) -> float:  # type: ignore[no-untyped-def]
        return integral(lambda r: function(r) * r * r * np.exp(-value(u, r) / kt)) / z

    z = integral(lambda r: r * r * np.exp(-value(u, r) / kt))
    mean, slope = average(lambda r: value(u, r)), average(lambda r: value(du, r))
    return {
        "lnz": float(np.log(z)),
        "u": mean,
        "slope": slope,
        "variance": average(lambda r: (value(u, r) - mean) ** 2),
        "covariance": average(lambda r: (value(u, r) - mean) * (value(du, r) - slope)),
    }


def test_thermodynamic_identities_have_an_extra_term() -> None:
    """Against finite differences in T, as docs/temperature.md states them."""
    correction, kelvin, h = joined(), 1100.0, 0.05
    low, here, high = (moments(correction, kelvin + step) for step in (-h, 0.0, h))
    kt = KB_EV_PER_K * kelvin
    beta = [1 / (KB_EV_PER_K * (kelvin + step)) for step in (-h, h)]
    # -d ln Z / d beta = <U> - T <dU/dT>
    numeric = -(high["lnz"] - low["lnz"]) / (beta[1] - beta[0])
    assert numeric == pytest.approx(here["u"] - kelvin * here["slope"], abs=1e-7)
    assert abs(kelvin * here["slope"]) > 1e-3
    # d<U>/dT = var U / kB T^2 + <dU/dT> - cov(U, dU/dT) / kB T
    numeric = (high["u"] - low["u"]) / (2 * h)
    fluctuation = here["variance"] / (kt * kelvin)
    assert numeric == pytest.approx(fluctuation + here["slope"] - here["covariance"] / kt, abs=1e-9)
    assert abs(numeric - fluctuation) > 1e-7
    # -dF/dT with F = -kB T ln Z is the entropy (<U> - F) / T less <dU/dT>
    f_low, f_high = (-KB_EV_PER_K * (kelvin + s) * m["lnz"] for s, m in ((-h, low), (h, high)))
    entropy = (here["u"] + kt * here["lnz"]) / kelvin
    assert -(f_high - f_low) / (2 * h) == pytest.approx(entropy - here["slope"], abs=1e-9)
