"""What a sweep is: its plan, what overrides it, the code that travels, and where it came from."""
