"""Read pictures and words of installed packages: emoji and flags."""
