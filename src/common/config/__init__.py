"""What a user types: schemas, checks across groups, and objects built from it."""
