"""ANI: files in NeuroChem format, environment vectors, and compiled loops."""
