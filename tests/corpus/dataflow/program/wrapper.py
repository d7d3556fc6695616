class Wrapped:
    def __init__(self, request):
        self.request = request

    def query(self, name):
        return self.request.args.get(name)

    def constant(self, name):
        return "ls"
