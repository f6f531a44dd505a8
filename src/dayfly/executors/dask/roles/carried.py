"""How modules come into a process that has no Dayfly: in a variable, which a line unpacks. Standard library only.

Dask's roles load whatever `preload` names, also the text of a program; see `relay.carrying`, which makes the variable.
"""

from __future__ import annotations

CODE_VARIABLE = "DAYFLY_RELAY_CODE"

TEXT = f"import base64, os, zlib; exec(zlib.decompress(base64.b64decode(os.environ['{CODE_VARIABLE}'])).decode())"
"""For `--preload`. It holds a space, by which Dask knows a program from a module's name."""
