"""Every built wheel alone: its closure, its content, its own tests from outside the checkout."""
