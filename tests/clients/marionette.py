"""Marionette, which controls Mozilla's programs: JavaScript run in the program's own context."""

import json
import socket

from processes import Failure, wait_until


class Marionette:
    def __init__(self, port, timeout=90):
        self._socket = wait_until(lambda: self._connect(port), timeout, "Marionette did not answer")
        self._socket.settimeout(120)
        self._number = 0
        self._read()
        self.send("WebDriver:NewSession", {"capabilities": {}})
        self.send("Marionette:SetContext", {"value": "chrome"})
        self.send("WebDriver:SetTimeouts", {"script": 60000})

    def close(self):
        self._socket.close()

    def run(self, script, *arguments):
        """The value that a script (the body of a function) returns."""
        return self.send("WebDriver:ExecuteScript", {"script": script, "args": list(arguments), "newSandbox": False})["value"]

    def run_async(self, script, *arguments):
        """The value to which the body of an asynchronous function comes."""
        text = ("const done = arguments[arguments.length - 1]; const given = Array.from(arguments).slice(0, -1); "
                f"(async function () {{ {script} }}).apply(null, given).then(value => done([value]), error => done(String(error)));")
        answer = self.send("WebDriver:ExecuteAsyncScript", {"script": text, "args": list(arguments), "newSandbox": False})["value"]
        if isinstance(answer, str):
            raise Failure(f"script: {answer}")
        return answer[0]

    def send(self, command, parameters):
        self._number += 1
        text = json.dumps([0, self._number, command, parameters]).encode()
        try:
            self._socket.sendall(str(len(text)).encode() + b":" + text)
        except OSError as problem:
            raise Failure(f"{command}: {problem}") from None
        while True:
            answer = self._read()
            if answer[1] == self._number:
                break
        if answer[2]:
            raise Failure(f"{command}: {answer[2].get('error')}: {answer[2].get('message')}")
        return answer[3]

    def _read(self):
        length = b""
        while not length.endswith(b":"):
            byte = self._receive(1)
            length += byte
        return json.loads(self._receive(int(length[:-1])))

    def _receive(self, size):
        data = b""
        while len(data) < size:
            try:
                piece = self._socket.recv(size - len(data))
            except OSError:
                piece = b""
            if not piece:
                raise Failure("the connection to Marionette has ended")
            data += piece
        return data

    @staticmethod
    def _connect(port):
        try:
            return socket.create_connection(("127.0.0.1", port), 2)
        except OSError:
            return None
