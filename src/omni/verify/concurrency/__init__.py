"""What threads and coroutines of one Python program can do to each other."""
