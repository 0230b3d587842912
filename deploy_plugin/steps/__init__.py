"""The steps of a deploy, one module each; ``plan.py`` puts them in order."""
