"""Real platforms for tests: `dayfly up` as a process of its own, with everything it started told apart by a mark."""
