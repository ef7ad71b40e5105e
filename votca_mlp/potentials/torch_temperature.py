"""u(r; T) as a torch module whose temperature can be set; it compiles to TorchScript."""

import warnings

import torch
from torch import Tensor

from votca_mlp.potentials.temperature import EDGE, TemperatureCorrection
from votca_mlp.potentials.torch_pair import TorchPairCorrection


class TorchTemperatureCorrection(TorchPairCorrection):
    """Same coefficients, same result as :class:`TemperatureCorrection`, to rounding, in float64.

    Energies are no numbers (nan) before :meth:`set_temperature`.

    Attributes
    ----------
    temperature
        Of the correction, K; 0 before it is set.
    """

    terms: Tensor
    breaks: Tensor
    origins: Tensor
    powers: Tensor

    def __init__(self, correction: TemperatureCorrection) -> None:
        # the tables of one term, for what they share; its coefficients are replaced
        super().__init__(correction.terms[0])
        functions = correction.functions
        stack = [torch.from_numpy(term.stacked().coefficients) for term in correction.terms]
        self.register_buffer("terms", torch.stack(stack))
        self.register_buffer("breaks", torch.from_numpy(functions.breaks))
        self.register_buffer("origins", torch.from_numpy(functions.origins))
        self.register_buffer("powers", torch.from_numpy(functions.coefficients))
        self.scale = functions.scale
        self.minimum, self.maximum = correction.minimum, correction.maximum
        self.allow_extrapolation = correction.allow_extrapolation
        self.edge = EDGE
        self.temperature = 0.0
        self.coefficients = torch.full_like(self.coefficients, float("nan"))

    @torch.jit.export
    def set_temperature(self, temperature: float) -> None:
        """Use u(r; T) of a temperature in K; outside the fitted range an error, unless it was allowed."""
        inside = self.minimum - self.edge <= temperature and temperature <= self.maximum + self.edge
        possible = temperature > 0.0 and temperature < 1e300
        if not possible or not (inside or self.allow_extrapolation):
            raise ValueError(
                f"{temperature} K is outside {self.minimum} to {self.maximum} K, where u(r; T) was fitted"
            )
        if not inside:
            warnings.warn("u(r; T) is extrapolated beyond the fitted range", stacklevel=2)
        self.temperature = temperature
        self.coefficients = (self.functions(temperature)[:, None, None] * self.terms).sum(0)

    @torch.jit.export
    def functions(self, temperature: float) -> Tensor:
        """Return c_k(T), shape [n_terms]; T in K."""
        interval = int((self.breaks <= temperature).sum())
        x = (temperature - self.origins[interval]) / self.scale
        orders = torch.arange(self.powers.shape[2], device=x.device)
        return (self.powers[interval] * x.pow(orders)).sum(1)
