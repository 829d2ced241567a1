"""Draw the figures of a table, one module for each kind; `mmulbench.report.plots` chooses and writes them."""
