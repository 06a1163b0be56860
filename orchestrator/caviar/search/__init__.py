"""What is tried: samplers, searchers, stop policies, and the zoom into a smaller space."""
