"""What is measured on frames, one file each."""
