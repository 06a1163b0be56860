"""What readers see: the files of sweeps as plain SQL tables."""
