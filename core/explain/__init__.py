"""What can be told about why a network answers as it does, and when it learned to."""
