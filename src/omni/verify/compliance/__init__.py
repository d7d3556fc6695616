"""The rules of the compliance profiles, as functions over what is known of a program."""
