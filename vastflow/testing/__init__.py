"""How is what runs on vastflow, or under it, tested?

`vastflow.testing.exam` is what every store has to pass.
"""
