"""What runs inside a Ray task: the trial handle, the recorder, the lease runner. Imports neither Ray nor `caviar`."""
