"""The board: sweeps of a store in a browser, live, on this computer's own address and for its user alone.

Raises:
    SpecError: The extra `board` is not installed.
"""

from importlib.util import find_spec

from caviar.errors import SpecError, to_install

if not all(map(find_spec, ("starlette", "uvicorn"))):
    raise SpecError(
        f"the board needs Starlette and uvicorn, which are not installed: type {to_install('starlette', 'uvicorn')}"
    )
