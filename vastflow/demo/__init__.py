"""What does `vastflow demo` show, and against what?

A small simulated cloud that is a process of its own (`cloud`, `resources`) and the client a flow speaks to it with.
"""

from vastflow.demo.client import Cloud, start_cloud, stop_cloud

__all__ = ["Cloud", "start_cloud", "stop_cloud"]
