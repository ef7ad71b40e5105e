"""Files with labelled frames: reading, units, checks, writing."""
