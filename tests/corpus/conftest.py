"""What lies here is looked at by checks; none of it is a test of Omni."""

collect_ignore_glob = ["*"]
