"""Declared dependencies == imports in the code == the architecture's table."""
