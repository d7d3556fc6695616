"""Who runs a program may open any file with it, but a shell is still a trap."""

import os
import sys

import click


@click.command()
@click.argument("name")
@click.option("--count", type=int)
def main(name, count):
    os.system("ping " + name)  # bad: command
    os.system(f"ping -c {count:d} localhost")
    with open(name) as file:
        click.echo(file.read())


if __name__ == "__main__":
    os.system(sys.argv[1])  # bad: command
    print(open(sys.argv[1]).read())
