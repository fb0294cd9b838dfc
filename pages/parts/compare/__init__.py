"""What the Compare page shows of the ticked runs below its table."""
