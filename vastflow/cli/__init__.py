"""How is vastflow driven and looked at from a shell?

`main` is the command; its verbs each have a page, loaded when it is called.
"""

from vastflow.cli.verbs import main

__all__ = ["main"]
