"""A folder on the PYTHONPATH of a program that is read by what it gives to `wandb.log`; see `sitecustomize.py`."""
