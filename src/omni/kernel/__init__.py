"""The ground: settings, database, events, audit log, artifacts, errors."""
