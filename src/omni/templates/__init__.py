"""Project templates, rendered from a specification: the builder that needs no model."""
