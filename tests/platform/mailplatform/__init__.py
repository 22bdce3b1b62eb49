"""A real mail platform on loopback, for tests and the demonstration."""
