import os
import sqlite3


def find(name):
    db = sqlite3.connect("shop.db")
    return db.execute("SELECT * FROM users WHERE name = '" + name + "'")  # bad: sql


def find_number(number):
    db = sqlite3.connect("shop.db")
    return db.execute(f"SELECT * FROM users WHERE number = {int(number)}")


def system(command):
    os.system(command)  # bad: command


class Storage:
    def __init__(self, path):
        self.db = sqlite3.connect(path)

    def run(self, name):
        self.db.execute(self.statement(name))  # bad: sql

    def statement(self, name):
        return f"SELECT * FROM users WHERE name = '{name}'"
