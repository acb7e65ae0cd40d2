"""What do all tests share? Nothing but these settings."""

import os
import signal
from pathlib import Path

from hypothesis import HealthCheck, settings

import vastflow

# A busy machine is no fault of the code, so no case has a deadline; pytest-timeout ends what hangs.
settings.register_profile("vastflow", deadline=None, print_blob=True, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("vastflow")

# Where a shell runs the tests in the background it has them ignore Ctrl-C, and all that they start.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# The store of whoever runs the tests is not theirs to touch.
os.environ.pop("VASTFLOW_STORE", None)

# Processes that tests start test the same copy as they do, be it the checkout or what was installed.
tested = str(Path(vastflow.__file__).parents[1])
os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, (tested, os.environ.get("PYTHONPATH"))))
