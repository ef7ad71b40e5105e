"""Total scattering: from partial structure factors to what neutrons and X-rays measure."""
