"""Check what every method, backbone, task and metric must hold to, without a download and without pytest.

For others: what is imported here, for the tests of methods, backbones, tasks and metrics; and `report`.
May import: records, cache, core, backbones, runs, the ground floor.
"""

from mmulbench.conformance.backbone_checks import backbone_checks as backbone_checks
from mmulbench.conformance.backbone_trial import BackboneTrial as BackboneTrial
from mmulbench.conformance.backbone_trial import backbone_trials as backbone_trials
from mmulbench.conformance.checks import Check as Check
from mmulbench.conformance.checks import Outcome as Outcome
from mmulbench.conformance.checks import run_check as run_check
from mmulbench.conformance.method_checks import method_checks as method_checks
from mmulbench.conformance.method_trial import MethodTrial as MethodTrial
from mmulbench.conformance.method_trial import method_trials as method_trials
from mmulbench.conformance.metric_checks import metric_checks as metric_checks
from mmulbench.conformance.planted_models import MetricTrial as MetricTrial
from mmulbench.conformance.planted_models import metric_trial as metric_trial
from mmulbench.conformance.task_checks import task_checks as task_checks
from mmulbench.conformance.task_trial import TaskTrial as TaskTrial
from mmulbench.conformance.task_trial import task_trial as task_trial
from mmulbench.conformance.tiny_problems import tiny_problem as tiny_problem
