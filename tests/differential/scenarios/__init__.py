"""The scripts, by subject. Each function of these modules whose name does not begin with an underscore is one; its first
line says what it is about."""

import inspect

from . import client, data, exchange, fragments, logins, sessions, smp, starting

MODULES = (starting, exchange, data, sessions, smp, fragments, logins, client)


def of_module(module):
    """Name and script of each in a module."""
    return {name: function for name, function in vars(module).items()
            if inspect.isfunction(function) and function.__module__ == module.__name__ and not name.startswith("_")}


def every():
    """Name and script of each."""
    return {name: function for module in MODULES for name, function in of_module(module).items()}
