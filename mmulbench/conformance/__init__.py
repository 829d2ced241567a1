"""Check what every method, backbone, task and metric must hold to, without a download and without pytest.

For others: `report`, `method_checks`, `task_checks`, `metric_checks`, `tiny_tasks`.
May import: records, cache, core, backbones, runs, the ground floor.
"""
