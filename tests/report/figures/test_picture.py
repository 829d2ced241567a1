from __future__ import annotations

from planted_results import Planted, World

from mmulbench.report.aggregate import group_records
from mmulbench.report.columns import choose_columns
from mmulbench.report.figures.picture import TITLE_WIDTH, main_rows, title_of
from mmulbench.report.place_rows import judge_rows, standing_of
from mmulbench.report.standing import MAIN


def test_only_rows_of_the_first_table_are_drawn():
    world = World()
    records = world.records({"mmul": Planted(), "npo": Planted()}, draws=3)
    own = [record for record in records if record.spec.method == "mmul"]
    records += [world.tuned(record, lr=0.5) for record in own]
    unmeant = {"status": "not_applicable", "reason": "no", "values": {}, "cost": None, "by_unit": {}}
    specs = [record.spec.model_copy(update={"method": "kga"}) for record in own]
    records += [
        record.model_copy(update={"spec": spec, "run_id": spec.run_id, **unmeant})
        for record, spec in zip(own, specs, strict=True)
    ]
    (group,) = group_records(records)
    columns = choose_columns(["test"], {})
    standing = standing_of(group, columns, judge_rows(group, columns))
    shown = {line.name for line in standing.of_blocks(*MAIN)}
    assert shown == {"retrain", "retrain′", "mmul (tuned)", "npo"}
    assert {name for _, name in main_rows(group)} == shown


def test_lines_of_a_title_are_shorter_than_the_axes():
    spec = {"backbone": "clip:openai/clip-vit-base-patch32"}
    (group,) = group_records(World(seeds=range(100, 120), spec=spec).records({"mmul": Planted()}, draws=0))
    title = title_of(group)
    assert max(map(len, title.splitlines())) <= TITLE_WIDTH
    assert "forget size 68" in title and "119" in title
    assert "forget size" not in title_of(group, size=False)
