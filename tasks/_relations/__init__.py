"""Read relations between graph nodes: from HPO, PGR and GDPR."""
