"""A run's directory: record, lock, restart file, reading."""
