"""Two examples of each command at least, as its help ends with; tests parse them all."""

from __future__ import annotations

from collections.abc import Mapping

EXAMPLES: Mapping[str, tuple[str, ...]] = {
    "run": (
        "mmulbench run --method mmul --task emoji",
        "mmulbench run -m mmul,scrub,finetune -t emoji --seed 42,87 --set epochs=3",
        "mmulbench run -m all -t flickr30k --data-dir /data --device cuda:0",
    ),
    "evaluate": (
        "mmulbench evaluate my-model --name my_method --task emoji",
        "mmulbench evaluate 3f2a --metrics my_metric --plugin my_metric.py",
        "mmulbench evaluate 3f2a --metrics u_lira,klom --shadows 8",
        "mmulbench evaluate model -t pairs --name mine --original clip --retrain re",
    ),
    "export": (
        "mmulbench export 3f2a unlearned-model",
        "mmulbench export 3f2a model --forget request.csv --results-dir results",
    ),
    "tune": (
        "mmulbench tune --task emoji --method mmul",
        "mmulbench tune -t emoji -m mmul,scrub --trials 10 --budget 1",
    ),
    "show": (
        "mmulbench show mmul",
        "mmulbench show 3f2a --results-dir results --json",
    ),
    "validate": (
        "mmulbench validate",
        "mmulbench validate mmul --results-dir results --json",
    ),
    "report": (
        "mmulbench report --output site",
        "mmulbench report results/emoji/albef-packaged/mmul/1.json -o report",
        "mmulbench report 3f2a --no-examples --replace --json",
    ),
    "leaderboard": (
        "mmulbench leaderboard --task emoji --wide",
        "mmulbench leaderboard --sort cost --method mmul,scrub",
        "mmulbench leaderboard --output leaderboard.md",
    ),
    "compare": (
        "mmulbench compare mmul scrub --task emoji",
        "mmulbench compare mmul@tuned mmul@default -t emoji --json",
    ),
    "plot": (
        "mmulbench plot --task emoji",
        "mmulbench plot --figure forgetting,cost --metric retain --output figures",
    ),
    "schema": (
        "mmulbench schema",
        "mmulbench schema > record.schema.json",
    ),
    "list": (
        "mmulbench list tasks",
        "mmulbench list methods --task emoji",
    ),
    "describe": (
        "mmulbench describe method mmul",
        "mmulbench describe task emoji --json",
    ),
    "sweep": (
        "mmulbench sweep sweep.yaml --dry-run",
        "mmulbench sweep -t emoji,flags -m mmul,scrub --seed 42,87,21 --workers 2",
    ),
    "status": (
        "mmulbench status",
        "mmulbench status 1a2b3c4d --watch",
    ),
    "logs": (
        "mmulbench logs 5e6f",
        "mmulbench logs 5e6f 1a2b3c4d",
    ),
    "retry": (
        "mmulbench retry",
        "mmulbench retry 1a2b3c4d --failed --workers 2",
    ),
    "cancel": (
        "mmulbench cancel",
        "mmulbench cancel 1a2b3c4d",
    ),
    "data info": (
        "mmulbench data info flickr30k",
        "mmulbench data info coco --json",
    ),
    "data check": (
        "mmulbench data check flickr30k --data-dir /data",
        "mmulbench data check flickr30k --hub nlphuji/flickr30k@refs/convert/parquet",
    ),
    "data prepare": (
        "mmulbench data prepare emoji",
        "mmulbench data prepare flickr30k -b clip:tiny --data-dir /data",
    ),
    "new method": (
        "mmulbench new method my_method",
        "mmulbench new method my_method --folder .",
    ),
    "new task": (
        "mmulbench new task my_task",
        "mmulbench new task my_task --folder .",
    ),
    "new metric": (
        "mmulbench new metric my_metric",
        "mmulbench new metric my_metric --folder .",
    ),
    "check method": (
        "mmulbench check method mmul",
        "mmulbench check method my_method --plugin my_method.py",
    ),
    "check task": (
        "mmulbench check task emoji",
        "mmulbench check task my_task --plugin my_task.py --data-dir /data",
    ),
    "check backbone": (
        "mmulbench check backbone albef",
        "mmulbench check backbone my_backbone --plugin my_backbone.py",
    ),
    "check metric": (
        "mmulbench check metric mia",
        "mmulbench check metric my_metric --plugin my_metric.py",
    ),
    "selftest metrics": (
        "mmulbench selftest metrics",
        "mmulbench selftest metrics --plugin my_metric.py --json",
    ),
}
"""Examples by command."""


def shown_examples(command: str) -> str:
    """Return a command's examples as they end its help; empty where there are none.

    Args:
        command: name of the command, of one in a group with the group's.
    """
    lines = EXAMPLES.get(command, ())
    return "\n\n".join(["[bold]Examples[/bold]", *lines]) if lines else ""
