"""A small package, as users write them, for the API tests to register."""
