"""Where an exported potential comes from and what it is for, in words, for the comments of its files."""

from votca_mlp.export.content import ExportContent
from votca_mlp.models.kind import model_kind


def holds_at(content: ExportContent) -> str:
    """Return temperature and pressure in words."""
    joined = content.joined
    between = " to " if joined is not None and joined.follows_temperature else ", "
    words = between.join(f"{kelvin:g}" for kelvin in content.temperatures) + " K"
    if joined is not None and joined.extrapolated:
        low, high = joined.range
        words += f" (EXTRAPOLATED: fitted from {low:g} to {high:g} K)"
    if content.pressure is not None:
        return f"{words} and {content.pressure:g} bar"
    return words + (" at constant volume" if content.ensemble == "nvt" else "")


def comment_lines(content: ExportContent) -> list[str]:
    """Return the provenance as lines of a comment."""
    origin = content.model
    model = origin.settings
    name = model[model_kind(model["kind"]).named_by or "kind"]
    versions = ", ".join(f"{program} {version}" for program, version in origin.versions.items())
    if not content.tables and content.joined is None:
        return [
            f"the model {model['kind']} {name}, without a correction",
            f"model sha256 {origin.sha256}",
            f"written {origin.written} by votca-mlp; {versions}",
        ]
    return [
        f"pair correction u(r) for the model {model['kind']} {name}",
        f"model sha256 {origin.sha256 or 'unknown (the calculator is called by name)'}",
        f"holds only near {holds_at(content)}, and only together with this model",
        *_source_lines(content),
        *(f"standard error of u(r) {'-'.join(t.types)}: {t.band}" for t in content.tables if t.band),
        f"written {origin.written} by votca-mlp; {versions}",
    ]


def _source_lines(content: ExportContent) -> list[str]:
    if content.settings is None:
        return [f"from simulation {content.step} of a run in Python"]
    if content.joined is None:
        return [
            f"from step {content.step} of {content.settings}",
            f"settings sha256 {content.settings_sha256}",
        ]
    low, high = content.joined.range
    allowed = "allowed" if content.joined.extrapolation else "not allowed"
    return [
        f"from {content.settings}",
        f"sha256 of this file {content.settings_sha256}",
        f"fitted from {low:g} to {high:g} K, extrapolation {allowed}",
    ]
