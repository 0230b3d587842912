"""A deploy is a transaction, and the tests are its commit condition."""
