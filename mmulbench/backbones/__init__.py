"""Build models, one family a file, each implementing `mmulbench.core.backbone.Backbone`.

For others: nothing by import: the registry `BACKBONES` finds them by name.
May import: cache, core, the ground floor.
"""
