"""Checks of lcp-simnet with a client and a schema that share nothing with the product."""
