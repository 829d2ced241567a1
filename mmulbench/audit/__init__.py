"""Write the audit of one run as a page for who answers for a deletion, made from its record.

For others: `gather` (`gather_audit`, `Choices`), `page` (`page_of`), `folder` (`write_report`).
May import: records, cache, core, metrics, validity, runs, report, the ground floor.
"""
