"""mmulbench: benchmark and evaluation harness for multimodal machine unlearning."""

__version__ = "0.1.0"
