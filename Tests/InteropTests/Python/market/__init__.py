"""LCP v0.1 as others speak it, against the whole of our product on a simulated network."""
