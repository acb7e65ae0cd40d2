"""How fast is it? Figures as ratios within one run, never asserted in a test."""
