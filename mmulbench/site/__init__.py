"""Write the results of a folder as a site of static pages: one of all tables, and one of each run.

For others: `gather` (`gather_site`), `build` (`pages_of`),
`folder` (`refuse_others`, `write_site`, `differing`).
May import: records, core, metrics, validity, runs, report, audit, the ground floor.
"""
