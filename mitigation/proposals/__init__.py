"""New identities: drafted by a model, checked against rules and against all others, written as files for review."""
