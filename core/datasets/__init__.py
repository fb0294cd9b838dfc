"""The three datasets: what they are, where they come from, and how they get here."""
