"""Read pictures and words of packages from the index: emoji and flags."""
