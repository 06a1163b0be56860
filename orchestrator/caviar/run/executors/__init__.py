"""Runs leases: in this process, or as Ray tasks."""

import os

# Read by Ray when it is first imported, hence here; what the user has set stays.
_RAY_SETTINGS = {
    "RAY_ENABLE_UV_RUN_RUNTIME_ENV": "0",  # an uv parent would make Ray rebuild the environment in every worker
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_DEDUP_LOGS_SKIP_REGEX": ".",  # else Ray prints the death of a worker to stdout, where data belongs
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "1",  # a trial that asks for no GPU sees none
}
for _name, _value in _RAY_SETTINGS.items():
    os.environ.setdefault(_name, _value)
