"""Read official data sets: local files, a hub, their splits and their images."""
