"""What every method and every task must hold to, as checks that need no download and no pytest."""
