"""Backbones, one family a file, each implementing `mmulbench.model.Backbone`."""
