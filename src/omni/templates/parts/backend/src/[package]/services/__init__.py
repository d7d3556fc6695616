"""What people can do: rules, permissions and ownership live here, and nowhere else."""
