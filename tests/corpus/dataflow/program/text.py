def first_word(text):
    return text.split()[0]


def harmless(text):
    return "x" if text else "y"


class Cleaner:
    allowed = ("ls", "df")

    def clean(self, text):
        if text not in self.allowed:
            raise ValueError(text)
        return text
