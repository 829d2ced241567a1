"""The files that ``mmulbench new`` writes; they work as they are."""
