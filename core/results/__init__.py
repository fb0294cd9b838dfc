"""What finished runs amount to, beside the report and beside one another."""
