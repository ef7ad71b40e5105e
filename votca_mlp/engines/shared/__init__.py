"""What every engine uses: start, stages, limits, resume, results."""
