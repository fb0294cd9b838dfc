"""One run or many: the card, what can be done with it, and the table."""
