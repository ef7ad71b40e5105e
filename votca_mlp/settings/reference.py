"""docs/settings.md from the models: each tag with default, unit, what it accepts and what it does."""

from pydantic.fields import FieldInfo

from votca_mlp.fields import Section, accepted, unit
from votca_mlp.settings.defaults import text_of
from votca_mlp.settings.layout import INTERACTION_INVERSE, SETTINGS_NOT_TAGS, section_of
from votca_mlp.settings.models import Interaction, Settings
from votca_mlp.settings.scripts import SCRIPTPATH

_HEAD = """\
# Settings

Everything is in one `settings.xml`, the file of VOTCA's `csg_inverse`. VOTCA's own tags keep their meaning
and their units: **nm** and **kJ/mol**. The tags under `mlp`, `ase` and `wibi` are ours: **Angstrom, fs, K,
bar, eV**. Paths are relative to the folder of `settings.xml`.

`votca-mlp check settings.xml` reads the file and everything it names and shows every problem at once, each
with file, line, tag and what is accepted. Misspelt tags are answered with the nearest valid one.

VOTCA has more tags than these (`cleanlist`, `post_update_options`, ...); all that VOTCA 2022.1 to 2025.1
know are accepted. Sections of other programs and scripts are left alone.

VOTCA 2023 and later warn of tags that are not in VOTCA's own list. To give it ours, before `csg_inverse`:

    export VOTCA_CSG_DEFAULTS=$(votca-mlp defaults)

## The shortest file

```xml
<cg>
  <non-bonded>
    <name>Al-Al</name> <type1>Al</type1> <type2>Al</type2>
    <min>0.0</min> <max>1.0</max> <step>0.005</step>
    <inverse> <target>Al-Al.dist.tgt</target> </inverse>
  </non-bonded>
  <inverse>
    <scriptpath>SCRIPTPATH</scriptpath>
    <program>ase</program>
    <method>ibi</method>
    <kBT>8.50577</kBT>
    <filelist>topol.xml</filelist>
    <iterations_max>10</iterations_max>
    <mlp> <kind>hippynn</kind> <model>builtin:al-hipnn</model> </mlp>
    <ase> <conf>conf.extxyz</conf> <temperature>1023</temperature> </ase>
  </inverse>
</cg>
```

## Every tag

"required" stands where there is no default. A dash is a tag that is simply absent.
"""


def settings_reference() -> str:
    """Return the text of docs/settings.md."""
    outer = {k: v for k, v in Interaction.model_fields.items() if k not in INTERACTION_INVERSE}
    inner = {k: v for k, v in Interaction.model_fields.items() if k in INTERACTION_INVERSE}
    general = {k: v for k, v in Settings.model_fields.items() if k not in SETTINGS_NOT_TAGS}
    tables = [
        *_tables("cg.non-bonded", "one section for each pair of bead types.", outer),
        *_tables("cg.non-bonded.inverse", "the update of that pair.", inner),
        *_tables("cg.inverse", "what holds for the whole run.", general),
    ]
    return _HEAD.replace("SCRIPTPATH", SCRIPTPATH) + "".join(tables)


def _tables(path: str, about: str, fields: dict[str, FieldInfo]) -> list[str]:
    rows = [_row(name, info) for name, info in fields.items() if section_of(info) is None]
    head = f"\n### {path}\n\n{about[:1].upper()}{about[1:]}\n\n"
    head += "| tag | default | unit | accepted | meaning |\n|---|---|---|---|---|\n"
    found = [head + "".join(rows)]
    for name, info in fields.items():
        section = section_of(info)
        if section is not None:
            found += _tables(f"{path}.{name}", _about(section), dict(section.model_fields))
    return found


def _row(name: str, info: FieldInfo) -> str:
    cells = (f"`{name}`", _default(info), unit(info), _words(_accepts(info)), _words(info.description))
    return f"| {' | '.join(cells)} |\n"


def _about(section: type[Section]) -> str:
    return str(section.__doc__).split(": ", 1)[-1]


def _accepts(info: FieldInfo) -> str:
    end = f" ({unit(info)})"
    return accepted(info).removesuffix(end) if unit(info) else accepted(info)


def _default(info: FieldInfo) -> str:
    if info.is_required():
        return "required"
    text = text_of(info.default)
    if not text and info.annotation is not None and "auto" in _accepts(info):
        text = "auto"
    if not text and _accepts(info).startswith("all"):
        text = "all"
    return f"`{text}`" if text else "-"


def _words(text: str | None) -> str:
    return (text or "").replace("|", "\\|").replace("<", "&lt;").replace("$VARIABLES", "`$VARIABLES`")
