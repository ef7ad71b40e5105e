"""Why no process works on a run."""

from pathlib import Path

from votca_mlp.inverse.loop import GOING_ON
from votca_mlp.inverse.summary import NAME as SUMMARY
from votca_mlp.runs import claim

AGAIN = "stopped: interrupted or killed; run it again to go on"


def stopped_line(directory: str | Path) -> str:
    """Return why a run is not running: what its summary says, ``done``, or that it was interrupted."""
    main = Path(directory)
    said = _recorded(main)
    if said is not None and said != GOING_ON:
        return f"stopped: {said}"
    return "stopped: done" if (main / "done").is_file() else AGAIN


def _recorded(main: Path) -> str | None:
    """Return what the last run of our loop has written; None where csg_inverse came after it."""
    import yaml

    summary, claimed = main / SUMMARY, main / claim.NAME
    try:
        if claimed.is_file() and claimed.stat().st_mtime > summary.stat().st_mtime:
            return None
        data = yaml.load(summary.read_text(), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
        return str(data["stopped"])
    except (OSError, KeyError, TypeError, yaml.YAMLError):
        return None
