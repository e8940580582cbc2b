"""The paper's claims, and the rules by which tables of results are judged."""
