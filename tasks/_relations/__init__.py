"""Read relations between nodes of a graph: those of HPO, PGR and GDPR."""
