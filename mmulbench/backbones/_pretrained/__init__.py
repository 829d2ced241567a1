"""Read published weights: their files, the names in them, and what they are renamed to."""
